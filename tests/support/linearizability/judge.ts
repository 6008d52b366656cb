/**
 * Builds and asks the Go program of `tests/linearizability/judge/`.
 *
 * @module
 */

import { join } from "node:path";
import { hasGo } from "../interop/raft_oracle.ts";

const SOURCE = join(import.meta.dirname ?? ".", "..", "..", "linearizability", "judge");

/** The longest search for one key. */
const SEARCH_LIMIT = "60s";

/** What came of a history. */
export interface Verdict {
  readonly word: "ok" | "illegal" | "unknown";
  /** All that the judge said. */
  readonly text: string;
}

/** A program that tells whether a history is linearizable. */
export class Judge implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds it; throws with what Go says when it does not build. */
  static async build(): Promise<Judge> {
    const folder = await Deno.makeTempDir({ prefix: "judge_" });
    const { success, stderr } = await new Deno.Command("go", {
      args: ["build", "-mod=readonly", "-o", join(folder, "judge"), "."],
      cwd: SOURCE,
    }).output();
    if (!success) throw new Error(`Judge does not build: ${new TextDecoder().decode(stderr)}`);
    return new Judge(folder);
  }

  /** Has what it is built from brought here, for a process that has no network. */
  static async prepare(): Promise<void> {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["mod", "download"],
      cwd: SOURCE,
    }).output();
    if (!success) throw new Error(`No modules: ${new TextDecoder().decode(stderr)}`);
  }

  /** Judges a file. A drawing of an illegal key goes beside it. */
  async judge(path: string): Promise<Verdict> {
    const { code, stdout, stderr } = await new Deno.Command(join(this.#folder, "judge"), {
      args: ["-timeout", SEARCH_LIMIT, "-drawing", `${path}.html`, path],
    }).output();
    const word = ({ 0: "ok", 1: "illegal", 3: "unknown" } as const)[code];
    if (word === undefined) throw new Error(`Judge fails: ${new TextDecoder().decode(stderr)}`);
    return { word, text: new TextDecoder().decode(stdout) };
  }

  /** Removes the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Registers a test that needs Go: skipped loudly without it, failed where `CI` or `SKEIN_REQUIRE_GO` is set. */
export function judgedTest(name: string, body: () => Promise<void>): void {
  if (hasGo()) {
    Deno.test(name, body);
  } else if (Deno.env.has("CI") || Deno.env.get("SKEIN_REQUIRE_GO") === "1") {
    Deno.test(name, () => {
      throw new Error("CI or SKEIN_REQUIRE_GO is set, but this machine has no Go");
    });
  } else {
    Deno.stderr.writeSync(new TextEncoder().encode(
      `\n!!! SKIPPED, no Go on this machine (https://go.dev/dl/): ${name}\n\n`,
    ));
    Deno.test({ name, ignore: true, fn: () => {} });
  }
}
