/**
 * Configuration files, flags and how they merge.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { AgentConfig, ConfigInput } from "../../../server/config/load.ts";
import {
  checkConfig,
  ConfigError,
  DEFAULT_AGENT_CONFIG,
  loadConfig,
} from "../../../server/config/load.ts";

/** Runs `use` with a folder of files. */
async function withFiles(
  files: Record<string, string>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "skein-config-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function load(text: string, flags: ConfigInput = {}): Promise<AgentConfig> {
  let config: AgentConfig | undefined;
  await withFiles({ "a.json": text }, async (folder) => {
    config = (await loadConfig([`${folder}/a.json`], flags)).config;
  });
  assert.ok(config);
  return config;
}

/** The message of the error that the file causes, without the path of the temporary folder. */
async function errorOf(text: string, flags: ConfigInput = {}): Promise<string> {
  let message = "";
  await withFiles({ "a.json": text }, async (folder) => {
    await assert.rejects(loadConfig([`${folder}/a.json`], flags), (error) => {
      assert.ok(error instanceof ConfigError);
      message = error.message.replace(`${folder}/`, "");
      return true;
    });
  });
  assert.ok(!message.includes("\n"), "one line");
  return message;
}

Deno.test("loadConfig() without files and flags gives the defaults and the host name", async () => {
  const { config, warnings } = await loadConfig([], {});
  assert.deepEqual(config, { ...DEFAULT_AGENT_CONFIG, nodeName: Deno.hostname() });
  assert.deepEqual(warnings, []);
});

