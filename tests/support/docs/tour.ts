/**
 * Pages that a newcomer pastes from top to bottom: each block in the order of the page, with what the page says it prints.
 *
 * Two things are other than on the page, so that a test disturbs no agent of the machine: the loopback address, and the folders
 * for files and for the command.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../agents.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..", "..");

/** How long a block may take until it has printed what the page shows. */
const LIMIT_MS = 30_000;

/** What ends with SIGTERM, and what with SIGKILL: a page that has `kill` in it does that to its terminals. */
const KILLED = [1, 137];

/** A block of commands and what the page shows below it. */
export interface Block {
  /** Number of the terminal for one that runs on; `undefined` for one that ends. */
  readonly terminal: string | undefined;
  /** The commands. */
  readonly commands: string;
  /** Lines, or parts of lines, that have to come in this order. */
  readonly prints: readonly string[];
}

/** The blocks of commands of a page of `docs/`, with the blocks of text that follow each, and without programs. */
export async function blocksOf(page: string): Promise<Block[]> {
  const text = await Deno.readTextFile(join(ROOT, "docs", page));
  const fences = text.matchAll(/^```(\w+)(?: terminal=(\w+))?\n([\s\S]*?)^```$/gm);
  const blocks: Block[] = [];
  for (const [, language, terminal, content = ""] of fences) {
    if (language === "ts") continue;
    if (language === "sh") {
      blocks.push({ terminal, commands: content.trimEnd(), prints: [] });
    } else {
      const block = blocks.pop();
      if (block === undefined) continue;
      blocks.push({ ...block, prints: [...block.prints, ...content.trimEnd().split("\n")] });
    }
  }
  return blocks;
}

/**
 * Runs blocks as steps of a test, with `host` for 127.0.0.1 and a folder of its own for `/tmp/skein-tour`. `variables` are what
 * the page has exported before.
 */
export async function runTour(
  t: Deno.TestContext,
  blocks: readonly Block[],
  host: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  cleanUp.defer(() => Deno.remove(folder, { recursive: true }));
  const place = (text: string) =>
    text.replaceAll("127.0.0.1", host).replaceAll("/tmp/skein-tour", join(folder, "tour"));
  const env = {
    DENO_INSTALL_ROOT: join(folder, "installed"),
    PATH: [join(folder, "installed", "bin"), join(Deno.execPath(), ".."), Deno.env.get("PATH")]
      .join(":"),
    SERF_RPC_ADDR: `${host}:7373`,
    NO_COLOR: "1",
    ...variables,
  };
  const good = [0, ...blocks.some(({ commands }) => /\bkill /.test(commands)) ? KILLED : []];
  const terminals = new Map<string, Running>();
  for (const block of blocks) {
    const { terminal } = block;
    const commands = place(block.commands);
    const prints = block.prints.map(place);
    const isDone = await t.step(commands.split("\n")[0] ?? "", async () => {
      if (terminal === undefined) return await runs(commands, prints, env);
      const before = terminals.get(terminal);
      if (before !== undefined) assert.ok(good.includes(await before.finish()), before.output);
      const running = cleanUp.use(new Running(commands, env));
      terminals.set(terminal, running);
      await eventually(`${commands} prints ${prints.join("\n")}`, () => {
        return hasInOrder(running.output, prints);
      }, LIMIT_MS).catch((cause) => {
        throw new Error(running.output, { cause });
      });
    });
    // What follows builds on it.
    if (!isDone) return;
  }
  for (const running of terminals.values()) {
    assert.ok(good.includes(await running.exited), running.output);
  }
}

/** Runs commands, once and as fast as they go, as they are when a reader pastes them: they print what they should. */
async function runs(
  commands: string,
  prints: readonly string[],
  env: Record<string, string>,
): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-ec", commands],
    cwd: ROOT,
    env,
    stdin: "null",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).output();
  const seen = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(code === 0 && hasInOrder(seen, prints), `${commands}\nprints\n${seen}`);
}

/** Whether the output has all of the lines; acknowledgements and answers come in any order. */
function hasInOrder(output: string, prints: readonly string[]): boolean {
  const arrival = /^(Ack|Response) from /;
  const found = output.split("\n");
  let from = 0;
  for (const wanted of prints) {
    const at = found.findIndex((line, i) => {
      return (i >= from || arrival.test(wanted)) && line.includes(wanted.trim());
    });
    if (at < 0) return false;
    if (!arrival.test(wanted)) from = at + 1;
  }
  return true;
}

/** A command in a terminal of its own, until Ctrl-C. */
class Running implements AsyncDisposable {
  readonly exited: Promise<number>;
  output = "";
  #process: Deno.ChildProcess;

  constructor(command: string, env: Record<string, string>) {
    this.#process = new Deno.Command("sh", {
      args: ["-c", `exec ${command}`],
      cwd: ROOT,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const read = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.output += text;
    };
    const reading = [read(this.#process.stdout), read(this.#process.stderr)];
    this.exited = this.#process.status.then(async ({ code }) => {
      await Promise.all(reading);
      return code;
    });
  }

  /** Ctrl-C, unless it is over; gives the exit code. */
  async finish(): Promise<number> {
    this.#kill("SIGINT");
    return await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill("SIGKILL");
    await this.exited;
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch { /* It has ended. */ }
  }
}
