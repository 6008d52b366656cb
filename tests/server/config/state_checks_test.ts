/**
 * What a server, or an agent that is none, is told before it starts.
 *
 * @module
 */

import assert from "node:assert/strict";
import { settingProblems } from "../../../server/config/checks.ts";
import { checkConfig, ConfigError, type ConfigInput } from "../../../server/config/load.ts";
import type { SomeOf } from "../../../server/config/options/option.ts";
import { type AgentConfig, completeConfig } from "../../../server/config/settings.ts";

const problems = async (input: ConfigInput) =>
  (await checkConfig([], input)).problems.map(({ message }) => message);

/** A server that lacks nothing. */
const SERVER: ConfigInput = { server: true, data_dir: "/d", bootstrap_expect: 1 };

const forServers = (name: string, value: string) =>
  `Invalid ${name}: ${value} without -server, which it is for. Use -server with it`;
const oneServer = (durability: string, expect: number) =>
  `Invalid durability: '${durability}' is for one server alone, got a bootstrap_expect of ` +
  `${expect}. Use -durability=sync, or -bootstrap-expect=1`;
const isOpen = (address: string, name = "kv_addr") =>
  `Invalid ${name}: other machines reach '${address}', and nobody has to show who it is. Use ` +
  "-kv-tokens-file to say who may do what, an address of loopback, or -kv-insecure to let all " +
  "of them read and write";

Deno.test("what no server could use is refused, each with its reason and what to do", async () => {
  const refused: [ConfigInput, string][] = [
    [
      { server: true },
      "Missing data_dir: a server keeps its log there. Use -data-dir, or -durability=memory with " +
      "-bootstrap-expect=1 to keep nothing",
    ],
    [
      { dev: true, data_dir: "/d" },
      "Invalid data_dir: '/d' with -dev, which keeps nothing. Use -server instead",
    ],
    [
      { dev: true, bootstrap_expect: 3 },
      "Invalid bootstrap_expect: 3 with -dev, which is a cluster of one. Use -server instead",
    ],
    [{ data_dir: "/d" }, forServers("data_dir", "'/d'")],
    [{ bootstrap_expect: 3 }, forServers("bootstrap_expect", "3")],
    [{ durability: "sync" }, forServers("durability", "'sync'")],
    [
      { peer_addr: "127.0.0.1:1" },
      "Invalid peer_addr: '127.0.0.1:1' without -server or -kv-addr, which it is for. Use one of " +
      "them with it",
    ],
    [{ kv_addr: "127.0.0.1:1", data_dir: "/d" }, forServers("data_dir", "'/d'")],
    [{ kv_addr: "127.0.0.1:99999" }, "Invalid kv_addr: address 99999: invalid port"],
    [
      { kv_addr: "127.0.0.1:1", peer_addr: "[::1" },
      "Invalid peer_addr: address [::1: missing ']' in address",
    ],
    [{ kv_addr: "0.0.0.0:1" }, isOpen("0.0.0.0:1")],
    [{ session_addr: "127.0.0.1:1" }, forServers("session_addr", "'127.0.0.1:1'")],
    [{ ...SERVER, session_addr: "0.0.0.0:1" }, isOpen("0.0.0.0:1", "session_addr")],
    [{ topics_addr: "127.0.0.1:1" }, forServers("topics_addr", "'127.0.0.1:1'")],
    [{ ...SERVER, topics_addr: "0.0.0.0:1" }, isOpen("0.0.0.0:1", "topics_addr")],
    [
      { ...SERVER, session_addr: "127.0.0.1:99999" },
      "Invalid session_addr: address 99999: invalid port",
    ],
    [
      { ...SERVER, sessions: { timeout: "4999ms" } },
      "Invalid sessions.timeout: expected 5s to 24h, got 4.999s",
    ],
    [
      { ...SERVER, sessions: { timeout: "24h1s" } },
      "Invalid sessions.timeout: expected 5s to 24h, got 24h0m1s",
    ],
    [
      { ...SERVER, sessions: { timeout: "7s" } },
      "Invalid sessions.timeout: 7s is less than 8 times raft.election_timeout, 1s",
    ],
    [
      { ...SERVER, bootstrap_expect: -1 },
      "Invalid bootstrap_expect: expected a positive number, got -1",
    ],
    [
      { ...SERVER, bootstrap_expect: 11 },
      "Invalid bootstrap_expect: expected at most 9, got 11. Servers can be added later",
    ],
    [
      { ...SERVER, durability: "disk" },
      "Unknown durability: disk, expected sync, async or memory",
    ],
    [{ ...SERVER, bootstrap_expect: 3, durability: "async" }, oneServer("async", 3)],
    [{ ...SERVER, bootstrap_expect: 0, durability: "async" }, oneServer("async", 0)],
    [{ server: true, durability: "memory" }, oneServer("memory", 0)],
    [
      { ...SERVER, raft: { heartbeat: "500ms" } },
      "Invalid raft.heartbeat: 500ms is more than a third of raft.election_timeout, 1s",
    ],
    [
      { ...SERVER, raft: { snapshot_entries: -1 } },
      "Invalid raft.snapshot_entries: expected a positive number, got -1",
    ],
    [{ ...SERVER, kv: { mode: "JSON" } }, "Unknown kv.mode: JSON, expected json or echo"],
    [
      { ...SERVER, peer_addr: "[::1" },
      "Invalid peer_addr: address [::1: missing ']' in address",
    ],
    [
      { ...SERVER, kv_addr: "127.0.0.1:99999" },
      "Invalid kv_addr: address 99999: invalid port",
    ],
    [{ ...SERVER, kv_addr: "0.0.0.0:8379" }, isOpen("0.0.0.0:8379")],
    [{ ...SERVER, kv_addr: ":8379" }, isOpen(":8379")],
    [{ ...SERVER, kv_addr: "10.0.0.1" }, isOpen("10.0.0.1")],
    [{ dev: true, kv_addr: "[::]" }, isOpen("[::]")],
    [{ ...SERVER, kv_addr: "127.0.0.1.example:1" }, isOpen("127.0.0.1.example:1")],
    [
      { ...SERVER, kv_addr: ":1", kv: { mode: "echo", tokens_file: "/t" } },
      isOpen(":1"),
    ],
    [
      { ...SERVER, kv_addr: ":1", kv: { tls_cert: "/c", tls_key: "/k" } },
      isOpen(":1"),
    ],
    [
      { ...SERVER, kv: { tls_cert: "/c" } },
      "Missing kv.tls_key: kv.tls_cert is of no use alone",
    ],
    [
      { ...SERVER, kv: { tls_key: "/k" } },
      "Missing kv.tls_cert: kv.tls_key is of no use alone",
    ],
    [
      { ...SERVER, kv: { tls_client_ca: "/ca" } },
      "Invalid kv.tls_client_ca: '/ca': Deno asks no client for a certificate, so none can be " +
      "checked. Use kv.tokens_file to tell clients apart",
    ],
  ];
  for (const [input, message] of refused) assert.deepEqual(await problems(input), [message]);
});

