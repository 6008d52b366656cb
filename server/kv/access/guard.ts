/**
 * What guards a key-value port: its tokens and its certificate, from files that may change while it is open. Loaded when the
 * settings ask for one of them.
 *
 * @module
 */

import { ConfigError } from "../../config/error.ts";
import { fileProblem } from "../../files/problem.ts";
import { readTextBounded } from "../../files/read_bounded.ts";
import { type Certificate, CertificateError, TlsServer } from "../../net/wire/tls.ts";
import { Access } from "./access.ts";
import type { Entry } from "./entries.ts";
import { readTokensFile } from "./file.ts";

/**
 * What the files of a server say now, and which of them have changed.
 *
 * @example
 * ```ts
 * import { Agent, type RereadFiles } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const files: RereadFiles | undefined = await agent.state?.reread();
 * files?.apply();
 * console.log(files?.changed); // []
 * ```
 */
export interface RereadFiles {
  /** The options of the files that have changed. */
  readonly changed: readonly string[];
  /** Makes what they say count. Connections of those who are gone, or have other rights, end. */
  apply(): void;
}

/** Largest file of a certificate or a key, in bytes. */
const MAX_PEM_BYTES = 1024 * 1024;

/** Where the files are; "" for none. */
export interface GuardFiles {
  /** The entries. */
  readonly tokensFile: string;
  /** The certificate, as PEM. */
  readonly tlsCert: string;
  /** Its key, as PEM. */
  readonly tlsKey: string;
}

/** What guards one port. */
export class Guard {
  /** Who may do what; `undefined`: everybody everything. */
  readonly access: Access | undefined;
  /** What encrypts; `undefined`: nothing is encrypted. */
  readonly tls: TlsServer | undefined;
  readonly #files: GuardFiles;
  #certificate: Certificate | undefined;

  private constructor(files: GuardFiles, { entries, certificate, tls }: Contents) {
    this.access = entries && new Access(entries);
    this.tls = tls;
    this.#files = files;
    this.#certificate = certificate;
  }

  /**
   * Reads the files.
   *
   * @throws {ConfigError} when one of them cannot be used.
   */
  static async open(files: GuardFiles): Promise<Guard> {
    return new Guard(files, await read(files));
  }

  /**
   * Reads the files again.
   *
   * @param recheck Called when others have rights than before.
   * @throws {ConfigError} when one of them cannot be used.
   */
  async reread(recheck: () => void): Promise<RereadFiles> {
    const { entries, certificate } = await read(this.#files);
    const hasOthers = entries !== undefined && this.access?.isSame(entries) === false;
    const hasAnother = certificate !== undefined && !isSame(certificate, this.#certificate);
    const changed = [
      ...hasOthers ? ["kv.tokens_file"] : [],
      ...hasAnother ? ["kv.tls_cert"] : [],
    ];
    const apply = (): void => {
      if (hasOthers) {
        this.access?.replace(entries);
        recheck();
      }
      if (hasAnother) {
        this.#certificate = certificate;
        this.tls?.renew(certificate);
      }
    };
    return { changed, apply };
  }
}

/** What the files say. */
interface Contents {
  readonly entries: readonly Entry[] | undefined;
  readonly certificate: Certificate | undefined;
  /** Shows the certificate. */
  readonly tls: TlsServer | undefined;
}

async function read({ tokensFile, tlsCert, tlsKey }: GuardFiles): Promise<Contents> {
  const entries = tokensFile === "" ? undefined : await readTokensFile(tokensFile);
  if (tlsCert === "") return { entries, certificate: undefined, tls: undefined };
  const cert = await readPem("kv.tls_cert", tlsCert);
  const key = await readPem("kv.tls_key", tlsKey);
  try {
    return { entries, certificate: { cert, key }, tls: new TlsServer({ cert, key }) };
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    throw new ConfigError(
      `Error using kv.tls_cert '${tlsCert}' with kv.tls_key '${tlsKey}': ${cause.message}`,
      { cause },
    );
  }
}

function isSame(one: Certificate, other: Certificate | undefined): boolean {
  return one.cert === other?.cert && one.key === other.key;
}

async function readPem(name: string, path: string): Promise<string> {
  try {
    return await readTextBounded(path, MAX_PEM_BYTES);
  } catch (cause) {
    throw new ConfigError(`Error reading ${name} '${path}': ${fileProblem(cause)}`, { cause });
  }
}
