/**
 * A benchmark of several products: its command line, its parts one after the other, and where the result goes.
 *
 * @module
 */

import { join } from "node:path";
import { hasGo } from "../../tests/support/interop/raft_oracle.ts";
import { loopback } from "../../tests/support/loopback.ts";
import { readOptions } from "../command_line/options.ts";
import { machine } from "../process.ts";
import { type Sample, type StatePart, summarise } from "./figures.ts";
import { Ground } from "./ground.ts";
import { Load } from "./load.ts";
import type { Peer } from "./peers.ts";
import { statePage, type StateResult } from "./result.ts";
import { HOSTS, type Scene, type Sizes } from "./scene.ts";

/** What is measured, beside whom. */
export interface Benchmark {
  /** What it is called: `deno task NAME`. */
  readonly task: string;
  /** Its parts by name, in the order in which they run. */
  readonly parts: Readonly<
    Record<string, readonly [title: string, run: (scene: Scene) => AsyncGenerator<Sample[]>]>
  >;
  /** How the peers are found. */
  readonly finders: Readonly<
    Record<string, readonly [find: () => Peer | undefined, hint: string]>
  >;
  /** What a result is written to: files by name. */
  readonly files: (result: StateResult) => Readonly<Record<string, string>>;
}

/** Where a whole run goes. */
const RESULTS = join(import.meta.dirname ?? ".", "..", "results");

const QUICK: Sizes = {
  runs: 1,
  requestsMs: 200,
  rateMs: 1_000,
  keys: 2_000,
  manyKeys: 20_000,
  connections: 200,
  sessions: 50,
  sessionsMs: 1_000,
  idleSessions: 200,
  restMs: 1_000,
  idleMs: 1_000,
};
const WHOLE: Sizes = {
  runs: 3,
  requestsMs: 1_500,
  rateMs: 10_000,
  keys: 100_000,
  manyKeys: 1_000_000,
  connections: 10_000,
  sessions: 1_000,
  sessionsMs: 10_000,
  idleSessions: 10_000,
  restMs: 45_000,
  idleMs: 10_000,
};

/** Runs it as the command line says, and ends the process. */
export async function runBenchmark({ task, parts, finders, files }: Benchmark): Promise<never> {
  const names = Object.keys(parts);
  const all = Object.keys(finders);
  const options = readOptions(
    `deno task ${task} [--quick] [--runs 3] [--only ${names.slice(0, 2)}] ` +
      `[--peers ${all}] [--seconds 60] [--dir FOLDER] [--out FOLDER]`,
    {
      quick: { type: "boolean", default: false },
      runs: { type: "string" },
      only: { type: "string", default: "" },
      peers: { type: "string", default: all.join(",") },
      seconds: { type: "string" },
      dir: { type: "string" },
      out: { type: "string" },
    },
  );
  const plan = options.quick ? QUICK : WHOLE;
  const sizes = {
    ...plan,
    ...options.runs !== undefined && { runs: wholeNumber("runs", options.runs) },
    ...options.seconds !== undefined &&
      { sessionsMs: 1_000 * wholeNumber("seconds", options.seconds) },
  };
  const chosen = namesOf("only", options.only || names.join(","), parts);
  const asked = namesOf("peers", options.peers, finders);
  if (!hasGo()) {
    console.error(
      "\n!!! SKIPPED, no Go on this machine (https://go.dev/dl/): it builds the load program\n",
    );
    Deno.exit(1);
  }
  const peers = asked.flatMap((name) => {
    const [find, hint] = finders[name]!;
    const peer = find();
    if (peer === undefined) console.error(`\n!!! SKIPPED, no ${name} on this machine (${hint})\n`);
    return peer ?? [];
  });
  const isWhole = !options.quick && options.only === "" && options.seconds === undefined &&
    peers.length === all.length;
  const out = options.out ?? (isWhole ? RESULTS : undefined);

  const stopped = Promise.withResolvers<"stopped">();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stopped.resolve("stopped"));
  }
  const ground = await Ground.make(options.dir).catch((error: Error) => {
    console.error(error.message);
    Deno.exit(1);
  });
  let outcome: "done" | "stopped";
  try {
    const scene = async (): Promise<Scene> => ({
      ground,
      load: await Load.build(ground),
      peers,
      hosts: Array.from({ length: HOSTS }, loopback),
      sizes,
    });
    const measured = scene().then((made) => measureAll({ parts, files }, made, chosen, out));
    outcome = await Promise.race([measured, stopped.promise]);
  } finally {
    await ground[Symbol.asyncDispose]();
  }
  Deno.exit(outcome === "done" ? 0 : 130);
}

async function measureAll(
  { parts: known, files }: Pick<Benchmark, "parts" | "files">,
  scene: Scene,
  chosen: readonly string[],
  out: string | undefined,
): Promise<"done"> {
  const where = await machineLines(scene);
  const resultOf = (parts: readonly StatePart[]): StateResult => ({
    when: new Date().toISOString(),
    machine: where,
    sizes: scene.sizes,
    parts,
  });
  const parts: StatePart[] = [];
  for (const name of chosen) {
    const [title, run] = known[name]!;
    const samples: Sample[] = [];
    const began = performance.now();
    for await (const found of run(scene)) samples.push(...found);
    parts.push({ name, title, rows: summarise(samples) });
    // After each part, so that a run which fails late loses nothing.
    if (out !== undefined) await write(out, files(resultOf(parts)));
    console.error(`${name}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  }
  console.log(statePage(resultOf(parts)));
  if (out !== undefined) console.log(`\nWritten to ${out}`);
  return "done";
}

async function machineLines({ ground, peers }: Scene): Promise<StateResult["machine"]> {
  const { cpu, cores, os, deno } = machine();
  const { total } = Deno.systemMemoryInfo();
  return {
    CPU: `${cpu}, ${cores} cores`,
    Memory: `${(total / 2 ** 30).toFixed(1)} GiB`,
    Kernel: `Linux ${os}`,
    Disk: await ground.describeDisk(),
    Programs: [`Deno ${deno}`, ...peers.map(({ label }) => label)].join(", "),
  };
}

async function write(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
}

function namesOf(flag: string, text: string, known: Readonly<Record<string, unknown>>): string[] {
  const names = text.split(",");
  const unknown = names.find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return names;
  console.error(`--${flag} knows ${Object.keys(known).join(", ")}, not '${unknown}'`);
  Deno.exit(1);
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${flag} must be a whole number over 0, not '${text}'`);
  Deno.exit(1);
}
