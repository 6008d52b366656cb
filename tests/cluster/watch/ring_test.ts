/**
 * The last changes, beside a list of all of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { ChangeKind, NodeChange } from "../../../cluster/machine/mod.ts";
import { ChangeRing, type Cursor } from "../../../cluster/watch/ring.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const SEED = Math.floor(Math.random() * 2 ** 32);
const KINDS: readonly ChangeKind[] = ["set", "del", "expire"];

function bytes(random: SeededRandom, most: number): Uint8Array {
  return Uint8Array.from(
    { length: Math.floor(random.float() * most) },
    () => random.float() * 256,
  );
}

/** Everything from a place on, copied: the ring uses its blocks again. */
function rest(ring: ChangeRing, from: Cursor): NodeChange[] {
  const cursor = { ...from };
  const found: NodeChange[] = [];
  for (let one = ring.read(cursor); one !== undefined; one = ring.read(cursor)) {
    const { key, text, before } = one;
    found.push({ ...one, key: key.slice(), text: text.slice(), before: before?.slice() });
  }
  return found;
}

Deno.test("whatever changes, each revision that is kept can be gone on from, without a gap", () => {
  const random = new SeededRandom(SEED, 1);
  for (let round = 0; round < 30; round++) {
    const limits = {
      changes: 1 + Math.floor(random.float() * 60),
      bytes: 2_000 + Math.floor(random.float() * 8_000),
      blockBytes: 100 + Math.floor(random.float() * 900),
    };
    const ring = new ChangeRing(limits);
    const start = Math.floor(random.float() * 2 ** 40);
    ring.reset(start);
    const all: NodeChange[] = [];
    let rev = start;
    for (let command = 0; command < 200; command++) {
      // Some revisions change no value.
      rev += random.float() < 0.1 ? 2 : 1;
      const count = random.float() < 0.2 ? Math.floor(random.float() * 12) : 1;
      for (let i = 0; i < count; i++) {
        const change: NodeChange = {
          key: bytes(random, 60),
          kind: KINDS[Math.floor(random.float() * 3)] as ChangeKind,
          rev,
          text: bytes(random, random.float() < 0.05 ? 3_000 : 40),
          before: random.float() < 0.5 ? undefined : bytes(random, 40),
        };
        ring.append(change);
        all.push(change);
      }
      if (command % 20 !== 0) continue;
      const shown = `seed ${SEED}, round ${round}, command ${command}`;
      assert.ok(ring.floor >= start && ring.floor <= rev, shown);
      for (let from = Math.max(start, rev - 80); from <= rev + 1; from++) {
        const cursor = ring.seek(from);
        assert.equal(cursor === undefined, from <= ring.floor, shown);
        if (cursor === undefined) continue;
        assert.deepEqual(rest(ring, cursor), all.filter((one) => one.rev >= from), shown);
      }
      assert.deepEqual(rest(ring, ring.end()), [], shown);
    }
  }
});

Deno.test("at least so many changes as are wanted stay, when there is room, and no more bytes than may be", () => {
  const change = (rev: number, size: number): NodeChange => ({
    key: new Uint8Array(9),
    kind: "set",
    rev,
    text: new Uint8Array(size),
    before: undefined,
  });
  const roomy = new ChangeRing({ changes: 100, bytes: 1_000_000, blockBytes: 300 });
  for (let rev = 1; rev <= 1_000; rev++) roomy.append(change(rev, 0));
  assert.ok(roomy.count >= 100 && roomy.count <= 120, `${roomy.count}`);
  const tight = new ChangeRing({ changes: 100, bytes: 3_000, blockBytes: 1_000 });
  for (let rev = 1; rev <= 1_000; rev++) tight.append(change(rev, 470));
  assert.ok(tight.count >= 4 && tight.count <= 6, `${tight.count}`);
  assert.equal(tight.floor, 1_000 - tight.count);
});

Deno.test("a place is known to be gone with its block, and with all that was there", () => {
  const ring = new ChangeRing({ changes: 2, bytes: 200, blockBytes: 100 });
  const empty = ring.end();
  ring.reset(5);
  assert.ok(ring.isGone(empty));
  const first = ring.end();
  for (let rev = 6; rev < 16; rev++) {
    ring.append({
      key: new Uint8Array(60),
      kind: "del",
      rev,
      text: new Uint8Array(),
      before: undefined,
    });
  }
  assert.ok(ring.isGone(first));
  assert.ok(!ring.isGone(ring.end()));
  assert.equal(ring.seek(6), undefined);
});
