/**
 * What a slow client costs, and what it loses (docs/spec/agent.md 1.7).
 *
 * @module
 */

import assert from "node:assert/strict";
import { member } from "../../support/rpc/backend.ts";
import { Peer, request, until } from "../../support/rpc/peer.ts";
import { ok, records, withServer } from "../../support/rpc/stage.ts";

Deno.test("a reader that keeps up loses nothing of a burst", async () => {
  await withServer(async ({ backend, server }) => {
    using peer = await Peer.ready(server.address);
    using sender = await Peer.ready(server.address);
    await peer.ask("stream", { Type: "user" });
    backend.on.event = (name) => backend.emitUser(String(name));
    const burst = Array.from({ length: 3_000 }, (_, i) => request("event", i, { Name: `e${i}` }));
    const [got] = await Promise.all([
      records(peer, burst.length),
      sender.send(...burst),
      sender.take(burst.length),
    ]);
    assert.deepEqual(got.map(([, { Name }]) => Name), burst.map((_, i) => `e${i}`));
    assert.equal(server.stats().dropped_events, "0");
  });
});

Deno.test("events for a client that does not read are dropped, counted, and logged once a second", async () => {
  await withServer(async ({ backend, server, lines }) => {
    using slow = await Peer.ready(server.address);
    using watcher = await Peer.ready(server.address);
    await slow.ask("stream", { Type: "user" });
    await watcher.ask("stream", { Type: "user:seen" });
    const payload = new Uint8Array(4_000);
    const started = performance.now();
    let sent = 0;
    while (Number(server.stats().dropped_events) < 1_000) {
      backend.emitUser(`e${sent++}`, payload);
      if (sent % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
      assert.ok(sent < 50_000, "the queue has no bound");
    }
    const seconds = (performance.now() - started) / 1_000;
    const told = lines().filter((line) => line.includes("Dropping event"));
    assert.ok(told.length >= 1 && told.length <= 1 + seconds, `${told.length} in ${seconds} s`);
    assert.equal(told[0], `[WARN] agent.ipc: Dropping event to ipc.client: ${slow.name}`);
    backend.emitUser("seen");
    assert.equal((await records(watcher, 1))[0]?.[1].Name, "seen", "others are not held up");
    const dropped = Number(server.stats().dropped_events);
    const got = await records(slow, sent + 1 - dropped);
    assert.equal(got[0]?.[1].Name, "e0", "the oldest are kept");
    backend.emitUser("again");
    assert.equal((await records(slow, 1))[0]?.[1].Name, "again");
  });
});

Deno.test("a stalled monitor causes no storm and never hears of itself", async () => {
  await withServer(async ({ backend, server, lines }) => {
    using slow = await Peer.ready(server.address);
    using watcher = await Peer.ready(server.address);
    await slow.ask("monitor", { LogLevel: "TRACE" });
    await watcher.ask("monitor", { LogLevel: "WARN" });
    const text = "x".repeat(4_000);
    const started = performance.now();
    let sent = 0;
    while (Number(server.stats().dropped_logs) < 1_000) {
      backend.log.write("INFO", "x", `${text}${sent++}`);
      if (sent % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
      assert.ok(sent < 50_000, "the queue has no bound");
    }
    const seconds = (performance.now() - started) / 1_000;
    const [first] = await records(watcher, 1);
    const warning = String(first?.[1].Log).slice(20);
    assert.equal(warning, `[WARN] agent.ipc: Dropping logs to ipc.client: ${slow.name}`);
    const told = lines().filter((line) => line.includes("Dropping logs"));
    assert.ok(told.length <= 1 + seconds);
    const logged = sent + 2 - Number(server.stats().dropped_logs);
    const got = await records(slow, logged);
    assert.ok(!got.some(([, { Log }]) => String(Log).includes("Dropping logs")));
  });
});

Deno.test("requests of a client that does not read its answers wait, in bounded memory", async () => {
  await withServer(async ({ backend, server }) => {
    const tags = { big: "x".repeat(70_000) };
    backend.list = [member("a", { tags })];
    using peer = await Peer.ready(server.address);
    const asked = 1_000;
    backend.on.event = () => {};
    const requests = Array.from({ length: asked }, (_, i) => request("members", i));
    await peer.send(...requests, request("event", 1, { Name: "last" }));
    using other = await Peer.ready(server.address);
    for (let i = 0; i < 20; i++) await other.ask("stop", { Stop: 0 });
    const done = () => backend.calls.some(([name]) => name === "event");
    assert.ok(!done(), "1,000 answers of 70 KB cannot have been made");
    const rest = await peer.take(2 * asked + 1);
    assert.ok(done());
    assert.deepEqual(rest.at(-1), ok(1));
    assert.ok(peer.received > 70_000_000);
  });
});

Deno.test("a client that reads nothing for too long is disconnected", async () => {
  await withServer(async ({ backend, server, lines }) => {
    using idle = await Peer.ready(server.address);
    using slow = await Peer.ready(server.address);
    await slow.ask("stream", { Type: "user" });
    const payload = new Uint8Array(9_000);
    // The kernel takes some megabytes before the client counts as stalled.
    for (let i = 0; i < 2_000; i++) backend.emitUser("x", payload);
    await until(() => {
      backend.emitUser("x", payload);
      return server.stats().clients === "1";
    });
    assert.equal(server.stats().streams, "0");
    const text = `[WARN] agent.ipc: Closing ipc.client: ${slow.name}: read nothing for 300ms`;
    assert.ok(lines().includes(text));
    assert.deepEqual(
      await idle.ask("stop", { Stop: 0 }),
      ok(2),
      "an idle client is not a slow one",
    );
  }, { stallLimitMs: 300 });
});