Deno.test("every key of a file reaches its setting", async () => {
  const config = await load(JSON.stringify({
    node_name: "n",
    disable_coordinates: true,
    tags: { a: "b" },
    tags_file: "/t",
    bind: "127.0.0.2:1",
    advertise: "[::1]:2",
    interface: "lo",
    encrypt_key: "k",
    encrypt_file: "/ef",
    keyring_file: "/k",
    log_level: "debug",
    rpc_addr: "127.0.0.3:4",
    rpc_auth: "secret",
    rpc_auth_file: "/rf",
    protocol: 4,
    replay_on_join: true,
    query_response_size_limit: 1,
    query_size_limit: 2,
    user_event_size_limit: 3,
    start_join: ["s"],
    retry_join: ["r"],
    retry_max_attempts: 5,
    retry_interval: "1m",
    profile: "wan",
    leave_on_terminate: true,
    skip_leave_on_interrupt: true,
    reconnect_interval: "1s500ms",
    heal_interval: "1m",
    reconnect_timeout: "2h",
    tombstone_timeout: "1.5h",
    disable_name_resolution: true,
    enable_compression: false,
    broadcast_timeout: "6s",
    validate_node_names: true,
    syslog_facility: "LOCAL3",
    event_handlers: ["member-join=a.sh"],
    event_handler_timeout: "0s",
    event_handler_concurrency: 4,
    snapshot_path: "/s",
    rejoin_after_leave: true,
    discover: "c",
    mdns: { interface: "lo", disable_ipv4: true },
    log_format: "json",
    log_levels: { memberlist: "warn" },
    enable_syslog: true,
    statsite_addr: "127.0.0.1:8125",
    statsd_addr: "[::1]:8125",
    MsgpackUseNewTimeFormat: true,
    $schema: "docs/config.schema.json",
    server: true,
    data_dir: "/d",
    bootstrap_expect: 3,
    peer_addr: "127.0.0.2:5",
    kv_addr: "10.0.0.1:6",
    session_addr: "10.0.0.1:7",
    topics_addr: "10.0.0.1:8",
    durability: "sync",
    raft: {
      election_timeout: "3s",
      heartbeat: "1s",
      snapshot_entries: 7,
      trailing: 8,
      autopilot: false,
      auto_rebuild: true,
      cleanup_dead: "72h",
    },
    kv: {
      mode: "echo",
      insecure: true,
      tokens_file: "/tokens",
      tls_cert: "/cert",
      tls_key: "/key",
      tls_client_ca: "",
      idle_timeout: "0s",
      max_connections: 9,
    },
    sessions: { timeout: "30s", max_connections: 10 },
    topics: {
      auto_create: false,
      idle_timeout: "0s",
      request_timeout: "9s",
      max_connections: 11,
    },
  }));
  assert.deepEqual(config, {
    nodeName: "n",
    tags: { a: "b" },
    tagsFile: "/t",
    bind: "127.0.0.2:1",
    advertise: "[::1]:2",
    interface: "lo",
    encryptFile: "/ef",
    encryptKey: "k",
    keyringFile: "/k",
    logLevel: "debug",
    rpcAddr: "127.0.0.3:4",
    rpcAuth: "secret",
    rpcAuthFile: "/rf",
    protocol: 4,
    replayOnJoin: true,
    queryResponseSizeLimit: 1,
    querySizeLimit: 2,
    userEventSizeLimit: 3,
    startJoin: ["s"],
    retryJoin: ["r"],
    retryMaxAttempts: 5,
    retryIntervalMs: 60_000,
    profile: "wan",
    leaveOnTerminate: true,
    skipLeaveOnInterrupt: true,
    reconnectIntervalMs: 1_500,
    healIntervalMs: 60_000,
    reconnectTimeoutMs: 7_200_000,
    tombstoneTimeoutMs: 5_400_000,
    disableNameResolution: true,
    compression: false,
    broadcastTimeoutMs: 6_000,
    validateNodeNames: true,
    coordinates: false,
    eventHandlers: ["member-join=a.sh"],
    eventHandlerTimeoutMs: 0,
    eventHandlerConcurrency: 4,
    snapshotPath: "/s",
    rejoinAfterLeave: true,
    discover: "c",
    mdns: { interface: "lo", disableIpv4: true, disableIpv6: false },
    logFormat: "json",
    logLevels: { memberlist: "warn" },
    syslog: true,
    syslogFacility: "LOCAL3",
    statsiteAddr: "127.0.0.1:8125",
    statsdAddr: "[::1]:8125",
    dev: false,
    server: true,
    dataDir: "/d",
    bootstrapExpect: 3,
    peerAddr: "127.0.0.2:5",
    kvAddr: "10.0.0.1:6",
    sessionAddr: "10.0.0.1:7",
    topicsAddr: "10.0.0.1:8",
    durability: "sync",
    raft: {
      electionTimeoutMs: 3_000,
      heartbeatMs: 1_000,
      snapshotEntries: 7,
      trailing: 8,
      autopilot: false,
      autoRebuild: true,
      cleanupDeadMs: 259_200_000,
    },
    kv: {
      mode: "echo",
      insecure: true,
      tokensFile: "/tokens",
      tlsCert: "/cert",
      tlsKey: "/key",
      tlsClientCa: "",
      idleLimitMs: 0,
      maxConnections: 9,
    },
    sessions: { timeoutMs: 30_000, maxConnections: 10 },
    topics: { autoCreate: false, idleLimitMs: 0, requestLimitMs: 9_000, maxConnections: 11 },
  });
});

Deno.test("key names match in any case, null leaves a key unset, fractions are cut off", async () => {
  const config = await load(
    `{"NODE_Name": "n", "Bind": null, "protocol": 4.9, "tags": {"A": null}}`,
  );
  assert.equal(config.nodeName, "n");
  assert.equal(config.bind, "0.0.0.0");
  assert.equal(config.protocol, 4);
  assert.deepEqual(config.tags, {});
});

Deno.test("only the first JSON value of a file is read", async () => {
  assert.equal((await load(`{"node_name": "}\\"{"} trailing ]`)).nodeName, `}"{`);
});

