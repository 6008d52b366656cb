/**
 * What an agent says of itself when it runs (docs/spec/agent.md 6.1).
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import type { Address } from "../../cluster/runtime.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
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
}

/** Prints the banner. */
export function showBanner(console: Console, config: AgentConfig, facts: BannerFacts): void {
  const { nodeName, profile, compression, discover } = config;
  const { rpcAddr, encrypted } = facts;
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
}
