/** Segments that come from other servers: only what is missing, from whoever has it undamaged, bounded. */

import assert from "node:assert/strict";
import type { SegmentId, SegmentRow } from "../../../../cluster/machine/topics/segment.ts";
import { UnsentError } from "../../../../server/replica/driver/parts.ts";
import { complete } from "../../../../server/replica/segments/fetching/complete.ts";
import type { PieceNet } from "../../../../server/replica/segments/fetching/fetch.ts";
import {
  decodePiece,
  decodePieceAnswer,
  encodePiece,
  MAX_PIECE_BYTES,
  Pieces,
} from "../../../../server/replica/segments/fetching/pieces.ts";
import { DamagedSegmentError } from "../../../../server/replica/segments/errors.ts";
import { Repair } from "../../../../server/replica/segments/fetching/repair.ts";
import type { SegmentFiles } from "../../../../server/replica/segments/segment_files.ts";
import { below } from "../../../support/random_value.ts";
import { MemoryDisk } from "../../../support/replica/memory_disk.ts";
import {
  batchOf,
  openSegments,
  readAll,
  Rows,
  segmentAt,
} from "../../../support/replica/segments.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const INDEX = 100;
const A = segmentAt(0);
const A_PATH = "topics/1/0-0000000000000000.log";
const FOREVER = new AbortController().signal;

/** A server with segments, and what others ask it. */
class Server {
  readonly disk = new MemoryDisk();
  rows = new Rows();
  files!: SegmentFiles;
  applied = INDEX;
  /** Bytes that it has given away. */
  given = 0;
  /** After so many pieces it answers no more. */
  left = Infinity;
  /** Called with each piece that it is asked for. */
  asked: (segment: SegmentId) => void = () => {};
  #pieces!: Pieces;

  async open(): Promise<this> {
    ({ files: this.files } = await openSegments(this.disk, this.rows));
    this.#pieces = new Pieces({
      files: this.files,
      state: { row: (id) => this.rows.row(id) },
      applied: () => this.applied,
    });
    return this;
  }

  /** Appends batches to a segment. */
  append(segment: SegmentId, ...batches: Uint8Array[]): void {
    for (const batch of batches) this.files.take([this.rows.append(segment, batch)]);
  }

  async answer(request: Uint8Array): Promise<Uint8Array> {
    if (this.left-- <= 0) throw new UnsentError("Nobody is there");
    this.asked(decodePiece(request)!.segment);
    const answer = await this.#pieces.answer(request);
    this.given += answer.length - 1;
    return answer;
  }
}

/** A way to servers, of whom the first is asked first. */
function netOf(...servers: Server[]): PieceNet & { pauses: number } {
  const net = {
    pauses: 0,
    servers: () => servers.map((_, i) => `${i}`),
    ask: (server: string, request: Uint8Array) => servers[Number(server)]!.answer(request),
    pause: (_ms: number, signal: AbortSignal) => {
      net.pauses++;
      signal.throwIfAborted();
      return Promise.resolve();
    },
  };
  return net;
}

async function* rowsOf(rows: Rows): AsyncGenerator<SegmentRow> {
  for (const row of rows.rows()) yield await row;
}

/** Has a server get what the rows of another one tell of; it has applied nothing of that, unless told otherwise. */
function completed(
  to: Server,
  of: Rows,
  net: PieceNet,
  signal = FOREVER,
  applied: () => number = () => 0,
): Promise<void> {
  const state = { row: (id: SegmentId) => to.rows.row(id), applied };
  const after = { index: INDEX, members: [] };
  return complete({ files: to.files, state, net }, rowsOf(of), after, signal);
}

async function assertEqual(to: Server, of: Rows, from: Server): Promise<void> {
  for (const { segment, bytes } of of.rows()) {
    assert.equal(to.files.have(segment), bytes);
    assert.deepEqual(await readAll(to.files, segment), await readAll(from.files, segment));
  }
}

Deno.test("only what is missing comes, and it lasts then", async () => {
  const random = new SeededRandom(1);
  const [from, to] = [await new Server().open(), await new Server().open()];
  let missing = 0;
  for (let i = 0; i < 30; i++) {
    const segment = segmentAt(below(random, 3), below(random, 3), 1 + below(random, 2));
    const batch = batchOf(random, below(random, 2_000));
    const isNew = i >= 15;
    from.append(segment, batch);
    if (isNew) missing += batch.length;
    else to.append(segment, batch);
  }
  await completed(to, from.rows, netOf(from));
  await assertEqual(to, from.rows, from);
  assert.equal(from.given, missing);
  // With the rows it is whole after a restart.
  const again = await openSegments(to.disk, from.rows);
  assert.deepEqual(again.found, []);
  assert.deepEqual(await again.files.check(() => false), []);
});