Deno.test("an unusable file gives one line that names file, key, expected and got", async () => {
  const prefix = "Error decoding 'a.json': ";
  const wrong: Record<string, string> = {
    [`{"node_name": 5}`]: "'node_name' expected a string, got number 5",
    [`{"start_join": "x"}`]: `'start_join' expected an array of strings, got string "x"`,
    [`{"start_join": ["x", 1]}`]: "'start_join[1]' expected a string, got number 1",
    [`{"tags": {"a": 1}}`]: "'tags[a]' expected a string, got number 1",
    [`{"tags": []}`]: "'tags' expected an object of strings, got an array",
    [`{"leave_on_terminate": "yes"}`]:
      `'leave_on_terminate' expected true or false, got string "yes"`,
    [`{"mdns": {"interface": {}}}`]: "'mdns.interface' expected a string, got an object",
    [`{"nodename": "a", "x": 1}`]:
      "unknown key 'nodename', did you mean 'node_name'?; unknown key 'x'",
    [`{"node-name": "a"}`]: "unknown key 'node-name', did you mean 'node_name'?",
    [`{"nodeName": "a"}`]: "unknown key 'nodeName', did you mean 'node_name'?",
    [`{"QueryResponseSizeLimit": 1}`]:
      "unknown key 'QueryResponseSizeLimit', did you mean 'query_response_size_limit'?",
    [`{"disable-compression": true}`]: "unknown key 'disable-compression'",
    [`{"": 1}`]: "unknown key ''",
    [`{"constructor": 1}`]: "unknown key 'constructor'",
    [`{"mdns": {"mdns": {}}}`]: "unknown key 'mdns.mdns'",
    [`{"node": "a"}`]: "unknown key 'node', did you mean 'node_name'?",
    [`{"retry-max": 1}`]: "unknown key 'retry-max', did you mean 'retry_max_attempts'?",
    [`{"mdns": {"disable_ip4": true}}`]:
      "unknown key 'mdns.disable_ip4', did you mean 'mdns.disable_ipv4'?",
    [`{"mdns": {"x": 1}}`]: "unknown key 'mdns.x'",
    [`{"mdns.interface": "lo"}`]:
      `unknown key 'mdns.interface', write it as {"mdns": {"interface": ...}}`,
    [`{"log_levels": {"serf": 1}}`]: "'log_levels[serf]' expected a string, got number 1",
    [`{"retry_interval": 30}`]: `'retry_interval' expected a duration such as "30s", got number 30`,
    [`{"protocol": "5"}`]: `'protocol' expected a number, got string "5"`,
    [`{"protocol": 1e999}`]: "'protocol' expected a number, got number Infinity",
    [`{"retry_interval": "xx"}`]: `'retry_interval': time: invalid duration "xx"`,
    [`{"retry_interval": "30"}`]: `'retry_interval': time: missing unit in duration "30"`,
    [`[]`]: "the file expected an object, got an array",
    [`null`]: "the file expected an object, got null",
  };
  for (const [text, message] of Object.entries(wrong)) {
    assert.equal(await errorOf(text), prefix + message, text);
  }
  assert.ok((await errorOf(`{"a": nope}`)).startsWith(prefix));
  assert.ok((await errorOf("")).startsWith(prefix));
});

Deno.test("a missing file is named", async () => {
  await assert.rejects(
    loadConfig(["/nonexistent"], {}),
    new ConfigError("Error reading '/nonexistent': open /nonexistent: no such file or directory"),
  );
});

Deno.test("an endless file and one that is too large are not read to their end", async () => {
  const tooLarge = "file exceeds 4194304 bytes";
  await assert.rejects(
    loadConfig(["/dev/zero"], {}),
    new ConfigError(`Error reading '/dev/zero': open /dev/zero: ${tooLarge}`),
  );
  assert.ok((await errorOf(`{"node_name": "${"y".repeat(5_000_000)}"}`)).endsWith(tooLarge));
});

Deno.test("a directory stands for its .json files in byte order, without sub-directories", async () => {
  const files = {
    "B.json": `{"node_name": "B", "start_join": ["B"]}`,
    "a.json": `{"node_name": "a", "start_join": ["a"]}`,
    ".h.json": `{"node_name": "h", "start_join": ["h"]}`,
    "z.txt": `not read`,
  };
  await withFiles(files, async (folder) => {
    await Deno.mkdir(`${folder}/sub.json`);
    const { config } = await loadConfig([folder], {});
    assert.equal(config.nodeName, "a");
    assert.deepEqual(config.startJoin, ["h", "B", "a"]);
  });
});

