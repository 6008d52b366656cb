/**
 * What an agent says of itself when it runs (docs/spec/agent.md 6.1).
 *
 * @module
 */

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
  /** What it tells others, when configured. */
  readonly advertise: Address | undefined;
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
  const advertiseAddr = facts.advertise && joinHostPort(facts.advertise.host, facts.advertise.port);
  const snapshot = config.snapshotPath !== "";
  console.say("Serf agent running!", {
    node_name: nodeName,
    bind_addr: bindAddr,
    ...advertiseAddr && { advertise_addr: advertiseAddr },
    rpc_addr: rpcAddr,
    encrypted,
    snapshot,
    profile,
    compression,
    ...discover && { mdns_cluster: discover },
  });
  const row = (label: string, value: string | boolean): void =>
    console.detail(`${label.padStart(LABEL_WIDTH)}: ${value}`);
  row("Node name", `'${nodeName}'`);
  row("Bind addr", `'${bindAddr}'`);
  // Out of line with the others, as in Serf.
  if (advertiseAddr) console.detail(`Advertise addr: '${advertiseAddr}'`);
  row("RPC addr", `'${rpcAddr}'`);
  row("Encrypted", encrypted);
  row("Snapshot", snapshot);
  row("Profile", profile);
  row("Message Compression Enabled", compression);
  if (discover) row("mDNS cluster", discover);
}
