/**
 * What every port gets from `server/net/`, shown by one that answers lines.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LINGER_MS } from "../../../server/net/limits.ts";
import { SharedBacklog } from "../../../server/net/outbox.ts";
import { loopback } from "../../support/loopback.ts";
import { TlsServer } from "../../../server/net/wire/tls.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../support/net/certificate.ts";
import { LineClient } from "../../support/net/line_client.ts";
import { LIMITS, LinePort } from "../../support/net/line_port.ts";
import { turn } from "../../support/net/slow_sink.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

/** More than the kernel takes for a client that does not read. */
const KERNEL_TAKES = 16 * 1024 * 1024;

function listen(): Deno.TcpListener {
  return Deno.listen({ hostname: HOST, port: 0 });
}

Deno.test("lines are answered in order, however the network cuts them", async () => {
  await using port = new LinePort(listen());
  using client = await LineClient.connect(port.address);
  const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i}`);
  await client.send(lines.join("\n") + "\nha");
  assert.deepEqual(await client.lines(lines.length), lines);
  for (const part of ["l", "f", "\n"]) await client.send(part);
  assert.deepEqual(await client.lines(1), ["half"]);
});

Deno.test("a line waits for the one before it, and those of others do not", async () => {
  await using port = new LinePort(listen());
  using client = await LineClient.connect(port.address);
  using other = await LineClient.connect(port.address);
  await client.send("wait a\nb\n");
  await other.send("c\n");
  assert.deepEqual(await other.lines(1), ["c"]);
  await until(() => port.taken.includes("wait a"));
  assert.ok(!port.taken.includes("b"));
  port.release("a");
  assert.deepEqual(await client.lines(2), ["wait a", "b"]);
});

Deno.test("lines of a client that does not read wait, and none of its answers is lost", async () => {
  await using port = new LinePort(listen());
  using client = await LineClient.connect(port.address);
  const size = 50_000;
  const count = 4 * KERNEL_TAKES / size;
  await client.send(`big ${size}\n`.repeat(count) + "last\n");
  using other = await LineClient.connect(port.address);
  for (let i = 0; i < 20; i++) {
    await other.send("c\n");
    await other.lines(1);
  }
  assert.ok(!port.taken.includes("last"));
  const answers = await client.lines(count + 1);
  assert.ok(answers.slice(0, -1).every(({ length }) => length === size));
  assert.equal(answers.at(-1), "last");
});

Deno.test("records for a client that does not read are dropped, counted and told in sum", async () => {
  await using port = new LinePort(listen());
  using slow = await LineClient.connect(port.address);
  using quick = await LineClient.connect(port.address);
  for (const client of [slow, quick]) {
    await client.send("watch\n");
    await client.lines(1);
  }
  let sent = 0;
  const text = "x".repeat(10_000);
  while (sent * text.length < 2 * KERNEL_TAKES) {
    port.publish(`${sent++} ${text}`);
    const [line] = await quick.lines(1);
    assert.equal(line, `record ${sent - 1} ${text}`, "others are not held up");
  }
  await slow.send("still here\n");
  let got = 0;
  for (let [line] = await slow.lines(1); line !== "still here"; [line] = await slow.lines(1)) got++;
  assert.ok(got < sent);
  assert.deepEqual(port.told, [`${slow.name} has lost ${sent - got}`]);
});

Deno.test("a client that sends no more gets what it has asked for, and no more records", async () => {
  const limits = { ...LIMITS, backlogBytes: Infinity, waitingBytes: Infinity };
  await using port = new LinePort(listen(), { limits });
  using client = await LineClient.connect(port.address);
  await client.send(`watch\nbig ${KERNEL_TAKES}\nwait a\n`);
  await client.finish();
  await until(() => port.taken.includes("wait a"));
  port.publish("first");
  port.release("a");
  await until(() => port.watchers.size === 0);
  assert.deepEqual([port.size, port.freed], [1, 0], "it is still to read");
  port.publish("second");
  assert.equal(
    await client.rest(),
    `watch\n${"x".repeat(KERNEL_TAKES)}\nrecord first\nwait a\n`,
  );
  await until(() => port.size === 0);
  assert.equal(port.freed, 1);
});

Deno.test("the last answer arrives although the client had sent more", async () => {
  await using port = new LinePort(listen());
  for (const last of ["bye", "no!"]) {
    using client = await LineClient.connect(port.address);
    await client.send(`first\n${last}\n` + "more\n".repeat(20_000));
    const answer = last === "bye" ? "bye" : "Line has '!': 'no!'";
    assert.equal(await client.rest(), `first\n${answer}\n`);
  }
  assert.ok(!port.taken.includes("more"));
});

Deno.test("a client that does not go after its last answer is cut off", async () => {
  await using port = new LinePort(listen());
  using client = await LineClient.connect(port.address);
  const started = performance.now();
  await client.send("bye\n");
  await until(() => port.size === 0);
  assert.ok(performance.now() - started >= LINGER_MS - 50);
  assert.equal(port.freed, 1);
});

Deno.test("a fault of the program ends its connection, is told once, and harms no other", async () => {
  await using port = new LinePort(listen());
  using other = await LineClient.connect(port.address);
  for (const bug of ["bug", "late bug"]) {
    using client = await LineClient.connect(port.address);
    await client.send(`a\n${bug}\nb\n`);
    await client.rest();
    await until(() => port.size === 1);
  }
  assert.deepEqual(port.unexpected.map((error) => (error as Error).message), [
    "A fault of the program",
    "A late fault of the program",
  ]);
  assert.ok(!port.taken.includes("b"));
  await other.send("c\n");
  assert.deepEqual(await other.lines(1), ["c"]);
});

Deno.test("a fault at the begin or the end of a conversation is told, too", async () => {
  const fault = () => {
    throw new TypeError("A fault");
  };
  const unexpected: unknown[] = [];
  const onUnexpected = (error: unknown): void => void unexpected.push(error);
  const socket = listen();
  await using port = new LinePort(socket, { open: fault, onUnexpected });
  using client = await LineClient.connect(port.address);
  assert.equal(await client.rest(), "");
  assert.equal(unexpected.length, 1);
  const parser = { push: fault, pending: 0 };
  const conversation = { parser, ended: false, take: fault, finish: fault, close: fault };
  const open = () => ({ ...conversation, fail: fault });
  await using second = new LinePort(listen(), { onUnexpected, open });
  using sender = await LineClient.connect(second.address);
  await sender.send("a\n");
  assert.equal(await sender.rest(), "");
  assert.deepEqual(unexpected.length, 3, "of fail() and of close()");
});

Deno.test("a client that vanishes is no fault of the program", async () => {
  await using port = new LinePort(listen());
  for (const lines of ["", "a\n", "big 9000000\n", "bye\n"]) {
    using client = await LineClient.connect(port.address);
    await client.send(lines);
    await until(() => port.taken.length >= lines.split("\n").length - 1);
  }
  await until(() => port.size === 0);
  assert.deepEqual(port.unexpected, []);
});

Deno.test("a client that takes no byte for too long is disconnected, an idle one is not", async () => {
  await using port = new LinePort(listen(), { stallLimitMs: 300 });
  using idle = await LineClient.connect(port.address);
  using slow = await LineClient.connect(port.address);
  await slow.send(`big ${KERNEL_TAKES}\n`);
  await until(() => port.size === 1);
  assert.deepEqual(port.told, [`${slow.name} stalls`]);
  await idle.send("c\n");
  assert.deepEqual(await idle.lines(1), ["c"]);
});

Deno.test("a stranger cannot fill memory with the beginning of a line, and has its time", async () => {
  const port = new LinePort(listen(), { admission: { strangerMs: 100 } });
  using known = await LineClient.connect(port.address);
  await known.send("a\n");
  assert.deepEqual(await known.lines(1), ["a"]);
  using stranger = await LineClient.connect(port.address);
  await stranger.send("x".repeat(LIMITS.strangerBytes + 600));
  assert.match(await stranger.rest(), /^Message of a stranger takes \d+ or more of 1000 bytes\n$/);
  using silent = await LineClient.connect(port.address);
  assert.equal(await silent.rest(), "");
  assert.ok(port.told.includes("Closed a TCP connection that was silent for 100ms"));
  await known.send("x".repeat(100_000) + "\n");
  assert.equal((await known.lines(1))[0]?.length, 100_000);
  await port.close();
});

Deno.test("messages that are not whole take so much of all clients together, and small ones go on", async () => {
  const unfinished = new SharedBacklog(100_000);
  const port = new LinePort(listen(), { limits: { ...LIMITS, unfinished } });
  const clients: LineClient[] = [];
  for (let i = 0; i < 3; i++) {
    const client = await LineClient.connect(port.address);
    clients.push(client);
    await client.send("a\n");
    await client.lines(1);
  }
  const [first, second, small] = clients as [LineClient, LineClient, LineClient];
  await first.send("x".repeat(90_000));
  await until(() => unfinished.bytes === 90_000);
  await second.send("x".repeat(50_000));
  assert.equal(await second.rest(), "Messages of all clients that are not whole take too much\n");
  await small.send("b".repeat(12_000));
  await small.send("\n");
  assert.equal((await small.lines(1))[0]?.length, 12_000);
  await first.send("\n");
  assert.equal((await first.lines(1))[0]?.length, 90_000);
  for (const client of clients) client[Symbol.dispose]();
  await port.close();
  assert.equal(unfinished.bytes, 0);
});

Deno.test("a port that closes answers what it has taken, takes no more and ends records", async () => {
  const port = new LinePort(listen());
  using client = await LineClient.connect(port.address);
  await client.send("watch\nbig 3000000\nwait a\nb\n");
  const answers = client.rest();
  await until(() => port.taken.includes("wait a"));
  const closed = port.close();
  for (let i = 0; i < 3; i++) await turn();
  port.release("a");
  assert.equal(await answers, `watch\n${"x".repeat(3_000_000)}\nwait a\n`);
  await closed;
  assert.deepEqual([port.size, port.watchers.size, port.freed], [0, 0, 1]);
  await assert.rejects(LineClient.connect(port.address), Deno.errors.ConnectionRefused);
});

Deno.test("a port that closes does not wait for ever", async () => {
  const port = new LinePort(listen(), { drainLimitMs: 50 });
  using client = await LineClient.connect(port.address);
  await client.send("wait a\n");
  await until(() => port.taken.length === 1);
  await port.close();
  assert.equal(await client.rest(), "");
  port.release("a");
});

Deno.test("a port listens on TLS, too", async () => {
  const tls = { cert: CERTIFICATE, key: PRIVATE_KEY };
  const server = new TlsServer(tls);
  const secure = server.secure.bind(server);
  await using port = new LinePort(Deno.listen({ hostname: "127.0.0.1", port: 0 }), { secure });
  const { port: number } = port.address;
  const caCerts = [CERTIFICATE];
  {
    using client = new LineClient(
      await Deno.connectTls({ hostname: "localhost", port: number, caCerts }),
    );
    await client.send("a\nbig 300000\nbye\n");
    assert.equal(await client.rest(), `a\n${"x".repeat(300_000)}\nbye\n`);
  }
  using stranger = await LineClient.connect(port.address);
  await stranger.send("no TLS\n");
  await stranger.rest();
  await until(() => port.size === 0);
  assert.deepEqual(port.unexpected, []);
});
