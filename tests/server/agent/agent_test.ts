/**
 * Agents on real sockets: start, cluster, tags, files, leave, shutdown.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { SerfEvent } from "../../../cluster/serf/mod.ts";
import { Agent, type AgentSettings, AgentStartError } from "../../../server/agent/agent.ts";
import { NameTakenError } from "../../../server/agent/ending.ts";
import { type AgentConfig, ConfigError } from "../../../server/config/load.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

/** An agent on a free port of loopback, with the fastest timing. */
function start(name: string, settings: AgentSettings = {}): Promise<Agent> {
  return Agent.start({ nodeName: name, bind: `${HOST}:0`, profile: "local", ...settings });
}

function addressOf({ address }: Agent): string {
  return `${address.host}:${address.port}`;
}

function statuses(agent: Agent): Record<string, string> {
  return Object.fromEntries(agent.members().map(({ name, status }) => [name, status]));
}

function lines(agent: Agent): string[] {
  return agent.log.lines().map((line) => line.slice(20));
}

/** Runs `use` with the path of a temporary file that does not exist yet. */
async function withPath(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "skein-agent-" });
  try {
    await use(`${folder}/file.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("two agents in one process form a cluster, pass events, and see a leave as a leave", async () => {
  await using a = await start("a", { tags: { role: "web" } });
  await using b = await start("b");
  const seen: string[] = [];
  b.subscribe((event: SerfEvent) => {
    if (event.type === "user") {
      seen.push(`${event.name}=${new TextDecoder().decode(event.payload ?? new Uint8Array(0))}`);
    }
  });
  assert.equal(await b.join([addressOf(a)]), 1);
  await until(() => statuses(a).b === "alive" && statuses(b).a === "alive");
  assert.deepEqual(b.members().find(({ name }) => name === "a")?.tags, { role: "web" });
  a.event("deploy", new TextEncoder().encode("v1"), { coalesce: false });
  await until(() => seen.length === 1);
  assert.deepEqual(seen, ["deploy=v1"]);
  await a.updateTags({ set: { dc: "east", role: "db" }, delete: ["role"] });
  await until(() => b.members().find(({ name }) => name === "a")?.tags.dc === "east");
  assert.deepEqual(a.stats().tags, { dc: "east", role: "db" });
  assert.equal(b.stats().serf?.members, "2");
  await b.leave();
  await until(() => statuses(a).b === "left");
  assert.ok(lines(b).includes("[INFO] agent: joined: 1 nodes"));
  assert.ok(lines(a).includes(`[INFO] serf: EventMemberJoin: b ${HOST}`));
  assert.ok(!lines(a).some((line) => line.includes("Requesting") && line.includes("undefined")));
  assert.ok(
    lines(a).includes(
      '[DEBUG] agent: Requesting user event send: deploy. Coalesced: false. Payload: "v1"',
    ),
  );
});

Deno.test("an encrypted agent refuses a plain one", async () => {
  const encryptKey = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
  await using a = await start("a", { encryptKey });
  await using b = await start("b", { encryptKey, compression: false });
  await using plain = await start("plain");
  assert.equal(a.serf.encrypted, true);
  assert.equal(await b.join([addressOf(a)]), 1);
  await assert.rejects(plain.join([addressOf(a)]));
  assert.deepEqual(Object.keys(statuses(a)).sort(), ["a", "b"]);
});

Deno.test("a failed join is told with every reason, and logged in one block", async () => {
  await using agent = await start("a");
  await assert.rejects(agent.join([`${HOST}:1`, "/x"]), /^JoinError: 2 errors occurred:\n\t\* /);
  const [line = ""] = lines(agent).filter((line) => line.startsWith("[WARN] agent: error joining"));
  assert.match(line, /^\[WARN\] agent: error joining: 2 errors occurred:\n\t\* .*\n\t\* .*\n$/);
  assert.ok(lines(agent).includes(`[INFO] agent: joining: [${HOST}:1 /x] replay: false`));
});

Deno.test("a failed start says why and leaves nothing behind", async () => {
  await using taken = await start("a");
  const failures: [Partial<AgentConfig>, new (message: string) => Error, RegExp][] = [
    [{ bind: addressOf(taken) }, AgentStartError, /Failed to start the Serf agent: Error creating/],
    [{ bind: addressOf(taken) }, AgentStartError, /listen tcp .*: bind: address already in use$/],
    [
      { protocol: 1 },
      AgentStartError,
      /Protocol version '1' too low\. Must be in range: \[2, 5\]$/,
    ],
    [{ userEventSizeLimit: 9_999 }, AgentStartError, /exceeds limit of 9216 bytes$/],
    [{ tags: { a: "x".repeat(600) } }, AgentStartError, /exceeds limit of 512 bytes$/],
    [
      { encryptKey: "YWJj" },
      AgentStartError,
      /^Failed to start the Serf agent: Error creating Serf: Failed to create memberlist: key size must be 16, 24 or 32 bytes, got 3; 'skein keygen' makes a key$/,
    ],
    [
      { encryptKey: "!!" },
      ConfigError,
      /^Invalid encryption key: illegal base64 .* byte 0; .*keygen/,
    ],
    [{ profile: "foo" }, ConfigError, /^Unknown profile: foo, expected lan, wan or local$/],
    [
      { bind: `${HOST}:xx` },
      ConfigError,
      /^Invalid bind address: address tcp\/xx: unknown port$/,
    ],
    [{ advertise: "::1" }, ConfigError, /^Invalid advertise address: address ::1: too many colons/],
    [{ interface: "nope0" }, ConfigError, /^Invalid network interface: route ip\+net: no such/],
    [{ interface: "lo" }, ConfigError, new RegExp(`^Interface 'lo' has no '${HOST}' address$`)],
    [
      { keyringFile: "/nonexistent.json" },
      AgentStartError,
      /^Failed to setup the Serf agent: stat \/nonexistent\.json: no such file or directory; it has to hold a list of keys: \["KEY"\]; /,
    ],
    [
      { keyringFile: "/x", encryptKey: "YWJj" },
      AgentStartError,
      /not allowed while using a keyring/,
    ],
    [{ tagsFile: "/x", tags: { a: "b" } }, AgentStartError, /Tags config not allowed while/],
  ];
  for (const [settings, type, message] of failures) {
    await assert.rejects(start("b", settings), (error) => {
      assert.ok(error instanceof type, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("the advertised address is what others are told", async () => {
  await using agent = await start("a", { advertise: "127.0.6.9:1234" });
  const [self] = agent.members();
  assert.deepEqual(self?.addr, new Uint8Array([127, 0, 6, 9]));
  assert.equal(self?.port, 1234);
});

Deno.test("tags are kept in the tags file, and a bad change is not", async () => {
  await withPath(async (tagsFile) => {
    {
      await using agent = await start("a", { tagsFile });
      await agent.updateTags({ set: { b: "<2>", a: "1" } });
      await assert.rejects(
        agent.updateTags({ set: { c: "x".repeat(600) } }),
        /exceeds limit of 512 bytes/,
      );
    }
    const text = '{\n  "a": "1",\n  "b": "\\u003c2\\u003e"\n}';
    assert.equal(await Deno.readTextFile(tagsFile), text);
    assert.equal((await Deno.stat(tagsFile)).mode! & 0o777, 0o600);
    await Deno.chmod(tagsFile, 0o640);
    await using agent = await start("a", { tagsFile });
    assert.deepEqual(agent.serf.tags(), { a: "1", b: "<2>" });
    assert.ok(lines(agent).includes(`[INFO] agent: Restored 2 tag(s) from ${tagsFile}`));
    await agent.reloadTags({}, {});
    assert.equal(await Deno.readTextFile(tagsFile), text, "a reload does not wipe it");
    await agent.updateTags({ delete: ["a", "b", "unknown"] });
    assert.equal(await Deno.readTextFile(tagsFile), "{}");
    assert.equal((await Deno.stat(tagsFile)).mode! & 0o777, 0o640);
  });
});

Deno.test("tags that cannot be written do not come into effect, nor do those of an agent that has left", async () => {
  const folder = await Deno.makeTempDir();
  const tagsFile = `${folder}/tags.json`;
  await using agent = await start("a", { tagsFile });
  await agent.updateTags({ set: { a: "1" } });
  await Promise.all([
    agent.updateTags({ set: { b: "1" } }),
    agent.updateTags({ set: { c: "1" }, delete: ["a"] }),
  ]);
  assert.deepEqual(agent.serf.tags(), { b: "1", c: "1" }, "changes at the same time add up");
  await Deno.rename(folder, `${folder}.away`);
  const failure = { name: "TagsFileError", message: /Failed to write tags file: no such file/ };
  await assert.rejects(agent.updateTags({ set: { d: "1" } }), failure);
  assert.deepEqual(agent.serf.tags(), { b: "1", c: "1" });
  assert.deepEqual(agent.members()[0]?.tags, { b: "1", c: "1" });
  await Deno.rename(`${folder}.away`, folder);
  const written = await Deno.readTextFile(tagsFile);
  await agent.leave();
  await assert.rejects(agent.updateTags({ set: { e: "1" } }), { name: "LeftError" });
  assert.deepEqual(agent.serf.tags(), { b: "1", c: "1" });
  assert.equal(await Deno.readTextFile(tagsFile), written);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an unusable tags file stops the start", async () => {
  await withPath(async (tagsFile) => {
    const wrong: Record<string, RegExp> = {
      "": /Failed to decode tags file: unexpected end of JSON input$/,
      "[]": /Failed to decode tags file: expected an object of strings$/,
      '{"a": 1}': /Failed to decode tags file: tag 'a' is not a string$/,
    };
    for (const [text, message] of Object.entries(wrong)) {
      await Deno.writeTextFile(tagsFile, text);
      await assert.rejects(start("a", { tagsFile }), message);
    }
  });
});

Deno.test("keys come from the keyring file", async () => {
  await withPath(async (keyringFile) => {
    const key = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
    await Deno.writeTextFile(keyringFile, JSON.stringify([key, "fr8k1mf3k+C6xQoJU+GC0w=="]));
    {
      await using agent = await start("a", { keyringFile });
      assert.equal(agent.serf.memberlist.keyring?.size, 2);
      assert.ok(
        lines(agent).includes(`[INFO] agent: Restored keyring with 2 keys from ${keyringFile}`),
      );
    }
    const wrong: Record<string, RegExp> = {
      "": /Failed to decode keyring file: unexpected end of JSON input$/,
      "{}": /Failed to decode keyring file: expected an array of strings, got object$/,
      "[]": /Keyring file contains no keys$/,
      '["!"]': /Failed to decode key from keyring: illegal base64 data at input byte 0$/,
      '["YWJj"]': /Failed to restore keyring: key size must be 16, 24 or 32 bytes, got 3; /,
    };
    for (const [text, message] of Object.entries(wrong)) {
      await Deno.writeTextFile(keyringFile, text);
      await assert.rejects(start("a", { keyringFile }), message);
    }
  });
});

Deno.test("a reload keeps tags that were set by other means", async () => {
  await using agent = await start("a", { tags: { a: "1", b: "1", c: "1" } });
  await agent.updateTags({ set: { b: "rpc", x: "rpc" }, delete: ["c"] });
  await agent.reloadTags({ a: "1", b: "1", c: "1" }, { b: "1", c: "2", d: "1" });
  assert.deepEqual(agent.serf.tags(), { b: "rpc", x: "rpc", c: "2", d: "1" });
});

Deno.test("shutdown() ends RPC servers and resolves closed; a second call changes nothing", async () => {
  await using agent = await start("a");
  const server = agent.listenRpc(`${HOST}:0`);
  const conn = await Deno.connect({ hostname: HOST, port: server.address.port });
  await Promise.all([agent.shutdown(), agent.shutdown(), agent.closed]);
  assert.equal(await conn.read(new Uint8Array(1)).catch(() => null), null);
  conn.close();
  const told = lines(agent).filter((line) => line.includes("shutdown"));
  assert.deepEqual(told, [
    "[INFO] agent: requesting serf shutdown",
    "[INFO] agent: shutdown complete",
  ]);
  assert.ok(lines(agent).includes("[WARN] serf: Shutdown without a Leave"));
});

Deno.test("an agent whose core shuts itself down follows", async () => {
  await using agent = await start("a");
  await agent.serf.shutdown();
  await agent.closed;
  assert.ok(lines(agent).includes("[WARN] agent: Serf shutdown detected, quitting"));
});

Deno.test("a listener that throws does not keep others from the event", async () => {
  await using agent = await start("a", { onError: () => {} });
  let seen = 0;
  agent.subscribe(() => {
    throw new Error("bad listener");
  });
  const unsubscribe = agent.subscribe(() => seen++);
  agent.event("x", null, { coalesce: false });
  assert.equal(seen, 1);
  unsubscribe();
  agent.event("y", null, { coalesce: false });
  assert.equal(seen, 1);
  assert.ok(lines(agent).includes("[ERR] agent: A listener failed on user-event: x: bad listener"));
});

Deno.test("who joins an RPC port is asked whether it is one", async () => {
  await using a = await start("a");
  await using b = await start("b");
  const { port } = a.listenRpc(`${HOST}:0`).address;
  await assert.rejects(b.join([`${HOST}:${port}`]), /Is it an RPC address\? .* port 7946/);
});

Deno.test("who loses its name to another ends with an error that says so", async () => {
  await using first = await start("twin");
  await using voter = await start("voter", { startJoin: [addressOf(first)] });
  await using second = await start("twin", { startJoin: [addressOf(voter)] });
  const error = await second.closed;
  assert.ok(error instanceof NameTakenError);
  assert.equal(error.message, "Node name 'twin' is taken by another member, choose one with -node");
});
