import assert from "node:assert/strict";
import {
  type Coordinate,
  CoordinateClient,
  CoordinateError,
  DIMENSIONS,
  distance,
} from "../../../cluster/coordinate/mod.ts";
import vectors from "../../vectors/coordinate.json" with { type: "json" };

interface GoCoordinate {
  Vec: number[];
  Error: number;
  Adjustment: number;
  Height: number;
}

const fromGo = ({ Vec, Error: error, Adjustment, Height }: GoCoordinate): Coordinate => ({
  vec: Vec,
  error,
  adjustment: Adjustment,
  height: Height,
});

/** As Go's Duration.Seconds. */
const seconds = (ns: number): number => Math.trunc(ns / 1e9) + ns % 1e9 / 1e9;

const fixed = { float: () => 0.75, bytes: (length: number) => new Uint8Array(length) };
const at = (x: number, more: Partial<Coordinate> = {}): Coordinate => ({
  vec: [x, 0, 0, 0, 0, 0, 0, 0],
  error: 1.5,
  adjustment: 0,
  height: 1e-5,
  ...more,
});

Deno.test("distance() gives the nanoseconds of the Go agent", () => {
  for (const { a, b, distance_ns } of vectors.distances) {
    assert.equal(distance(fromGo(a), fromGo(b)), seconds(distance_ns));
  }
});

Deno.test("a client follows the Go agent's through 37 updates, bit for bit", () => {
  const client = new CoordinateClient(fixed, fromGo(vectors.start));
  assert.equal(vectors.steps.length, 37);
  for (const [i, step] of vectors.steps.entries()) {
    const update = () => client.update(step.node, fromGo(step.other), seconds(step.rtt_ns));
    if (step.result === null) {
      const before = client.coordinate;
      assert.throws(update, CoordinateError, `step ${i}`);
      assert.equal(client.coordinate, before, `step ${i}`);
    } else {
      assert.equal(update(), client.coordinate);
      const far = distance(client.coordinate, fromGo(step.other));
      assert.equal(far, seconds(step.distance_to_other_after_ns), `step ${i}`);
      assert.deepEqual(client.coordinate, fromGo(step.result), `step ${i}`);
    }
    assert.equal(client.resets, step.resets);
  }
});

Deno.test("a client starts at the origin", () => {
  assert.deepEqual(new CoordinateClient(fixed).coordinate, at(0));
});

Deno.test("a client refuses what is no place and no time, and stays where it is", () => {
  const client = new CoordinateClient(fixed);
  const before = client.coordinate;
  for (const bad of [NaN, Infinity, -Infinity]) {
    const invalid = { name: "CoordinateError", message: "coordinate is invalid" };
    assert.throws(() => client.update("n", at(bad), 0.01), invalid);
    assert.throws(() => client.update("n", at(0, { error: bad }), 0.01), invalid);
    assert.throws(() => client.update("n", at(0, { adjustment: bad }), 0.01), invalid);
    assert.throws(() => client.update("n", at(0, { height: bad }), 0.01), invalid);
    assert.throws(() => client.update("n", at(0), bad), /round trip time not in valid range/);
  }
  for (const vec of [[], [0, 0, 0], new Array(DIMENSIONS + 1).fill(0)]) {
    assert.throws(() => client.update("n", at(0, { vec }), 0.01), /dimensions aren't compatible/);
    assert.throws(() => distance(at(0), at(0, { vec })), /dimensions aren't compatible/);
  }
  assert.equal(client.coordinate, before);
});

Deno.test("two nodes at one place part in a direction that the random source gives", () => {
  const client = new CoordinateClient(fixed);
  const { vec, height } = client.update("n", at(0), 0.08);
  assert.ok((vec[0] as number) > 0.001);
  assert.ok(vec.every((component) => component === vec[0]), "Every draw was 0.75");
  assert.equal(height, 1e-5);
});

Deno.test("a direction too short to be one leads along the first axis", () => {
  const client = new CoordinateClient({ ...fixed, float: () => 0.5 });
  const { vec } = client.update("n", at(0), 0.08);
  assert.ok((vec[0] as number) > 0.001);
  assert.deepEqual(vec.slice(1), [0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("a coordinate that is out of bounds begins anew, and that is counted", () => {
  const client = new CoordinateClient(fixed);
  assert.deepEqual(client.update("n", at(1e300), 0.01), at(0));
  assert.equal(client.resets, 1);
});

Deno.test("a forgotten node's round trips count no more", () => {
  const kept = new CoordinateClient(fixed);
  const forgetful = new CoordinateClient(fixed);
  for (const client of [kept, forgetful]) client.update("n", at(0.1), 0.5);
  forgetful.forget("n");
  assert.notDeepEqual(
    kept.update("n", at(0.1), 0.001),
    forgetful.update("n", at(0.1), 0.001),
    "Of two round trips the longer one counts",
  );
});

Deno.test("estimates of three nodes come near their round trips", () => {
  let seed = 1;
  const float = (): number => (seed = seed * 16807 % 2147483647) / 2147483647;
  const clients = [0, 1, 2].map(() => new CoordinateClient({ ...fixed, float }));
  const rtts = [[0, 0.02, 0.05], [0.02, 0, 0.04], [0.05, 0.04, 0]];
  const pairs = [0, 1, 2].flatMap((i) => [0, 1, 2].filter((j) => j !== i).map((j) => [i, j]));
  for (let round = 0; round < 300; round++) {
    for (const [i, j] of pairs as [number, number][]) {
      clients[i]!.update(`n${j}`, clients[j]!.coordinate, rtts[i]![j]!);
    }
  }
  for (const [i, j] of pairs as [number, number][]) {
    const estimate = distance(clients[i]!.coordinate, clients[j]!.coordinate);
    assert.ok(Math.abs(estimate - rtts[i]![j]!) < 0.005, `${i} to ${j}: ${estimate}`);
  }
});
