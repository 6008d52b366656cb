/**
 * docs/GETTING-STARTED.md from top to bottom, as a newcomer pastes it: each block in the order of the page, with
 * what the page says it prints.
 *
 * Three things are other than on the page, so that the test disturbs no agent of the machine: the loopback
 * address, the folder for files, and the folder into which the command is installed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/agents.ts";
import { loopback } from "../support/loopback.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const PAGE = join(ROOT, "docs", "GETTING-STARTED.md");
const HOST = loopback();
/** How long a block may take until it has printed what the page shows. */
const LIMIT_MS = 30_000;

/** A block of commands and what the page shows below it. */
interface Block {
  /** Number of the terminal for one that runs on; `undefined` for one that ends. */
  terminal: string | undefined;
  commands: string;
  /** Lines, or beginnings of lines, that have to come in this order. */
  prints: string[];
}

Deno.test("the getting-started page works as it stands", async (t) => {
  await using cleanUp = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  cleanUp.defer(() => Deno.remove(folder, { recursive: true }));
  const place = (text: string) =>
    text.replaceAll("127.0.0.1", HOST).replaceAll("/tmp/skein-tour", join(folder, "tour"));
  const env = {
    DENO_INSTALL_ROOT: join(folder, "installed"),
    PATH: [join(folder, "installed", "bin"), join(Deno.execPath(), ".."), Deno.env.get("PATH")]
      .join(":"),
    SERF_RPC_ADDR: `${HOST}:7373`,
    NO_COLOR: "1",
  };
  const terminals = new Map<string, Running>();
  const blocks = blocksOf(await Deno.readTextFile(PAGE)).map((block) => ({
    ...block,
    commands: place(block.commands),
    prints: block.prints.map(place),
  }));
  assert.ok(blocks.length > 15);
  for (const { terminal, commands, prints } of blocks) {
    await t.step(commands.split("\n")[0] ?? "", async () => {
      if (terminal === undefined) return await runs(commands, prints, env);
      assert.equal(await terminals.get(terminal)?.end() ?? 0, 0);
      const running = cleanUp.use(new Running(commands, env));
      terminals.set(terminal, running);
      await eventually(`${commands} prints ${prints.join("\n")}`, () => {
        return hasInOrder(running.output, prints);
      }, LIMIT_MS).catch((cause) => {
        throw new Error(running.output, { cause });
      });
    });
  }
  for (const running of terminals.values()) assert.equal(await running.exited, 0, running.output);
});

/** The blocks of commands of a page, with the block of text that follows each, if one does. */
function blocksOf(page: string): Block[] {
  const fences = page.matchAll(/^```(\w+)(?: terminal=(\w+))?\n([\s\S]*?)^```$/gm);
  const blocks: Block[] = [];
  for (const [, language, terminal, text = ""] of fences) {
    if (language === "sh") blocks.push({ terminal, commands: text.trimEnd(), prints: [] });
    else blocks.at(-1)?.prints.push(...text.trimEnd().split("\n"));
  }
  return blocks;
}

/** Runs commands, once and as fast as they go, as they are when a reader pastes them: they print what they should. */
async function runs(
  commands: string,
  prints: string[],
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

  /** Ctrl-C; gives the exit code. */
  async end(signal: Deno.Signal = "SIGINT"): Promise<number> {
    try {
      this.#process.kill(signal);
    } catch { /* It has ended. */ }
    return await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}