Deno.test("batches that are longer than a piece come whole", async () => {
  const random = new SeededRandom(2);
  const [from, to] = [await new Server().open(), await new Server().open()];
  for (const bytes of [3 * MAX_PIECE_BYTES, 10, MAX_PIECE_BYTES - 37, MAX_PIECE_BYTES, 5]) {
    from.append(A, batchOf(random, bytes));
  }
  await completed(to, from.rows, netOf(from));
  assert.equal(to.files.have(A), from.rows.row(A)?.bytes);
  assert.deepEqual(await (await openSegments(to.disk, from.rows)).files.check(() => false), []);
});

Deno.test("who dies in the middle is followed by another one", async () => {
  const random = new SeededRandom(3);
  for (let left = 0; left < 4; left++) {
    const [first, second, to] = await Promise.all([0, 1, 2].map(() => new Server().open()));
    for (let i = 0; i < 6; i++) {
      const batch = batchOf(random, MAX_PIECE_BYTES / 2);
      first!.append(segmentAt(i % 2), batch);
      second!.append(segmentAt(i % 2), batch);
    }
    first!.left = left;
    await completed(to!, first!.rows, netOf(first!, second!));
    await assertEqual(to!, first!.rows, second!);
    assert.ok(second!.given > 0);
  }
});

Deno.test("what is damaged there is had from another one, or asked for again, and never kept", async () => {
  const random = new SeededRandom(4);
  for (let round = 0; round < 20; round++) {
    const [first, second, to] = await Promise.all([0, 1, 2].map(() => new Server().open()));
    const batches = [300, 400, 500].map((bytes) => batchOf(random, bytes));
    first!.append(A, ...batches);
    second!.append(A, ...batches);
    await first!.files.flush();
    const bytes = first!.disk.files.get(A_PATH)!;
    bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    const net = netOf(first!, second!);
    if (round % 2 === 0) second!.left = 0;
    const pause = net.pause.bind(net);
    net.pause = (ms, signal) => {
      // It comes back.
      if (net.pauses === 2) second!.left = Infinity;
      return pause(ms, signal);
    };
    await completed(to!, first!.rows, net);
    await assertEqual(to!, first!.rows, second!);
    assert.equal(net.pauses, round % 2 === 0 ? 3 : 0);
  }
});

Deno.test("what retention takes in the middle is left out, and what is only late is waited for", async () => {
  const random = new SeededRandom(5);
  const [from, late, to] = await Promise.all([0, 1, 2].map(() => new Server().open()));
  for (const base of [0, 1, 2]) from!.append(segmentAt(base), batchOf(random, 2 * MAX_PIECE_BYTES));
  const rows = from!.rows.copy();
  // It has not come to the entries that make them.
  late!.applied = INDEX - 1;
  let asked = 0;
  from!.asked = (segment) => {
    if (segment.base === 1 && ++asked === 2) from!.files.take([from!.rows.drop(segment)]);
  };
  await completed(to!, rows, netOf(late!, from!));
  const { found, files } = await openSegments(to!.disk, rows);
  assert.deepEqual(found, [segmentAt(1)]);
  assert.deepEqual(await files.check(() => false).then((problems) => problems.length), 1);
  // The entries that are still to come drop it.
  files.take([rows.drop(segmentAt(1))]);
  assert.deepEqual(files.damaged(), []);
});

Deno.test("what nobody has is asked for until it is given up", async () => {
  const random = new SeededRandom(6);
  const [from, to] = [await new Server().open(), await new Server().open()];
  const rows = new Rows();
  rows.append(A, batchOf(random, 100));
  from.applied = INDEX - 1;
  const net = netOf(from);
  const abort = new AbortController();
  const pause = net.pause.bind(net);
  net.pause = (ms, signal) => {
    if (net.pauses === 5) abort.abort(new Error("given up"));
    return pause(ms, signal);
  };
  await assert.rejects(completed(to, rows, net, abort.signal), /given up/);
});

