import assert from "node:assert/strict";
import { MemoryStore, type Result } from "../../../../cluster/machine/mod.ts";
import { decodeTuple } from "../../../../cluster/machine/store/tuple.ts";
import { dumped, load, shown } from "../../../support/machine/fixture.ts";
import { SessionModel, type Step } from "../../../support/machine/session_model.ts";
import { SessionFixture, shownAnswer } from "../../../support/machine/sessions.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const PROGRAMS = 40;
const STEPS = 600;

/** A result as the model tells it. */
function shownOf({ request, result: wanted }: Step, result: Result | undefined): string {
  const isSwept = wanted === "swept";
  const isAnswer = request !== undefined || wanted?.startsWith("[");
  return isSwept ? "swept" : isAnswer ? shownAnswer(result) : shown(result);
}

/** The ids of the requests whose answers are kept, by the serial number of the session. */
function answersOf({ store }: SessionFixture): [serial: number, id: number][] {
  return store.range(Uint8Array.of(0x15, 1, 0x15, 4), Uint8Array.of(0x15, 1, 0x15, 5), 1e9)
    .map(({ key }) => decodeTuple(key).slice(2) as [number, number]);
}

Deno.test("sessions do what the plainest model does, through restarts, dumps and loads", () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const random = new SeededRandom(seed);
    const model = new SessionModel(random);
    let fixture = new SessionFixture();
    /** What each request was answered first, over all of history. */
    const answers = new Map<string, string>();
    const floors = new Map<string, number>();
    for (let i = 0; i < STEPS; i++) {
      const step = model.next();
      const [result] = fixture.apply(step.bytes);
      if (step.result !== undefined) {
        const got = shownOf(step, result);
        assert.equal(got, step.result, `seed ${seed}, step ${i}`);
        const kind = got.replace(/\d+ rev \d+|\{.*/, "done");
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
      if (step.request !== undefined && result?.ok) {
        const name = Object.values(step.request).join();
        const first = answers.get(name) ?? shownAnswer(result);
        assert.equal(shownAnswer(result), first, `seed ${seed}, step ${i}, request ${name}`);
        answers.set(name, first);
      }
      if (i % 20 > 0) continue;
      assert.deepEqual(model.differences(fixture), [], `seed ${seed}, step ${i}`);
      for (const [number, { life }] of model.sessions) {
        const { floor } = fixture.info(number);
        assert.ok(floor >= (floors.get(`${number},${life}`) ?? 0));
        floors.set(`${number},${life}`, floor);
      }
      const kept = model.sessions.size === 0 ? 0 : answersOf(fixture).length;
      const wanted = [...model.sessions.values()].reduce((sum, one) => sum + one.answers.size, 0);
      assert.equal(kept, wanted);
      if (random.float() < 0.1) fixture.restart();
      if (random.float() < 0.1) {
        const { time } = fixture;
        const store = new MemoryStore();
        load(store, dumped(fixture.store), 1_000);
        fixture = new SessionFixture(store);
        fixture.time = time;
      }
    }
    assert.ok(countsBeyond(fixture, 0).length > 10, `seed ${seed}`);
    assert.deepEqual(countsBeyond(fixture, 1), [], `seed ${seed}`);
  }
  const kinds = ["[410 SESSION_EXPIRED]", "[410 RESPONSE_EVICTED]", "[429 TOO_MANY_IN_FLIGHT]"];
  for (const kind of [...kinds, "done", "swept", "404 WATCH_NOT_FOUND", '"OK" rev 0']) {
    assert.ok((seen.get(kind) ?? 0) > 20, `${kind}: ${seen.get(kind)}`);
  }
});

/** The counters of single requests that were counted more often than so. */
function countsBeyond({ store }: SessionFixture, most: number): number[] {
  const from = Uint8Array.of(0x15, 2, 0x15, 1, 2, 0x78, 0);
  return store.range(from, Uint8Array.of(...from.slice(0, -1), 1), 1e9)
    .map(({ value }) => Number(new TextDecoder().decode(value.subarray(9))))
    .filter((count) => !(count <= most));
}

Deno.test("states are equal however entries were batched, and wherever they were restarted or loaded", () => {
  for (let seed = 100; seed < 120; seed++) {
    const random = new SeededRandom(seed);
    const model = new SessionModel(random);
    const commands = Array.from({ length: STEPS }, () => model.next().bytes);
    const one = new SessionFixture();
    const results = one.apply(...commands);
    let other = new SessionFixture();
    const others: (Result | undefined)[] = [];
    while (others.length < commands.length) {
      const batch = commands.slice(others.length, others.length + 1 + below(random, 40));
      others.push(...other.apply(...batch));
      if (random.float() < 0.3) other.restart();
      if (random.float() < 0.3) {
        const store = new MemoryStore();
        load(store, dumped(other.store));
        const { time } = other;
        other = new SessionFixture(store);
        other.time = time;
      }
    }
    assert.deepEqual(others.map(shown), results.map(shown), `seed ${seed}`);
    assert.deepEqual(dumped(other.store), dumped(one.store), `seed ${seed}`);
  }
});
