/**
 * What a program does with the clients, in any runtime: `program.mjs CLIENT ADDRESS KV_ADDRESS SECURED SESSION_ADDRESS TOPICS_ADDRESS`. Prints what it saw as JSON.
 *
 * @module
 */

import process from "node:process";

const [clientModule, address, kvAddress, secured, sessionAddress, topicsAddress] = process.argv
  .slice(2);
const { ConditionFailedError, KvClient, RpcClient, SessionClient, TopicClient } = await import(
  clientModule
);
const seen = {};

const failed = (promise) =>
  promise.then(() => "no error", ({ name, message }) => `${name}: ${message}`);

const client = await RpcClient.connect({ address });
seen.members = (await client.members()).map(({ name, status }) => `${name} ${status}`);
const events = await client.stream("user,query");
const reader = events[Symbol.asyncIterator]();
await client.event("deploy", "é", { coalesce: false });
const { value: event } = await reader.next();
seen.event = [event.name, event.payload.text(), [...event.payload]];
const query = await client.query("load", null, { requestAck: true, timeoutMs: 10_000 });
const { value: asked } = await reader.next();
await asked.respond(new Uint8Array(900).fill(7));
seen.records = [];
for await (const { type, from, payload } of query) {
  seen.records.push([type, from, payload?.length ?? 0]);
  if (seen.records.length === 2) break;
}
seen.records.sort();
seen.burst = (await Promise.all(Array.from({ length: 500 }, () => client.members()))).length;
seen.error = await failed(client.event("big", "x".repeat(600)));
seen.refused = await failed(RpcClient.connect({ address: "127.0.0.1:1" }));
seen.unknown = await failed(RpcClient.connect({ address: "no.such.host.invalid:1" }));
await client.close();
seen.closed = (await client.closed) ?? "closed";

const kv = await KvClient.connect({ address: kvAddress });
await kv.set("k", { é: [1, null] });
seen.value = (await kv.get("k")).value;
const watch = await kv.watch("n", { bufferSize: 4 });
seen.sums = (await Promise.all(Array.from({ length: 500 }, () => kv.increment("n")))).at(-1);
seen.watched = 0;
for await (const { value } of watch) if (++seen.watched !== value || value === 500) break;
seen.condition = await kv.set("k", 1, { nx: true }).catch((e) => e instanceof ConditionFailedError);
await kv.close();
const { certificate, ...sealed } = JSON.parse(secured);
const tls = { caCerts: [certificate], serverName: "localhost" };
const app = await KvClient.connect({ ...sealed, tls });
await app.set("k", "x".repeat(100_000));
seen.secured = (await app.get("k")).value.length;
await app.close();
const untrusted = await failed(KvClient.connect({ ...sealed, tls: true }));
seen.untrusted = untrusted.replace(/: tls: .+/, ": tls");
seen.kvRefused = await failed(KvClient.connect({ address: "127.0.0.1:1" }));

const session = new SessionClient({ address: sessionAddress });
await session.connect();
const told = await session.kv.watch("k");
await session.kv.set("k", { é: 1 });
for await (const { value } of told) {
  seen.change = value;
  break;
}
seen.ids = (await Promise.all(Array.from({ length: 500 }, () => session.kv.increment("n")))).at(-1);
await session.close();

const topics = await TopicClient.connect({ address: topicsAddress });
const producer = topics.producer({ idempotent: true });
await Promise.all(
  Array.from({ length: 500 }, (_, i) => producer.send("t", { key: `${i}`, value: "é" })),
);
const consumer = topics.consumer("t");
seen.messages = [];
for await (const { key, value, offset } of consumer) {
  if (offset === 499 || offset === 0) seen.messages.push([key.text(), value.text()]);
  if (offset === 499) break;
}
await consumer.close();
await producer.close();
await topics.close();
seen.topicsRefused = await failed(TopicClient.connect({ address: "127.0.0.1:1" }));

const statuses = [];
const leaver = await RpcClient.connect({
  address,
  reconnect: { maxAttempts: 1, minDelayMs: 1, onStatus: (status) => statuses.push(status) },
});
const last = await leaver.stream("user");
await leaver.leave();
seen.end = await failed((async () => {
  for await (const _ of last);
})());
seen.reason = (await leaver.closed).cause.message;
seen.statuses = statuses;
console.log(JSON.stringify(seen));
