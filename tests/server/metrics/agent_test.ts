/**
 * The figures of a real agent: what a statsd server gets to see of a small life, under the names that Serf's agent uses.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { RpcClient } from "../../../client/mod.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

/** Names that one join, one event, one query, a probe and an RPC client lead to, as seen of serf 0.10.2-dev. */
const COUNTERS = [
  "agent.ipc.accept",
  "agent.ipc.command",
  "memberlist.msg.alive",
  "memberlist.tcp.accept",
  "memberlist.tcp.connect",
  "memberlist.tcp.sent",
  "memberlist.udp.received",
  "memberlist.udp.sent",
  "serf.events",
  "serf.events.deploy",
  "serf.member.join",
  "serf.queries",
  "serf.queries.load",
  "serf.query_acks",
  "serf.query_responses",
].map((name) => `serf-agent.${name}|c`);

const SAMPLES = [
  "agent.invoke.echo_hi",
  "memberlist.gossip",
  "memberlist.probeNode",
  "memberlist.size.remote",
  "serf.coordinate.adjustment-ms",
  "serf.msgs.received",
  "serf.msgs.sent",
].map((name) => `serf-agent.${name}|ms`);

const GAUGES = [
  "memberlist.node.instances.alive",
  "memberlist.node.instances.dead",
  "memberlist.node.instances.left",
  "memberlist.node.instances.suspect",
  "memberlist.size.local",
  "runtime.alloc_bytes",
  "runtime.sys_bytes",
].map((name) => `serf-agent.${Deno.hostname().replaceAll(/[\s:]/g, "_")}.${name}|g`);

Deno.test("a statsd server sees the same names as from Serf's agent", async () => {
  const seen = new Set<string>();
  const server = createSocket("udp4");
  server.on("message", (bytes) => {
    for (const line of bytes.toString().split("\n")) {
      if (line === "") continue;
      assert.match(line, /^serf-agent\.[^:|\s]+:-?\d+\.\d{6}\|(c|g|ms)$/);
      seen.add(line.replace(/:[^|]*/, ""));
    }
  });
  await new Promise<void>((resolve) => server.bind(0, HOST, resolve));
  {
    const encryptKey = btoa("0123456789abcdef");
    const settings = { bind: `${HOST}:0`, profile: "local", encryptKey };
    await using agent = await Agent.start({
      ...settings,
      nodeName: "a",
      rpcAddr: `${HOST}:0`,
      statsdAddr: `${HOST}:${server.address().port}`,
      eventHandlers: ["query:load=echo hi"],
    });
    await using other = await Agent.start({ ...settings, nodeName: "b" });
    const { address } = agent.listenRpc();
    await using client = await RpcClient.connect({
      address: `${address.hostname}:${address.port}`,
    });
    await client.join([`${HOST}:${other.address.port}`]);
    await other.join([`${HOST}:${agent.address.port}`]);
    agent.event("deploy", null, { coalesce: false });
    void agent.query("load", null, { requestAck: true });
    const wanted = [...COUNTERS, ...SAMPLES, ...GAUGES];
    await eventually(
      "every name",
      () => {
        const missing = wanted.filter((name) => !seen.has(name));
        if (missing.length > 0) throw new Error(`Missing: ${missing.join(", ")}`);
        return true;
      },
    );
  }
  await new Promise<void>((resolve) => server.close(resolve));
});

Deno.test("without a server figures are added up for a dump all the same", async () => {
  await using agent = await Agent.start({ nodeName: "a", bind: `${HOST}:0`, profile: "local" });
  assert.equal(agent.metrics.dump(), "", "no interval is over yet");
});
