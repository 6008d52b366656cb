/**
 * What each thing that makes the key-value port fast brings: the piece of skein beside the simplest code for the same.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { messageLine } from "../../protocol/kv/message.ts";
import {
  beginSuccess,
  endSuccess,
  LineSplitter,
  LineWriter,
  readLine,
} from "../../protocol/kv/mod.ts";
import { openBenchLog, openOutbox } from "../../tests/support/bench/pieces.ts";
import type { Goal, Row, Sample } from "./figures.ts";
import type { Scene } from "./scene.ts";

/** Requests, answers, entries or subscribers of one round. */
const MANY = 64;
/** As many rounds are run without being measured: what is to be compiled is compiled then. */
const WARM_UP_ROUNDS = 20;
/** Bytes that a read of a connection brings at most. */
const READ_BYTES = 4_096;

/** One round, of {@linkcode MANY}, in both ways. */
interface Lever extends AsyncDisposable {
  readonly skein: () => void | Promise<void>;
  readonly naive: () => void | Promise<void>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const VALUE = "0123456789".repeat(10);
/** What comes in when {@linkcode MANY} requests are sent in one write. */
const CHUNKS = chunksOf(
  Array.from({ length: MANY }, (_, i) => `{"action":"SET","key":"k${i}","value":"${VALUE}"}\n`)
    .join(""),
);

const FASTER: readonly Goal[] = [{ over: "naive", bound: 1 }];

/** The first two are there so that a line has bounds and its checks, whatever comes; the others only to be fast. */
const LEVERS: Readonly<
  Record<string, readonly [open: (scene: Scene) => Lever | Promise<Lever>, goals: readonly Goal[]]>
> = {
  "lines: cut as bytes, then decoded / decoded, then cut": [cutting, []],
  "requests: the same, read with checks / by JSON.parse alone": [reading, []],
  "answers: put together from parts / JSON.stringify": [answering, FASTER],
  "messages: a line for all who hear it / one for each": [telling, FASTER],
  "answers sent: one write a turn / one each": [sending, FASTER],
  "log entries: one sync a group / one each": [logging, FASTER],
};

/** Of levers that hold nothing. */
const free: AsyncDisposable = { [Symbol.asyncDispose]: () => Promise.resolve() };

/** Every lever, the two ways in turn, over and over. */
export async function* measureLevers(scene: Scene): AsyncGenerator<Sample[]> {
  for (let run = 0; run < scene.sizes.runs; run++) {
    for (const [name, [open, goals]] of Object.entries(LEVERS)) {
      await using lever = await open(scene);
      const samples: Sample[] = [];
      for (const who of ["skein", "naive"] as const) {
        const row: Row = { name, unit: "us each", more: false, goals };
        samples.push({ row, who, value: await usEach(lever[who], scene.sizes.requestsMs / 2) });
      }
      yield samples;
    }
  }
}

async function usEach(round: () => void | Promise<void>, ms: number): Promise<number> {
  for (let i = 0; i < WARM_UP_ROUNDS; i++) await round();
  const began = performance.now();
  let rounds = 0;
  let took = 0;
  for (; took < ms; took = performance.now() - began, rounds++) await round();
  return took * 1_000 / rounds / MANY;
}

function chunksOf(text: string): Uint8Array[] {
  const bytes = encoder.encode(text);
  const count = Math.ceil(bytes.length / READ_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.slice(i * READ_BYTES, (i + 1) * READ_BYTES));
}

function cutting(): Lever {
  return { ...cuttingInto((line) => decoder.decode(line), (line) => line), ...free };
}

function reading(): Lever {
  return { ...cuttingInto(readLine, JSON.parse), ...free };
}

/** Hands every line over, as bytes or as a text. */
function cuttingInto(
  bytes: (line: Uint8Array) => unknown,
  text: (line: string) => unknown,
): Pick<Lever, "skein" | "naive"> {
  let last: unknown;
  const splitter = new LineSplitter((line) => last = bytes(line));
  const stream = new TextDecoder();
  let rest = "";
  return {
    skein: () => {
      for (const chunk of CHUNKS) splitter.push(chunk);
      must(last);
    },
    naive: () => {
      for (const chunk of CHUNKS) {
        const lines = (rest + stream.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() as string;
        for (const line of lines) last = text(line);
      }
      must(last);
    },
  };
}

function answering(): Lever {
  const writer = new LineWriter();
  const body = encoder.encode('"OK"');
  return {
    skein: () => {
      writer.reset();
      for (let i = 0; i < MANY; i++) {
        beginSuccess(writer, i);
        writer.raw(body);
        endSuccess(writer, 1_000_000 + i);
      }
    },
    naive: () => {
      writer.reset();
      for (let i = 0; i < MANY; i++) {
        const answer = { id: i, status: "ok", result: "OK", rev: 1_000_000 + i };
        writer.raw(encoder.encode(`${JSON.stringify(answer)}\n`));
      }
    },
    ...free,
  };
}

function telling(): Lever {
  const text = encoder.encode(`"${VALUE}"`);
  const message = { channel: "news", from: "publisher", node: "alpha" };
  const writers = Array.from({ length: MANY }, () => new LineWriter());
  let seq = 0;
  return {
    skein: () => {
      const line = messageLine({ ...message, text, seq: seq++ });
      for (const writer of writers) {
        writer.reset();
        writer.raw(line);
      }
    },
    naive: () => {
      seq++;
      for (const writer of writers) {
        writer.reset();
        const push = { push: "message", message: VALUE, ...message, seq };
        writer.raw(encoder.encode(`${JSON.stringify(push)}\n`));
      }
    },
    ...free,
  };
}

/** To somebody who reads, over a real connection. */
async function sending({ hosts }: Scene): Promise<Lever> {
  await using stack = new AsyncDisposableStack();
  using listener = Deno.listen({ hostname: hosts[0] as string, port: 0 });
  const [there, here] = await Promise.all([
    listener.accept(),
    Deno.connect({ ...(listener.addr as Deno.NetAddr), transport: "tcp" }),
  ]);
  stack.use(there);
  stack.use(here);
  const outbox = openOutbox(here);
  const answer = encoder.encode('{"status":"ok","result":"OK","rev":1000000}\n');
  const buffer = new Uint8Array(MANY * answer.length);
  const received = async (): Promise<void> => {
    for (let bytes = 0; bytes < buffer.length;) bytes += must(await there.read(buffer));
  };
  const owned = stack.move();
  return {
    skein: async () => {
      for (let i = 0; i < MANY; i++) outbox.append(answer);
      await received();
    },
    naive: async () => {
      const all = received();
      for (let i = 0; i < MANY; i++) await here.write(answer);
      await all;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function logging({ ground }: Scene): Promise<Lever> {
  await using stack = new AsyncDisposableStack();
  const folder = join(ground.folder, `levers-${randomUUID()}`);
  await Deno.mkdir(folder);
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const log = stack.use(await openBenchLog(folder));
  const owned = stack.move();
  return {
    skein: () => log.together(MANY),
    naive: () => log.oneByOne(MANY),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("Nothing came");
  return value;
}
