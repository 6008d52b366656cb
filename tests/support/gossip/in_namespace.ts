/**
 * What `network_test.ts` runs in a namespace with `docker0` (172.17.0.1) and `card0` (10.1.2.3, fd00:99::1), which has the
 * default route.
 *
 * @module
 */

import assert from "node:assert/strict";
import { addrToHost } from "../../../protocol/ip.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { newestSerf, runCli, serf, startAgent } from "../agents.ts";

const cards = new Set(Deno.networkInterfaces().map(({ name }) => name));
assert.deepEqual([...cards].sort(), ["cable", "card0", "container", "docker0", "lo"]);

/** Changes the network, step by step; the tests follow each other. */
function change(...commands: string[]): void {
  for (const command of commands) {
    const [program = "", ...args] = command.split(" ");
    const { success, stderr } = new Deno.Command(program, { args }).outputSync();
    assert.ok(success, `${command}: ${new TextDecoder().decode(stderr)}`);
  }
}

/** What an agent on all addresses tells others, and whether it hears IPv4 and IPv6 on both protocols and on RPC. */
async function told(bind: string): Promise<{ address: string; hears: string[] }> {
  await using agent = await Agent.start({ nodeName: "a", bind, profile: "local" });
  await using rpc = agent.listenRpc(bind);
  const hears: string[] = [];
  for (const host of ["127.0.0.1", "::1"]) {
    await using other = await Agent.start({
      nodeName: host,
      bind: host.includes(":") ? `[${host}]:0` : `${host}:0`,
      profile: "local",
    });
    const joined = await other.join([`[${host}]:${agent.address.port}`]).catch(() => 0);
    const pong = joined > 0 && await other.serf.memberlist.ping("a", {
      host,
      port: agent.address.port,
    }).then(() => true, () => false);
    const dialled = await Deno.connect({ hostname: host, port: rpc.address.port })
      .then((conn) => conn.close(), () => "refused");
    if (pong && dialled === undefined) hears.push(host);
  }
  return { address: addrToHost(agent.serf.localMember().addr), hears };
}

/** What Go's agents tell others. */
async function toldByGo(): Promise<string[]> {
  const addresses: string[] = [];
  for (const program of [serf, newestSerf]) {
    if (program === undefined) continue;
    await using go = await startAgent(program, { name: "g", host: "0.0.0.0" });
    const { stdout } = await runCli(program, ["members", "-format=json"], go.rpc);
    const { members: [own] } = JSON.parse(stdout) as { members: { addr: string }[] };
    addresses.push(own?.addr.replace(/:\d+$/, "").replace(/^\[|\]$/g, "") ?? stdout);
  }
  return addresses;
}

async function check(expected: string): Promise<void> {
  assert.deepEqual(await told("0.0.0.0:0"), { address: expected, hears: ["127.0.0.1", "::1"] });
  assert.deepEqual(await told("[::]:0"), { address: expected, hears: ["127.0.0.1", "::1"] });
  for (const address of await toldByGo()) assert.equal(address, expected);
}

Deno.test("the interface with the default route comes first", () => check("10.1.2.3"));

Deno.test("without a default route the larger network comes first", async () => {
  change("ip route del default");
  await check("172.17.0.1");
});

Deno.test("an interface that is down does not count", async () => {
  change("ip link set docker0 down");
  await check("10.1.2.3");
});

Deno.test("without private IPv4 a private IPv6 address is told, and listened on", async () => {
  change("ip addr del 10.1.2.3/24 dev card0");
  await check("fd00:99::1");
});

Deno.test("where the system keeps the families apart, none is told that is not listened on", async () => {
  change("sysctl -qw net.ipv6.bindv6only=1");
  assert.deepEqual(await told("[::]:0"), { address: "fd00:99::1", hears: ["::1"] });
  await assert.rejects(told("0.0.0.0:0"), /no private IP address found/);
  change("ip addr add 10.1.2.3/24 dev card0");
  assert.deepEqual(await told("[::]:0"), { address: "fd00:99::1", hears: ["::1"] });
  assert.deepEqual(await told("0.0.0.0:0"), { address: "10.1.2.3", hears: ["127.0.0.1"] });
});