Deno.test("when the whole fails, nothing of it goes on", async () => {
  const random = new SeededRandom(16);
  const [from, to] = await Promise.all([0, 1].map(() => new Server().open()));
  from!.append(A, ...[0, 1, 2].map(() => batchOf(random, MAX_PIECE_BYTES)));
  const asked = Promise.withResolvers<void>();
  async function* broken(): AsyncGenerator<SegmentRow> {
    yield* rowsOf(from!.rows);
    await asked.promise;
    throw new Error("The dump is damaged");
  }
  const net = netOf(from!);
  const { ask } = net;
  let underWay = 0;
  net.ask = async (...request) => {
    underWay++;
    asked.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    const answer = await ask(...request);
    underWay--;
    return answer;
  };
  const state = { row: (id: SegmentId) => to!.rows.row(id), applied: () => 0 };
  const after = { index: INDEX, members: [] };
  const completing = complete({ files: to!.files, state, net }, broken(), after, FOREVER);
  await assert.rejects(completing, /The dump is damaged/);
  assert.equal(underWay, 0);
});

Deno.test("entries that are applied meanwhile bring a part of it themselves", async () => {
  const random = new SeededRandom(7);
  const [from, to] = [await new Server().open(), await new Server().open()];
  const batches = Array.from({ length: 8 }, () => batchOf(random, MAX_PIECE_BYTES / 3));
  from.append(A, ...batches);
  let own = 0;
  from.asked = () => {
    if (own === 0) to.append(A, batches[own++]!);
  };
  await completed(to, from.rows, netOf(from));
  await assertEqual(to, from.rows, from);
  while (own < batches.length) to.append(A, batches[own++]!);
  await to.files.flush();
  assert.equal(to.disk.files.get(A_PATH)?.length, from.rows.row(A)?.bytes);
});

Deno.test("what entries drop that are applied meanwhile does not come any more", async () => {
  const random = new SeededRandom(15);
  const [from, to] = await Promise.all([0, 1].map(() => new Server().open()));
  const batches = [0, 1].map(() => batchOf(random, MAX_PIECE_BYTES));
  from!.append(A, ...batches);
  from!.append(segmentAt(9), batches[0]!);
  let [pieces, applied] = [0, 0];
  let forget: (() => Promise<void>) | undefined;
  from!.asked = ({ base }) => {
    if (base !== A.base || ++pieces !== 3) return;
    applied = INDEX + 1;
    to!.rows.append(segmentAt(9), batches[0]!);
    to!.files.take([{ kind: "drop", segment: A }]);
    forget = to!.files.forgettable();
  };
  await completed(to!, from!.rows, netOf(from!), FOREVER, () => applied);
  await forget?.();
  assert.equal(to!.files.have(A), 0);
  assert.equal(to!.files.have(segmentAt(9)), batches[0]!.length);
  assert.deepEqual([...to!.disk.files.keys()], ["topics/1/0-0000000000000009.log"]);
});

Deno.test("what is damaged here and wanted by a snapshot comes anew", async () => {
  const random = new SeededRandom(8);
  const [from, to] = [await new Server().open(), await new Server().open()];
  const batches = [300, 400, 500].map((bytes) => batchOf(random, bytes));
  from.append(A, ...batches);
  to.append(A, ...batches.slice(0, 2));
  await to.files.flush();
  to.disk.files.get(A_PATH)![400]! ^= 1;
  assert.equal((await to.files.check(() => false)).length, 1);
  await completed(to, from.rows, netOf(from));
  await assertEqual(to, from.rows, from);
  assert.equal(to.files.isDamaged(A), false);
});

