/**
 * The defaults of a server that depend on its other settings.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loadConfig } from "../../../server/config/load.ts";
import type { SomeOf } from "../../../server/config/options/option.ts";
import {
  type AgentConfig,
  completeConfig,
  DEFAULT_AGENT_CONFIG,
} from "../../../server/config/settings.ts";
import { stateSettings } from "../../../server/config/state_settings.ts";

const settle = (given: SomeOf<AgentConfig>, bindHost?: string) => {
  const state = stateSettings(completeConfig(given), bindHost);
  assert.ok(state);
  return state;
};

Deno.test("an agent that keeps no state has no settings of it", () => {
  assert.equal(stateSettings(DEFAULT_AGENT_CONFIG), undefined);
  assert.equal(stateSettings(completeConfig({ kvAddr: "none" })), undefined);
});

Deno.test("a server syncs, and takes other servers where it gossips, clients on loopback", () => {
  const { raft, kv, sessions, topics } = DEFAULT_AGENT_CONFIG;
  assert.deepEqual(
    settle({ server: true, dataDir: "/d", bootstrapExpect: 3, bind: "10.0.0.5:1" }),
    {
      dataDir: "/d",
      bootstrapExpect: 3,
      peer: { host: "10.0.0.5", port: 7376 },
      kv: { host: "127.0.0.1", port: 8379 },
      durability: "sync",
      raft,
      sessions,
      session: { host: "127.0.0.1", port: 7375 },
      topics: { host: "127.0.0.1", port: 9092 },
      topicsOptions: topics,
      kvOptions: {
        mode: "json",
        idleLimitMs: kv.idleLimitMs,
        maxConnections: kv.maxConnections,
        tokensFile: "",
        tlsCert: "",
        tlsKey: "",
      },
    },
  );
});

Deno.test("-dev is a cluster of one on loopback that keeps nothing", () => {
  const { dataDir, bootstrapExpect, peer, kv, durability } = settle({ dev: true });
  assert.deepEqual({ dataDir, bootstrapExpect, peer, kv, durability }, {
    dataDir: undefined,
    bootstrapExpect: 1,
    peer: { host: "127.0.0.1", port: 7376 },
    kv: { host: "127.0.0.1", port: 8379 },
    durability: "memory",
  });
  assert.equal(settle({ dev: true, durability: "sync" }).durability, "sync");
  assert.equal(settle({ dev: true, bind: "10.0.0.5" }).peer.host, "127.0.0.1");
});

Deno.test("-dev gossips on loopback, unless somebody says where", async () => {
  const bindOf = (given: SomeOf<AgentConfig>, settings?: AgentConfig) =>
    completeConfig(given, settings).bind;
  assert.equal(bindOf({ dev: true }), "127.0.0.1");
  assert.equal(bindOf({ dev: true, bind: "0.0.0.0" }), "0.0.0.0");
  assert.equal(bindOf({ dev: true, interface: "lo" }), "0.0.0.0");
  assert.equal(bindOf({ dev: true }, { ...DEFAULT_AGENT_CONFIG, bind: "10.0.0.5" }), "10.0.0.5");
  assert.equal(bindOf({ server: true }), "0.0.0.0");
  assert.equal((await loadConfig([], { dev: true })).config.bind, "127.0.0.1");
});

Deno.test("addresses of the state may lack host or port, be free or none", () => {
  const peerOf = (given: SomeOf<AgentConfig>, bindHost?: string) =>
    settle({ server: true, ...given }, bindHost).peer;
  assert.deepEqual(peerOf({ peerAddr: "10.0.0.6" }), { host: "10.0.0.6", port: 7376 });
  assert.deepEqual(peerOf({ peerAddr: "[::1]:0" }), { host: "::1", port: 0 });
  assert.deepEqual(peerOf({ peerAddr: ":5" }), { host: "0.0.0.0", port: 5 });
  assert.deepEqual(peerOf({}), { host: "0.0.0.0", port: 7376 });
  assert.deepEqual(peerOf({ bind: ":1" }), { host: "0.0.0.0", port: 7376 });
  assert.deepEqual(peerOf({}, "10.0.0.7"), { host: "10.0.0.7", port: 7376 });
  const kvOf = (kvAddr: string) => settle({ dev: true, kvAddr }).kv;
  assert.deepEqual(kvOf("localhost"), { host: "localhost", port: 8379 });
  assert.deepEqual(kvOf("127.0.0.2:0"), { host: "127.0.0.2", port: 0 });
  assert.equal(kvOf("none"), undefined);
  const sessionOf = (sessionAddr: string) => settle({ dev: true, sessionAddr }).session;
  assert.deepEqual(sessionOf("127.0.0.2"), { host: "127.0.0.2", port: 7375 });
  assert.equal(sessionOf("none"), undefined);
  const topicsOf = (topicsAddr: string) => settle({ dev: true, topicsAddr }).topics;
  assert.deepEqual(topicsOf("127.0.0.2"), { host: "127.0.0.2", port: 9092 });
  assert.equal(topicsOf("none"), undefined);
});
