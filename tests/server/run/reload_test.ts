/**
 * SIGHUP: what a changed configuration changes (docs/spec/agent.md 6.7), and what is reported.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent } from "../../../server/agent/agent.ts";
import { DEFAULT_AGENT_CONFIG } from "../../../server/config/load.ts";
import { AGENT_OPTIONS } from "../../../server/config/options/mod.ts";
import { setValueAt, valueAt } from "../../../server/config/options/option.ts";
import { compareConfigs } from "../../../server/run/changes.ts";
import { Peer, withPatience } from "../../support/rpc/peer.ts";
import { GATE_OPEN, HOST, READY, ready, Running } from "../../support/run/running.ts";

/** Runs an agent with a configuration file; `reload` writes the file, sends SIGHUP and gives what was printed then. */
async function withFile(
  config: unknown,
  use: (tools: {
    running: Running;
    folder: string;
    reload: (config: unknown) => Promise<string>;
    tags: () => Promise<Record<string, string>>;
    setTag: (tags: Record<string, string>) => Promise<void>;
  }) => Promise<void>,
  sign = GATE_OPEN,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "skein-reload-" });
  const path = `${folder}/config.json`;
  const write = (value: unknown) =>
    Deno.writeTextFile(path, typeof value === "string" ? value : JSON.stringify(value));
  try {
    await write(typeof config === "function" ? config(folder) : config);
    const running = new Running({}, [path]);
    await running.printed(sign);
    using peer = await Peer.ready(running.address("RPC addr"));
    await use({
      running,
      folder,
      async reload(value) {
        const before = running.lines().length;
        await write(value);
        running.send("SIGHUP");
        await running.printedSince(before, /Configuration reloaded|Failed to reload configs/);
        return running.lines(before).filter((line) => line.startsWith("==>")).join("\n");
      },
      async tags() {
        await peer.request("stats");
        const [, stats] = await peer.take(2) as [unknown, { tags: Record<string, string> }];
        return stats.tags;
      },
      async setTag(tags) {
        await peer.ask("tags", { Tags: tags, DeleteTags: null });
      },
    });
    if (running.handled.length > 0) running.send("SIGTERM");
    await withPatience(running.exit);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HEAD = "==> Caught signal: hangup\n==> Reloading configuration...\n==> ";

Deno.test("a reload applies levels, tags, scripts and signal switches, and tells what needs a restart", async () => {
  const config = { tags: { a: "1", b: "1" }, log_level: "warn" };
  await withFile(config, async ({ running, reload, tags, setTag, folder }) => {
    await setTag({ x: "rpc" });
    assert.ok(!running.output.includes("[INFO]"));
    assert.equal(await reload(config), `${HEAD}Configuration reloaded, nothing to apply`);
    const output = await reload({
      tags: { a: "2" },
      log_level: "info",
      log_levels: { serf: "warn" },
      leave_on_terminate: true,
      event_handlers: [`member-update=echo ran > ${folder}/ran`],
      retry_max_attempts: 3,
      snapshot_path: `${folder}/s`,
    });
    assert.equal(
      output,
      `${HEAD}Configuration reloaded. Applied: tags, event_handlers, log_level, log_levels, ` +
        "leave_on_terminate\n==> Changed, but not before a restart: retry_max_attempts, snapshot_path",
    );
    assert.deepEqual(await tags(), { a: "2", x: "rpc" });
    await setTag({ x: "again" });
    await running.printed("[INFO] agent: Received event: member-update");
    assert.ok(!running.output.includes("[INFO] serf:"), "serf shows warnings only");
    running.send("SIGTERM");
    assert.equal(await withPatience(running.exit), 0, "leave_on_terminate counts now");
  }, READY);
});

Deno.test("a reload that fails changes nothing", async () => {
  const config = { tags: { a: "1" }, log_level: "info" };
  await withFile(config, async ({ running, reload, tags }) => {
    const failed: [unknown, string][] = [
      ["{", "Error decoding"],
      [{ log_level: "foo", tags: { a: "2" } }, "Invalid log level: FOO"],
      [{ event_handlers: ["foo=bar"], tags: { a: "2" } }, "Invalid event script"],
      [{ tags: { a: "y".repeat(600) }, log_level: "err" }, "Failed to update tags: Encoded length"],
      [{ nodename: "x" }, "unknown key 'nodename', did you mean 'node_name'?"],
    ];
    for (const [wrong, reason] of failed) {
      const output = await reload(wrong);
      assert.ok(output.startsWith(HEAD) && output.includes(reason), output);
      assert.ok(output.endsWith("\n==> Failed to reload configs"), output);
    }
    assert.deepEqual(await tags(), { a: "1" });
    assert.equal(await reload(config), `${HEAD}Configuration reloaded, nothing to apply`);
    running.send("SIGTERM");
    assert.equal(await withPatience(running.exit), 1);
    assert.ok(
      running.output.includes("[INFO] agent: shutdown complete"),
      "the level is the old one",
    );
  });
});

Deno.test("a reload leaves the tags file alone", async () => {
  const config = (folder: string) => ({ tags_file: `${folder}/tags` });
  await withFile(config, async ({ folder, reload, tags, setTag }) => {
    await setTag({ x: "1" });
    const before = await Deno.readTextFile(`${folder}/tags`);
    const output = await reload({ ...config(folder), log_level: "debug" });
    assert.equal(output, `${HEAD}Configuration reloaded. Applied: log_level`);
    assert.equal(
      await reload({ ...config(folder), tags: { y: "2" } }),
      `${HEAD}Tags config not allowed while using tag files\n==> Failed to reload configs`,
    );
    assert.deepEqual(await tags(), { x: "1" });
    assert.equal(await Deno.readTextFile(`${folder}/tags`), before);
  });
});

Deno.test("a changed retry_join is joined", async () => {
  await using other = await Agent.start({ nodeName: "o", bind: `${HOST}:0`, profile: "local" });
  const address = `${HOST}:${other.address.port}`;
  await withFile({ retry_join: [`${HOST}:1`] }, async ({ running, reload }) => {
    await running.printed("retrying in 30s");
    const output = await reload({ retry_join: [address] });
    assert.equal(output, `${HEAD}Configuration reloaded. Applied: retry_join`);
    await running.printed("[INFO] agent: Join completed. Synced with 1 initial agents");
  });
});

Deno.test("every option with a setting is compared, and only those that reload are taken over", () => {
  for (const { name, place, option: { kind, reloads } } of AGENT_OPTIONS.all) {
    if (place === undefined) continue;
    const other = {
      text: "other",
      duration: 17,
      number: 17,
      switch: !valueAt(DEFAULT_AGENT_CONFIG, place),
      list: ["other"],
      map: { other: "x" },
    }[kind];
    const read = { ...DEFAULT_AGENT_CONFIG };
    setValueAt(read, place, other);
    const { applicable, restart, next } = compareConfigs(AGENT_OPTIONS, DEFAULT_AGENT_CONFIG, read);
    assert.deepEqual([applicable, restart], reloads ? [[name], []] : [[], [name]]);
    assert.deepEqual(next, reloads ? read : DEFAULT_AGENT_CONFIG);
  }
  const tags = { ...DEFAULT_AGENT_CONFIG, tags: { a: "1", b: "2" } };
  const reordered = { ...DEFAULT_AGENT_CONFIG, tags: { b: "2", a: "1" } };
  assert.deepEqual(compareConfigs(AGENT_OPTIONS, tags, reordered).applicable, []);
});

Deno.test("as JSON every line is an object, from the first to the last", async () => {
  const running = await ready({ log_format: "json", log_level: "info" });
  running.send("SIGHUP");
  await running.printed("Configuration reloaded");
  running.send("SIGTERM");
  assert.equal(await withPatience(running.exit), 1);
  const lines = running.lines().map((line) => JSON.parse(line));
  for (const line of lines) {
    assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(line.node, "t");
  }
  const banner = lines.find(({ message }) => message === "Serf agent running!");
  assert.deepEqual(Object.keys(banner.fields), [
    "version",
    "node_name",
    "bind_addr",
    "advertise_addr",
    "rpc_addr",
    "encrypted",
    "snapshot",
    "profile",
    "compression",
  ]);
  const joined = lines.find(({ message }) => message.startsWith("EventMemberJoin"));
  assert.deepEqual([joined.level, joined.subsystem], ["INFO", "serf"]);
  assert.deepEqual(lines.at(-1).message, "shutdown complete");
});

Deno.test("as JSON a failed start is one object, too", async () => {
  const running = new Running({ log_format: "json", profile: "foo", role: "x" });
  assert.equal(await withPatience(running.exit), 1);
  const lines = running.lines().map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ level, message }) => [level, message]), [
    ["WARN", "Deprecation warning: 'Role' has been replaced with 'Tags'"],
    ["ERR", "Unknown profile: foo, expected lan, wan or local"],
  ]);
});
