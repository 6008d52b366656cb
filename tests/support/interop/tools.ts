/**
 * Tests with programs that nobody here wrote: run where a machine has them, skipped loudly where it has not, and failed there
 * when `CI` is set.
 *
 * @module
 */

import assert from "node:assert/strict";
import { withPatience } from "../rpc/peer.ts";

/** The programs, each with its package in Debian; `.ci/run` installs them. */
const PACKAGES = {
  jq: "jq",
  nc: "netcat-openbsd",
  openssl: "openssl",
  python3: "python3",
  socat: "socat",
};

/** A program of other people. */
export type Tool = keyof typeof PACKAGES;

/** Registers a test that needs programs. */
export function toolTest(tools: readonly Tool[], name: string, body: () => Promise<void>): void {
  const title = `${name} [${tools.join(", ")}]`;
  const missing = tools.filter((tool) => !isHere(tool));
  if (missing.length === 0) {
    Deno.test(title, body);
  } else if (Deno.env.has("CI")) {
    Deno.test(title, () => {
      throw new Error(`CI is set, but this machine has no ${missing.join(", ")}`);
    });
  } else {
    const packages = missing.map((tool) => PACKAGES[tool]).join(" ");
    Deno.stderr.writeSync(new TextEncoder().encode(
      `\n!!! SKIPPED, no ${
        missing.join(", ")
      } on this machine (apt install ${packages}): ${name}\n\n`,
    ));
    Deno.test({ name: title, ignore: true, fn: () => {} });
  }
}

function isHere(tool: Tool): boolean {
  const search = new Deno.Command("sh", { args: ["-c", `command -v ${tool}`], stdout: "null" });
  return search.outputSync().success;
}

/** What a line of a shell has printed; throws what it said unless it ends with 0, within 20 s. */
export async function shell(
  line: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  // Ends all programs of a pipe, where a signal to the shell would leave them and what they hold open.
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: ["20", "sh", "-ec", line],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${line}\n${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

/** A program that carries lines between its standard streams and a port, such as `nc`, with somebody who types. */
export class Typist implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #screen: ReadableStreamDefaultReader<string>;
  #seen = "";

  /** Starts a line of a shell. */
  constructor(line: string) {
    this.#process = new Deno.Command("sh", {
      args: ["-c", `exec ${line}`],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#keys = this.#process.stdin.getWriter();
    this.#screen = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Types a line, and gives the next one of the screen. */
  async says(line: string): Promise<string> {
    await this.#keys.write(new TextEncoder().encode(`${line}\n`));
    return await this.sees();
  }

  /** The next line of the screen. */
  async sees(): Promise<string> {
    for (;;) {
      const end = this.#seen.indexOf("\n");
      if (end >= 0) {
        const line = this.#seen.slice(0, end);
        this.#seen = this.#seen.slice(end + 1);
        return line;
      }
      const { value, done } = await withPatience(this.#screen.read());
      assert.ok(!done, `ended after '${this.#seen}'`);
      this.#seen += value;
    }
  }

  /** Ctrl-D. Gives what is still shown, and the exit code. */
  async end(): Promise<[rest: string, code: number]> {
    await this.#keys.close();
    for (;;) {
      const { value, done } = await withPatience(this.#screen.read());
      if (done) break;
      this.#seen += value;
    }
    const { code } = await withPatience(this.#process.status);
    return [this.#seen, code];
  }

  /** Ends it unless it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await this.#keys.close().catch(() => {});
    await this.#screen.cancel();
    await this.#process.status;
  }
}