Deno.test("damaged segments are whole again once somebody has them", async () => {
  const random = new SeededRandom(9);
  const [first, second, to] = await Promise.all([0, 1, 2].map(() => new Server().open()));
  for (const base of [0, 1, 2]) {
    const batch = batchOf(random, 500);
    for (const server of [first!, second!, to!]) server.append(segmentAt(base), batch);
  }
  for (const server of [first!, second!, to!]) await server.files.flush();
  for (const base of [0, 2]) {
    to!.disk.files.get(`topics/1/0-${`${base}`.padStart(16, "0")}.log`)![99]! ^= 1;
  }
  first!.disk.files.get(A_PATH)![200]! ^= 1;
  second!.left = 0;
  assert.equal((await to!.files.check(() => false)).length, 2);
  const net = netOf(first!, second!);
  const lines: string[] = [];
  const abort = new AbortController();
  const pause = net.pause.bind(net);
  net.pause = (ms, signal) => {
    if (net.pauses === 3) second!.left = Infinity;
    return pause(ms, signal);
  };
  const repair = new Repair({
    files: to!.files,
    state: to!.rows,
    net,
    applied: () => INDEX,
    logger: { info: (line) => void lines.push(line) },
  }, abort.signal);
  await repair.begin();
  assert.deepEqual(lines, [
    "Segment 'topics/1/0-0000000000000002.log' is whole again",
    "Segment 'topics/1/0-0000000000000000.log' is whole again",
  ]);
  assert.deepEqual(await to!.files.check(() => false), []);
  assert.deepEqual(to!.files.damaged(), []);
});

Deno.test("damage behind all that the state tells of is nobody's, and ends no repair later", async () => {
  const random = new SeededRandom(14);
  const [from, to] = await Promise.all([0, 1].map(() => new Server().open()));
  const batches = [500, 400].map((bytes) => batchOf(random, bytes));
  from!.append(A, ...batches);
  to!.append(A, batches[0]!);
  // Of a snapshot that is on its way.
  await completed(to!, from!.rows, netOf(from!));
  await to!.disk.truncate(A_PATH, batches[0]!.length + 10);
  await assert.rejects(to!.files.read(A, batches[0]!.length, 1_000), DamagedSegmentError);
  assert.deepEqual(to!.files.damaged(), [A]);
  const lines: string[] = [];
  const info = (line: string): void => {
    if (lines.push(line) > 1) throw new Error("It never ends");
  };
  const net = netOf(from!);
  const parts = { files: to!.files, state: to!.rows, net, applied: () => 1, logger: { info } };
  await new Repair(parts, FOREVER).begin();
  assert.deepEqual(lines, []);
});

Deno.test("a server that knows of no other one yet looks again, ever more seldom, until it ends", async () => {
  const random = new SeededRandom(10);
  const to = await new Server().open();
  to.append(A, batchOf(random, 500));
  await to.files.flush();
  to.disk.files.get(A_PATH)![99]! ^= 1;
  assert.equal((await to.files.check(() => false)).length, 1);
  const net = netOf();
  const pauses: number[] = [];
  const abort = new AbortController();
  net.pause = (ms, signal) => {
    if (pauses.push(ms) === 8) abort.abort();
    signal.throwIfAborted();
    return Promise.resolve();
  };
  const parts = { files: to.files, state: to.rows, net, applied: () => 1, logger: { info() {} } };
  await new Repair(parts, abort.signal).begin();
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => 1_000 * seconds));
});

Deno.test("a server gives few pieces at once, none that is too long, and nothing to what is no question", async () => {
  const random = new SeededRandom(11);
  const from = await new Server().open();
  from.append(A, batchOf(random, 5_000));
  const pieces = new Pieces({ files: from.files, state: from.rows, applied: () => INDEX });
  const question = { segment: A, position: 0, length: 100, index: INDEX };
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => pieces.answer(encodePiece(question))),
  );
  const kinds = answers.map((answer) => decodePieceAnswer(answer, 100));
  assert.equal(kinds.filter((kind) => kind === "absent").length, 24);
  assert.equal(kinds.filter((kind) => kind instanceof Uint8Array).length, 16);
  const ask = async (change: Partial<typeof question>) =>
    decodePieceAnswer(await pieces.answer(encodePiece({ ...question, ...change })), 100);
  assert.equal(await ask({ position: 6_000 }), "absent");
  assert.equal(await ask({ segment: segmentAt(1) }), "gone");
  assert.equal(await ask({ segment: segmentAt(1), index: INDEX + 1 }), "absent");
  for (const length of [0, MAX_PIECE_BYTES + 1]) assert.equal(await ask({ length }), undefined);
  assert.equal((await pieces.answer(Uint8Array.of(0xf7))).length, 0);
  assert.equal((await pieces.answer(new Uint8Array(41).fill(0xff))).length, 0);
  assert.equal(decodePieceAnswer(new Uint8Array(), 10), undefined);
  assert.equal(decodePieceAnswer(Uint8Array.of(3), 10), undefined);
  assert.equal(decodePieceAnswer(new Uint8Array(12), 10), undefined);
});
