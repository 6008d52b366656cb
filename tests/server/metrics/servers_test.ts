import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { decodeUtf8 } from "../../../protocol/text.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { AgentMetrics } from "../../../server/metrics/agent_metrics.ts";
import { connectStatsite, datagramsOf } from "../../../server/metrics/connections.ts";
import { LineSink, QUEUE_LIMIT } from "../../../server/metrics/line_sink.ts";
import { sendMetrics } from "../../../server/metrics/servers.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

Deno.test("a statsd server gets datagrams of whole lines, each at most 1400 bytes", async () => {
  const server = createSocket("udp4");
  const datagrams: string[] = [];
  server.on("message", (bytes) => datagrams.push(bytes.toString()));
  await new Promise<void>((resolve) => server.bind(0, HOST, resolve));
  const statsdAddr = `${HOST}:${server.address().port}`;
  const metrics = new AgentMetrics();
  const log = new AgentLog("a");
  {
    await using _sending = sendMetrics(metrics, { statsdAddr, statsiteAddr: "" }, log);
    for (let i = 0; i < 100; i++) metrics.count(`serf.events.number-${i}`);
    const last = "serf-agent.serf.events.number-99:1.000000|c\n";
    await eventually("the last line", () => datagrams.at(-1)?.endsWith(last));
  }
  metrics.count("after");
  assert.ok(datagrams.length >= 4 && datagrams.every(({ length }) => length <= 1_400));
  const lines = datagrams.join("").split("\n").filter((line) => !/runtime\.|^$/.test(line));
  const wanted = Array.from(
    { length: 100 },
    (_, i) => `serf-agent.serf.events.number-${i}:1.000000|c`,
  );
  assert.deepEqual(lines, wanted);
  await new Promise<void>((resolve) => server.close(resolve));
});

Deno.test("lines are split between datagrams by their bytes", () => {
  const line = `${"ü".repeat(100)}\n`;
  const sizes = datagramsOf(Array(10).fill(line)).map(({ length }) => length);
  assert.deepEqual(sizes, [1_206, 804]);
  assert.deepEqual(datagramsOf([]), []);
  const latin1 = datagramsOf(Array(2_000).fill("\udce9"));
  assert.deepEqual(latin1.map((datagram) => [datagram.length, datagram.every((b) => b === 0xe9)]), [
    [1_400, true],
    [600, true],
  ]);
  assert.deepEqual(datagramsOf(["x".repeat(2_000), "y"]).map(({ length }) => length), [2_000, 1]);
});

/** Reads what one connection brings until `wanted` is part of it. */
async function readUntil(connection: Deno.Conn, wanted: string): Promise<string> {
  let text = "";
  const chunk = new Uint8Array(4_096);
  while (!text.includes(wanted)) {
    const length = await connection.read(chunk);
    assert.ok(length !== null, `ended after ${text}`);
    text += decodeUtf8(chunk.subarray(0, length));
  }
  return text;
}

Deno.test("a statsite server gets the same lines, and gets them again after it came back", async () => {
  const first = Deno.listen({ hostname: HOST, port: 0 });
  const { port } = first.addr;
  const told: string[] = [];
  const address = `${HOST}:${port}`;
  await using sink = new LineSink({
    server: "statsite server",
    connect: (signal) => connectStatsite(address, signal),
    warn: (text) => told.push(text),
    retryMs: 50,
  });
  {
    using connection = await first.accept();
    sink.push("a:1.000000|c\n");
    sink.push("\udce9b:2.000000|c\n");
    assert.equal(await readUntil(connection, "b:"), "a:1.000000|c\n\udce9b:2.000000|c\n");
  }
  first.close();
  await eventually("the loss", () => {
    sink.push("lost:1.000000|c\n");
    return told.length > 0;
  });
  await eventually("lines that are dropped", () => {
    sink.push("lost:1.000000|c\n");
    return sink.dropped > 0;
  });
  assert.match(told[0] ?? "", /^Cannot reach the statsite server: .*; trying again every 50ms$/);
  using second = Deno.listen({ hostname: HOST, port });
  using connection = await second.accept();
  sink.push("back:1.000000|c\n");
  await readUntil(connection, "back:");
  assert.equal(told.length, 1, "told once");
});

Deno.test("a server that reads nothing costs a bounded number of lines, and no time at the end", async () => {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  const statsiteAddr = `${HOST}:${listener.addr.port}`;
  const sink = new LineSink({
    server: "statsite server",
    connect: (signal) => connectStatsite(statsiteAddr, signal),
    warn: () => {},
  });
  using _connection = await listener.accept();
  const line = `${"x".repeat(4_000)}:1.000000|c\n`;
  await eventually("a full queue", () => {
    for (let i = 0; i < QUEUE_LIMIT; i++) sink.push(line);
    return sink.dropped > 10 * QUEUE_LIMIT;
  });
  const started = performance.now();
  await sink[Symbol.asyncDispose]();
  assert.ok(performance.now() - started < 5_000);
});

Deno.test("a server that is not there, or whose address is none, keeps nobody waiting", async () => {
  const log = new AgentLog("a");
  const metrics = new AgentMetrics();
  const settings = { statsdAddr: "no-port", statsiteAddr: `${HOST}:1` };
  {
    await using _sending = sendMetrics(metrics, settings, log);
    await eventually("both lines", () => log.lines("WARN").length === 2);
  }
  const lines = log.lines().map((line) => line.slice(20)).sort();
  assert.match(
    lines[0] ?? "",
    /^\[WARN\] agent: Cannot reach the statsd server 'no-port': .* port/,
  );
  assert.match(
    lines[1] ?? "",
    new RegExp(`^\\[WARN\\] agent: Cannot reach the statsite server '${HOST}:1': `),
  );
});