Deno.test("later over earlier: texts, numbers, true, tags by key, lists appended", async () => {
  const files = {
    "1.json": JSON.stringify({
      node_name: "one",
      protocol: 4,
      leave_on_terminate: true,
      tags: { a: "1", b: "1" },
      retry_join: ["x"],
    }),
    "2.json": JSON.stringify({
      node_name: "",
      protocol: -1,
      leave_on_terminate: false,
      tags: { b: "2" },
      retry_join: ["y"],
      user_event_size_limit: 0,
    }),
  };
  await withFiles(files, async (folder) => {
    const paths = [`${folder}/1.json`, `${folder}/2.json`];
    const { config } = await loadConfig(paths, { tags: { c: "3" }, retry_join: ["z"] });
    assert.equal(config.nodeName, "one");
    assert.equal(config.protocol, 4);
    assert.equal(config.leaveOnTerminate, true);
    assert.deepEqual(config.tags, { a: "1", b: "2", c: "3" });
    assert.deepEqual(config.retryJoin, ["x", "y", "z"]);
    assert.equal(config.userEventSizeLimit, 512);
  });
});

Deno.test("compression can be switched off in a file or by a flag, and the last word counts", async () => {
  assert.equal((await load(`{"enable_compression": false}`)).compression, false);
  assert.equal((await load(`{}`, { enable_compression: false })).compression, false);
  assert.equal(
    (await load(`{"enable_compression": false}`, { enable_compression: true })).compression,
    true,
  );
});

Deno.test("the role becomes a tag, short waits are raised, and each says so", async () => {
  const { config, warnings } = await loadConfig([], {
    role: "web",
    tags: { role: "db", dc: "east" },
    retry_interval: "10ms",
    broadcast_timeout: "10ms",
    rejoin_after_leave: true,
  });
  assert.deepEqual(config.tags, { role: "web", dc: "east" });
  assert.equal(config.retryIntervalMs, 1_000);
  assert.equal(config.broadcastTimeoutMs, 1_000);
  assert.deepEqual(warnings, [
    "Deprecation warning: 'Role' has been replaced with 'Tags'",
    "Warning: 'RetryInterval' is too low. Setting to 1s",
    "Warning: 'BroadcastTimeout' is too low. Setting to 1s",
    "Warning: 'RejoinAfterLeave' enabled without snapshot file",
  ]);
});

Deno.test("each file's problem is found in one go", async () => {
  await withFiles(
    { "1.json": "{", "2.json": `{"node_name": "n"}`, "3.json": "[]" },
    async (dir) => {
      const { config, problems } = await checkConfig([dir, "/nonexistent"], { profile: "wan" });
      assert.equal(config.nodeName, "n");
      assert.equal(config.profile, "wan");
      const named = problems.map(({ message }) => /'([^']*)'/.exec(message)?.[1]);
      assert.deepEqual(named, [`${dir}/1.json`, `${dir}/3.json`, "/nonexistent"]);
    },
  );
});

Deno.test("an agent without files starts without the code that reads and checks them", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("../../../server/run/run.ts", import.meta.url).href],
  }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as ModuleGraph;
  const dependencies = new Map(modules.map((module) => [module.specifier, module.dependencies]));
  const loaded = new Set<string>(roots);
  for (const specifier of loaded) {
    for (const { code, isDynamic } of dependencies.get(specifier) ?? []) {
      if (code?.specifier !== undefined && !isDynamic) loaded.add(code.specifier);
    }
  }
  const names = [...loaded];
  assert.ok(names.some((name) => name.endsWith("/server/config/load.ts")));
  assert.deepEqual(
    names.filter((name) => /config\/(?:files|schema)\.ts$|npm:.*zod/.test(name)),
    [],
  );
});

/** What `deno info --json` tells of a module and all that it imports. */
interface ModuleGraph {
  roots: string[];
  modules: {
    specifier: string;
    dependencies?: { code?: { specifier?: string }; isDynamic?: boolean }[];
  }[];
}