Deno.test("what a server can use is taken", async () => {
  const taken: ConfigInput[] = [
    {},
    { kv_addr: "none" },
    SERVER,
    { server: true, data_dir: "/d" },
    { ...SERVER, bootstrap_expect: 9 },
    { ...SERVER, durability: "async" },
    { server: true, bootstrap_expect: 1, durability: "memory" },
    { ...SERVER, raft: { election_timeout: "300ms" } },
    { ...SERVER, kv_addr: "0.0.0.0:8379", kv: { insecure: true } },
    { ...SERVER, kv_addr: "0.0.0.0:8379", kv: { tokens_file: "/t" } },
    { ...SERVER, kv_addr: ":1", kv: { tokens_file: "/t", tls_cert: "/c", tls_key: "/k" } },
    { ...SERVER, kv_addr: "none" },
    { ...SERVER, kv_addr: "localhost" },
    { ...SERVER, kv_addr: "127.9.9.9:0" },
    { ...SERVER, kv_addr: "[::1]:1" },
    { ...SERVER, kv_addr: "[::ffff:127.0.0.1]:1" },
    { ...SERVER, peer_addr: "10.0.0.1" },
    { dev: true },
    { dev: true, server: true },
    { dev: true, durability: "sync" },
  ];
  for (const input of taken) assert.deepEqual(await problems(input), [], JSON.stringify(input));
});

Deno.test("programs are told of values that files cannot even give", () => {
  const given: [SomeOf<AgentConfig>, string][] = [
    [{ bootstrapExpect: -1 }, "Invalid bootstrap_expect: expected a whole number from 0, got -1"],
    [{ bootstrapExpect: 1.5 }, "Invalid bootstrap_expect: expected a whole number from 0, got 1.5"],
    [{ raft: { heartbeatMs: 0 } }, "Invalid raft.heartbeat: expected 1ms or more, got 0 ms"],
    [{ raft: { trailing: 0 } }, "Invalid raft.trailing: expected a whole number from 1, got 0"],
    [
      { raft: { snapshotEntries: 0 } },
      "Invalid raft.snapshot_entries: expected a whole number from 1, got 0",
    ],
    [{ kv: { idleLimitMs: -1 } }, "Invalid kv.idle_timeout: expected 0s or more, got -1 ms"],
    [
      { kv: { maxConnections: 0 } },
      "Invalid kv.max_connections: expected a whole number from 1, got 0",
    ],
  ];
  for (const [settings, message] of given) {
    const config = completeConfig({ server: true, dataDir: "/d", ...settings });
    assert.deepEqual(settingProblems(config), [new ConfigError(message)]);
  }
});

Deno.test("an even number of founders is taken, with a word about it", async () => {
  const warnings = async (bootstrap_expect: number) =>
    (await checkConfig([], { ...SERVER, bootstrap_expect })).warnings;
  assert.deepEqual(await warnings(4), [
    "Warning: 4 servers bear no more failures than 3. Use an odd number for -bootstrap-expect",
  ]);
  for (const founders of [0, 1, 3, 9]) assert.deepEqual(await warnings(founders), []);
});
