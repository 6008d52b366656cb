import assert from "node:assert/strict";
import { type Coordinate, distance } from "../../../cluster/coordinate/mod.ts";
import { startBackgroundTasks } from "../../../cluster/serf/background.ts";
import { Healer } from "../../../cluster/serf/healer.ts";
import { decodeCoordinate, encodeCoordinate } from "../../../cluster/serf/coordinates.ts";
import { type Fixture, fixture, hex, node, unhex } from "../../support/serf/fixture.ts";
import { type Agent, Network } from "../../support/serf/simulated.ts";
import samples from "../../vectors/serf.json" with { type: "json" };

const ORIGIN: Coordinate = {
  vec: [0, 0, 0, 0, 0, 0, 0, 0],
  error: 1.5,
  adjustment: 0,
  height: 1e-5,
};

const payloads = samples.filter(({ name }) => name.startsWith("ping-payload/coordinate"));

function withPeer(): Fixture {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.logs.length = 0;
  return f;
}

Deno.test("the payloads of Go agents are read, and written again byte by byte", () => {
  assert.equal(payloads.length, 2);
  for (const { hex: text, decoded } of payloads) {
    const { Vec, Error: error, Adjustment, Height } = decoded.Coordinate as NonNullable<
      typeof decoded.Coordinate
    >;
    const coordinate = { vec: Vec, error, adjustment: Adjustment, height: Height };
    assert.deepEqual(decodeCoordinate(unhex(text)), coordinate);
    assert.equal(hex(encodeCoordinate(coordinate)), text);
  }
});

Deno.test("acks to pings carry the own coordinate in 130 bytes", () => {
  const payload = fixture().delegate.ackPayload();
  assert.equal(payload?.length, 130);
  assert.deepEqual(decodeCoordinate(payload), ORIGIN);
});

Deno.test("an answered ping moves the own coordinate and tells the other's", () => {
  const { core, delegate } = withPeer();
  const told = { ...ORIGIN, vec: [0.01, 0, 0, 0, 0, 0, 0, 0] };
  delegate.notifyPingComplete(node("b"), 30, encodeCoordinate(told));
  assert.deepEqual(core.coordinates?.get("b"), told);
  assert.notDeepEqual(core.coordinates?.own, ORIGIN);
  assert.deepEqual(decodeCoordinate(delegate.ackPayload()!), core.coordinates?.own);
  assert.equal(core.tally.counters.coordinateZeroRtt, 0);
  delegate.notifyPingComplete(node("b"), 0, encodeCoordinate(told));
  assert.equal(core.tally.counters.coordinateZeroRtt, 1);
});

Deno.test("payloads that are no coordinate are logged, change nothing and throw nothing", async () => {
  const { core, clock, delegate, logs } = withPeer();
  const good = payloads[0]!.hex;
  const cases: [payload: string, log: RegExp | undefined][] = [
    ["", undefined],
    ["02" + good.slice(2), /^\[ERR\] Unsupported ping version: 2/],
    ["01", /^\[ERR\] Failed to decode coordinate/],
    [good.slice(0, 200), /^\[ERR\] Failed to decode coordinate/],
    ["01a3666f6f", /^\[ERR\] Failed to decode coordinate/],
    ["0180", /^\[DEBUG\] Rejected coordinate from b: dimensions aren't compatible/],
  ];
  for (const [payload, log] of cases) {
    await clock.advance(1_000);
    logs.length = 0;
    delegate.notifyPingComplete(node("b"), 1, unhex(payload));
    assert.equal(logs.length, log === undefined ? 0 : 1, payload);
    if (log !== undefined) assert.match(logs[0]!, log);
  }
  assert.deepEqual(core.coordinates?.own, ORIGIN);
  assert.equal(core.coordinates?.get("b"), undefined);
});

Deno.test("NaN, infinity, another dimension and impossible times are rejected and counted", () => {
  const { core, delegate } = withPeer();
  const report = (told: Partial<Coordinate>, rttMs = 1): void =>
    delegate.notifyPingComplete(node("b"), rttMs, encodeCoordinate({ ...ORIGIN, ...told }));
  report({ vec: [NaN, 0, 0, 0, 0, 0, 0, 0] });
  report({ error: Infinity });
  report({ adjustment: -Infinity });
  report({ height: NaN });
  report({ vec: [0, 0, 0] });
  report({}, 10_001);
  assert.equal(core.tally.counters.coordinateRejected, 6);
  assert.deepEqual(core.coordinates?.own, ORIGIN);
  assert.equal(core.coordinates?.get("b"), undefined);
});

Deno.test("a member that is erased is forgotten, and an ack that comes later is ignored", async () => {
  const f = fixture({ config: { reconnectIntervalMs: 0, reconnectTimeoutMs: 1_000 } });
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyPingComplete(node("b"), 30, encodeCoordinate(ORIGIN));
  f.delegate.notifyLeave(node("b"));
  assert.ok(f.core.coordinates?.get("b") !== undefined, "A failed member keeps its place");
  startBackgroundTasks(f.core, new Healer(f.core));
  await f.clock.advance(f.core.config.reconnectTimeoutMs + f.core.config.reapIntervalMs);
  assert.equal(f.core.members.get("b"), undefined);
  assert.equal(f.core.coordinates?.get("b"), undefined);
  f.delegate.notifyPingComplete(node("b"), 30, encodeCoordinate(ORIGIN));
  assert.equal(f.core.coordinates?.get("b"), undefined);
});

Deno.test("without coordinates acks carry nothing and those of others are ignored", () => {
  const { core, delegate, logs } = fixture({ config: { coordinates: false } });
  delegate.notifyJoin(node("b"));
  logs.length = 0;
  assert.equal(delegate.ackPayload(), null);
  for (const payload of [payloads[0]!.hex, "02ff", "01"]) {
    delegate.notifyPingComplete(node("b"), 1, unhex(payload));
  }
  assert.equal(core.coordinates, undefined);
  assert.deepEqual(logs, []);
});

Deno.test("members learn each other's coordinates, and how far apart they are", async () => {
  await using network = new Network();
  network.simulation.setNetwork({ latencyMs: [20, 20] });
  const [a, b] = await network.cluster(["a", "b"]) as [Agent, Agent];
  await network.simulation.runFor(120_000);
  const [at, told] = [a.serf.coordinate(), a.serf.cachedCoordinate("b")];
  assert.equal(a.serf.cachedCoordinate("a"), at);
  assert.equal(a.serf.cachedCoordinate("nobody"), undefined);
  assert.ok(told !== undefined && b.serf.cachedCoordinate("a") !== undefined);
  const rtt = distance(at, told);
  assert.ok(Math.abs(rtt - 0.04) < 0.01, `Estimated ${rtt} s`);
  assert.equal(a.serf.stats().coordinate_resets, "0");
});

Deno.test("an instance without coordinates has none to tell", async () => {
  await using network = new Network();
  const [a, b] = await network.cluster(["a", "b"], { coordinates: false }) as [Agent, Agent];
  await network.simulation.runFor(10_000);
  assert.throws(() => a.serf.coordinate(), {
    name: "CoordinatesDisabledError",
    message: "Coordinates are disabled",
  });
  assert.equal(a.serf.cachedCoordinate("a"), undefined);
  assert.equal(b.serf.cachedCoordinate("a"), undefined);
  assert.ok(!("coordinate_resets" in a.serf.stats()));
});
