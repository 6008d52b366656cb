/**
 * What servers answer to agents that fetch changes, and what they hold of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { deleteCommand, setCommand } from "../../../../cluster/machine/kv/mod.ts";
import type { Result } from "../../../../cluster/machine/mod.ts";
import { tellable } from "../../../../cluster/watch/mod.ts";
import {
  decodeFetch,
  decodeFetched,
  encodeFetch,
  encodeFetched,
  type Fetch,
  type Fetched,
  GONE,
} from "../../../../server/replica/watching/fetch_codec.ts";
import { BATCH_BYTES, MAX_REVISION_BYTES } from "../../../../server/replica/watching/fetches.ts";
import { MemoryState } from "../../../support/kv/memory_state.ts";
import { mutated } from "../../../support/mutate.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { until, withPatience } from "../../../support/rpc/peer.ts";

const ALL = [{ path: "", tree: true }];
const encoder = new TextEncoder();

function set(state: MemoryState, path: string, text: string): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  state.propose(setCommand(encoder.encode(path), encoder.encode(text)), 1_000, resolve);
  return promise;
}

function fetchAt(state: MemoryState, fetch: Partial<Fetch>, id = "g"): Promise<Uint8Array> {
  return state.fetches.fetch(id, encodeFetch({ from: 1, places: ALL, waitMs: 0, ...fetch }));
}

async function fetched(state: MemoryState, fetch: Partial<Fetch>): Promise<Fetched> {
  const answer = decodeFetched(await fetchAt(state, fetch));
  assert.ok(answer !== undefined && answer !== GONE);
  return answer;
}

Deno.test("of the fetches of one agent one waits, and nothing is held of it when it is answered", async () => {
  const state = new MemoryState();
  const places = [{ path: "a", tree: true }, { path: "b", tree: false }];
  const first = fetchAt(state, { places, waitMs: 10_000 });
  const other = fetchAt(state, { places, waitMs: 10_000 }, "h");
  assert.equal(state.watches.figures.watches, 4);
  const second = fetchAt(state, { places, waitMs: 10_000 });
  assert.deepEqual(decodeFetched(await withPatience(first)), {
    changes: [],
    rev: 0,
    page: undefined,
  });
  assert.equal(state.watches.figures.watches, 4);
  await set(state, "c", "1");
  await set(state, "a^x", "2");
  for (const answer of [second, other]) {
    const { changes, rev } = decodeFetched(await answer) as Fetched;
    assert.deepEqual([changes.map((change) => tellable(change).path), rev], [["a^x"], 2]);
  }
  assert.equal(state.watches.figures.watches, 0);
  const third = fetchAt(state, { from: 3, waitMs: 10_000 });
  state.fetches.nudge("g");
  assert.deepEqual(decodeFetched(await third), { changes: [], rev: 2, page: undefined });
  // One that waits ends with what it has waited for.
  const fourth = fetchAt(state, { from: 3, waitMs: 10_000 });
  state.begin();
  assert.equal((await fourth).length, 0);
  const fifth = fetchAt(state, { from: 3, waitMs: 5 });
  assert.deepEqual(decodeFetched(await fifth), { changes: [], rev: 2, page: undefined });
  await until(() => state.watches.figures.watches === 0);
});

Deno.test("an answer ends with a revision and is bounded, and what does not fit into one is gone", async () => {
  const state = new MemoryState({ changes: 1_000, bytes: 64 * 2 ** 20, blockBytes: 2 ** 20 });
  const text = `"${"x".repeat(100_000)}"`;
  for (let i = 0; i < 20; i++) await set(state, `k^${i}`, text);
  const revs: number[] = [];
  for (let from = 1; from <= 20;) {
    const { changes, rev } = await fetched(state, { from });
    assert.ok(changes.length <= BATCH_BYTES / 100_000 + 1);
    revs.push(...changes.map((change) => change.rev));
    from = rev + 1;
  }
  assert.deepEqual(revs, Array.from({ length: 20 }, (_, i) => i + 1));
  // A page comes with the last of them only, and shows all of them.
  const range = { from: (await fetched(state, {})).changes[0]?.key as Uint8Array };
  const page = { from: range.from, to: Uint8Array.of(...range.from.slice(0, 4), 0xff) };
  assert.equal((await fetched(state, { page })).page, undefined);
  const last = await fetched(state, { from: 20, page });
  assert.equal(last.page?.values[0]?.rev, 1);
  assert.equal(last.page?.rev, 20);

  const big = `"${"y".repeat(500_000)}"`;
  for (let i = 0; i < MAX_REVISION_BYTES / 500_000 + 2; i++) await set(state, `big^${i}`, big);
  const { promise, resolve } = Promise.withResolvers<Result>();
  state.propose(deleteCommand(encoder.encode("big"), { tree: true }), 1_000, resolve);
  const { rev } = await promise as { rev: number };
  assert.equal(decodeFetched(await fetchAt(state, { from: rev })), GONE);
  const places = [{ path: "k", tree: true }];
  assert.deepEqual((await fetched(state, { from: rev, places })).changes, []);
});

Deno.test("fetches and answers are what they were, and bytes that are none are nothing", async () => {
  const state = new MemoryState();
  await set(state, "a^ü", "1");
  await set(state, "a^ü", '"b"');
  const fetch: Fetch = { from: 1, places: [{ path: "a^ü", tree: true }], waitMs: 5 };
  assert.deepEqual(decodeFetch(encodeFetch(fetch)), fetch);
  const { changes } = await fetched(state, {});
  const key = changes[0]?.key as Uint8Array;
  const paged = { ...fetch, page: { from: key, to: key } };
  assert.deepEqual(decodeFetch(encodeFetch(paged)), paged);
  for (const wrong of [{ from: -1 }, { waitMs: 60_000 }, { places: Array(129).fill(ALL[0]) }]) {
    assert.equal(decodeFetch(encodeFetch({ ...fetch, ...wrong })), undefined);
  }
  const foreign = { ...fetch, page: { from: Uint8Array.of(0), to: key } };
  assert.equal(decodeFetch(encodeFetch(foreign)), undefined);

  const page = { values: [{ key, text: encoder.encode("1"), rev: 2 }], next: key, rev: 2 };
  const bytes = encodeFetched({ changes, rev: 2, page });
  const read = decodeFetched(bytes) as Fetched;
  assert.deepEqual(read.changes.map(tellable), changes.map(tellable));
  assert.deepEqual([read.page?.next, read.page?.values.length], [key, 1]);
  assert.equal(
    decodeFetched(encodeFetched({ changes: [...changes].reverse(), rev: 2 })),
    undefined,
  );
  assert.equal(decodeFetched(encodeFetched({ changes, rev: 1 })), undefined);
  for (let i = 0; i < bytes.length - 1; i++) {
    const cut = decodeFetched(bytes.subarray(0, i));
    assert.ok(cut === undefined || cut === GONE || cut.page?.values.length !== 1);
  }
  const random = new SeededRandom(1);
  for (let i = 0; i < 2_000; i++) {
    const bent = decodeFetched(mutated(random, bytes));
    if (bent !== undefined && bent !== GONE) bent.changes.map(tellable);
    decodeFetch(mutated(random, encodeFetch(paged)));
  }
});
