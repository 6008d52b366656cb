import assert from "node:assert/strict";
import { Memberlist } from "../../../cluster/memberlist/memberlist.ts";
import type { Metrics } from "../../../cluster/runtime.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { FakeNetwork, PORT } from "../../support/memberlist/fake_network.ts";
import { fakeHost } from "../../support/memberlist/fakes.ts";

/** Keeps what it is told: the sums of counts, and the last values. */
class KeepingMetrics implements Metrics {
  readonly counts = new Map<string, number>();
  readonly gauges = new Map<string, number>();
  readonly samples = new Map<string, number>();

  count(name: string, n = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + n);
  }

  gauge(name: string, value: number): void {
    this.gauges.set(name, value);
  }

  sample(name: string, value: number): void {
    this.samples.set(name, value);
  }
}

function startMeasured(network: FakeNetwork, name: string, host: string) {
  const fake = fakeHost(network, name, host, { overrides: { compression: false } });
  const metrics = new KeepingMetrics();
  const list = new Memberlist(fake.config, { ...fake.runtime, metrics }, fake.delegate);
  list.start();
  return { list, metrics, transport: fake.transport };
}

Deno.test("a node tells the figures of its life under the names of Go's memberlist", async () => {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const a = startMeasured(network, "a", "10.0.0.1");
  const b = startMeasured(network, "b", "10.0.0.2");
  const join = a.list.join([`10.0.0.2:${PORT}`]);
  await clock.advance(100);
  assert.equal(await join, 1);
  assert.equal(a.metrics.counts.get("memberlist.msg.alive"), 2);
  assert.equal(a.metrics.counts.get("memberlist.tcp.connect"), 1);
  assert.equal(b.metrics.counts.get("memberlist.tcp.accept"), 1);
  assert.equal(b.metrics.gauges.get("memberlist.node.instances.alive"), 1);
  assert.equal(
    a.metrics.counts.get("memberlist.tcp.sent"),
    a.metrics.gauges.get("memberlist.size.local"),
    "neither compressed nor encrypted, the state is what is sent",
  );

  await clock.advance(40_000);
  const sent = network.packets.filter(({ from }) => from === "10.0.0.1");
  const bytes = sent.reduce((sum, packet) => sum + packet.bytes.length, 0);
  assert.equal(a.metrics.counts.get("memberlist.udp.sent"), bytes);
  assert.ok((b.metrics.counts.get("memberlist.udp.received") ?? 0) > 0);
  for (const name of ["probeNode", "gossip", "queue.broadcasts", "pushPullNode"]) {
    assert.ok(a.metrics.samples.has(`memberlist.${name}`), name);
  }
  assert.equal(a.metrics.counts.get("memberlist.msg.suspect"), undefined);

  await b.list.shutdown();
  await clock.advance(60_000);
  assert.equal(a.metrics.counts.get("memberlist.msg.suspect"), 1);
  assert.equal(a.metrics.counts.get("memberlist.msg.dead"), 1);
  assert.ok((a.metrics.counts.get("memberlist.degraded.probe") ?? 0) > 0);
  assert.ok((a.metrics.gauges.get("memberlist.health.score") ?? 0) > 0);
  await a.list.shutdown();
});
