/**
 * What an agent says of itself when it runs (docs/spec/agent.md 6.1).
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import type { Address } from "../../cluster/runtime.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import type { StateAddresses } from "../agent/state.ts";
import { splitGoAddress } from "../config/addresses.ts";
import type { AgentConfig } from "../config/load.ts";
import type { Console } from "./console.ts";

/** Column in which the labels end (docs/spec/agent.md 6.1). */
const LABEL_WIDTH = 27;

/** What the banner tells besides the settings. */
export interface BannerFacts {
  /** Where the agent gossips. */
  readonly address: Address;
  /** What it tells others. */
  readonly advertise: Address;
  /** Where RPC clients are let in. */
  readonly rpcAddr: string;
  /** Whether it has a key. */
  readonly encrypted: boolean;
  /** Of a server: where it listens for others and for key-value clients, and where it keeps what it knows. */
  readonly state: StateAddresses | undefined;
}

/** Prints the banner. */
export function showBanner(console: Console, config: AgentConfig, facts: BannerFacts): void {
  const { nodeName, profile, compression, discover } = config;
  const { rpcAddr, encrypted, state } = facts;
  const bindAddr = joinHostPort(facts.address.host, facts.address.port);
  const advertiseAddr = joinHostPort(facts.advertise.host, facts.advertise.port);
  const snapshot = config.snapshotPath !== "";
  const { version } = project;
  console.say("Serf agent running!", {
    version,
    node_name: nodeName,
    bind_addr: bindAddr,
    advertise_addr: advertiseAddr,
    rpc_addr: rpcAddr,
    encrypted,
    snapshot,
    profile,
    compression,
    ...discover && { mdns_cluster: discover },
    ...state && {
      peer_addr: state.peerAddr,
      ...state.kvAddr && { kv_addr: state.kvAddr },
      ...state.sessionAddr && { session_addr: state.sessionAddr },
      ...state.topicsAddr && { topics_addr: state.topicsAddr },
      ...state.dataDir && { data_dir: state.dataDir },
    },
  });
  const row = (label: string, value: string | boolean): void =>
    console.detail(`${label.padStart(LABEL_WIDTH)}: ${value}`);
  row("Version", `skein ${version}`);
  row("Node name", `'${nodeName}'`);
  row("Bind addr", `'${bindAddr}'`);
  row("Advertise addr", `'${advertiseAddr}'`);
  row("RPC addr", `'${rpcAddr}'`);
  row("Encrypted", encrypted);
  row("Snapshot", snapshot);
  row("Profile", profile);
  row("Message Compression Enabled", compression);
  if (discover) row("mDNS cluster", discover);
  if (state === undefined) return;
  row("Peer addr", `'${state.peerAddr}'`);
  row("Key-value addr", state.kvAddr === undefined ? "none" : `'${state.kvAddr}'`);
  row("Session addr", state.sessionAddr === undefined ? "none" : `'${state.sessionAddr}'`);
  row("Topics addr", state.topicsAddr === undefined ? "none" : `'${state.topicsAddr}'`);
  row(
    "Data dir",
    state.dataDir === undefined ? "temporary, gone at the end" : `'${state.dataDir}'`,
  );
}

/** What a newcomer can paste into another terminal. */
export function showFirstSteps(console: Console, steps: FirstSteps): void {
  const { kvAddr, topicsAddr, rpcAddr } = steps;
  const { host, port } = splitGoAddress(kvAddr);
  const at = (flag: string, address: string, usual: string): string =>
    address === usual ? "" : ` ${flag} ${address}`;
  const kv = at("-kv-addr", kvAddr, "127.0.0.1:8379");
  console.say("Try this in another terminal:");
  console.detail(
    `  echo '{"action":"SET","key":"greeting","value":"hello"}' | nc -w 1 ${host} ${port}`,
  );
  console.detail(`  echo '{"action":"GET","key":"greeting"}' | nc -w 1 ${host} ${port}`);
  console.detail(`  skein kv get${kv} greeting`);
  if (topicsAddr !== undefined) {
    const topics = at("-topics-addr", topicsAddr, "127.0.0.1:9092");
    console.detail(`  echo hello | skein topic produce${topics} greetings`);
    console.detail(`  skein topic consume${topics} greetings`);
  }
  console.detail(`  skein raft${at("-rpc-addr", rpcAddr, "127.0.0.1:7373")} status`);
}

/** Where the first steps lead. */
export interface FirstSteps {
  /** Where key-value clients are let in. */
  readonly kvAddr: string;
  /** Where clients of topics are let in, if they are. */
  readonly topicsAddr: string | undefined;
  /** Where RPC clients are let in. */
  readonly rpcAddr: string;
}
