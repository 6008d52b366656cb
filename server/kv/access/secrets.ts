/**
 * How tokens and passwords are kept: never as they are. A token is a long random text, so one SHA-256 is enough; a password is
 * what a person thought of, so it gets scrypt, which makes guessing dear.
 *
 * @module
 */

import { encodeUtf8 } from "../../../protocol/text.ts";

/** Random bytes of a token. */
const TOKEN_BYTES = 32;
/** What a token begins with, so that people and scanners know it for one. */
const TOKEN_PREFIX = "skein_";

const DIGEST_BYTES = 32;
const SALT_BYTES = 16;

/** Cost of a new hash of a password: 2^15 rounds of 8 blocks take some 80 ms and 32 MiB. */
const LOG_ROUNDS = 15;
const BLOCKS = 8;
/** What hashes of files may cost at most, so that none takes the server's memory. */
const MAX_LOG_ROUNDS = 17;
/** And at least, so that none is as good as the password. */
const MIN_LOG_ROUNDS = 14;

/** The hash of a token or of a password. */
export type Hash =
  | { readonly kind: "token"; readonly digest: Uint8Array }
  | {
    readonly kind: "password";
    readonly digest: Uint8Array;
    readonly salt: Uint8Array;
    readonly logRounds: number;
  };

/** A new token. */
export function makeToken(): string {
  return TOKEN_PREFIX + base64Of(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
}

/** The hash of a token as a text for a file: `sha256:DIGEST`. */
export async function hashToken(token: string): Promise<string> {
  return `sha256:${base64Of(await digestOf(token))}`;
}

/** The hash of a password as a text for a file: `scrypt:LOG_ROUNDS:SALT:DIGEST`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const digest = await stretch(password, salt, LOG_ROUNDS);
  return `scrypt:${LOG_ROUNDS}:${base64Of(salt)}:${base64Of(digest)}`;
}

/** A hash for names that nobody has: looking at it costs what looking at another one costs. */
export function decoy(): Hash & { readonly kind: "password" } {
  const salt = new Uint8Array(SALT_BYTES);
  return { kind: "password", digest: new Uint8Array(DIGEST_BYTES), salt, logRounds: LOG_ROUNDS };
}

/** What a text of {@linkcode hashToken} or {@linkcode hashPassword} says; `undefined` when it is none. */
export function readHash(text: string): Hash | undefined {
  const [scheme, ...parts] = text.split(":");
  const digest = bytesOf(parts.at(-1) ?? "", DIGEST_BYTES);
  if (digest === undefined) return undefined;
  if (scheme === "sha256" && parts.length === 1) return { kind: "token", digest };
  if (scheme !== "scrypt" || parts.length !== 3) return undefined;
  const [rounds = "", salted = ""] = parts;
  const salt = bytesOf(salted, SALT_BYTES);
  const logRounds = /^\d\d$/.test(rounds) ? Number(rounds) : 0;
  if (salt === undefined || logRounds < MIN_LOG_ROUNDS || logRounds > MAX_LOG_ROUNDS) {
    return undefined;
  }
  return { kind: "password", digest, salt, logRounds };
}

/** The SHA-256 of a text. */
export async function digestOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encodeUtf8(text)));
}

/** What {@linkcode hashPassword} makes of a password. The work is done beside the event loop. */
export async function stretch(
  password: string,
  salt: Uint8Array,
  logRounds: number,
): Promise<Uint8Array> {
  const { scrypt } = await import("node:crypto");
  const N = 2 ** logRounds;
  // The memory that it takes, and some for itself.
  const options = { N, r: BLOCKS, p: 1, maxmem: 2 * 128 * N * BLOCKS };
  return await new Promise((resolve, reject) => {
    scrypt(encodeUtf8(password), salt, DIGEST_BYTES, options, (error, digest) => {
      if (error) reject(error);
      else resolve(new Uint8Array(digest));
    });
  });
}

/** Compares two digests in a time that does not depend on what is in them. */
export function isEqualDigest(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < one.length; i++) difference |= (one[i] as number) ^ (other[i] ?? 0);
  return difference === 0;
}

function base64Of(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function bytesOf(text: string, length: number): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return bytes.length === length ? bytes : undefined;
  } catch {
    // It is no base64.
    return undefined;
  }
}
