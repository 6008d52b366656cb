import assert from "node:assert/strict";
import { compilePattern, loadPatterns } from "../../../cluster/serf/model/pattern.ts";
import { fixture, node, unhex } from "../../support/serf/fixture.ts";
import samples from "../../vectors/serf.json" with { type: "json" };

await loadPatterns();

const ROUNDS = 20_000;

/** Numbers that are the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  for (;;) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    yield seed >>> 8;
  }
}

/** A copy with some bytes changed, cut off or put in. */
function mutate(bytes: Uint8Array, draw: () => number): Uint8Array {
  const mutated = [...bytes];
  for (let i = 1 + draw() % 4; i > 0; i--) {
    const at = draw() % (mutated.length + 1);
    const kind = draw() % 4;
    if (kind === 0) mutated[at] = draw() & 0xff;
    else if (kind === 1) mutated.splice(at, 1 + draw() % 8);
    else if (kind === 2) mutated.splice(at, 0, draw() & 0xff, 0xc0 | (draw() & 0x1f));
    else mutated.length = at;
  }
  return Uint8Array.from(mutated);
}

Deno.test("no bytes that a peer may send make the agent throw", async () => {
  const source = numbers(1);
  const draw = () => source.next().value;
  const seeds = samples.map((sample) => unhex(sample.hex));
  const f = fixture({ name: "a", numAlive: 3 });
  for (let i = 0; i < ROUNDS; i++) {
    const bytes = mutate(seeds[draw() % seeds.length] as Uint8Array, draw);
    f.delegate.notifyMessage(bytes);
    if (i % 4 === 0) f.delegate.mergeRemoteState(bytes, true);
    if (i % 16 === 0) f.delegate.notifyUpdate(node("a", { meta: bytes.subarray(0, 512) }));
    if (i % 1_000 === 0) {
      f.delegate.localState(false);
      f.gossip();
      f.events.length = 0;
      f.sent.length = 0;
      f.logs.length = 0;
      await f.clock.advance(1_000);
    }
  }
  assert.deepEqual(f.core.members.get("a")?.name, "a");
});

Deno.test("any text is a pattern or is refused", () => {
  const source = numbers(2);
  const draw = () => source.next().value;
  const alphabet = [
    ..."ab\\pPQEzdwxUi-:?<>()[]{}^$.*+|,019 \n",
    "é",
    "🦕",
    "[:",
    ":]",
    "(?",
    "\\Q",
  ];
  for (let i = 0; i < ROUNDS; i++) {
    const length = draw() % 24;
    const text = Array.from({ length }, () => alphabet[draw() % alphabet.length]).join("");
    try {
      compilePattern(text).test("ab 019-é🦕");
    } catch (error) {
      assert.equal((error as Error).name, "PatternError", text);
    }
  }
});
