/**
 * How an agent that keeps the replicated state is to be: its settings with the defaults that depend on others.
 *
 * @module
 */

import type { Address } from "../../cluster/runtime.ts";
import type { Durability, StateSettings as ServerSettings } from "../replica/state_settings.ts";
import { DEFAULT_GOSSIP_PORT, splitGoAddress } from "./addresses.ts";
import type { AgentConfig, KvConfig, TopicsConfig } from "./settings.ts";

/** Port of the other servers when an address names none. */
export const DEFAULT_PEER_PORT = 7376;
/** Port of key-value clients when an address names none. */
export const DEFAULT_KV_PORT = 8379;

/** Port of clients with sessions when an address names none. */
export const DEFAULT_SESSION_PORT = 7375;

/** Port of clients of topics when an address names none. */
export const DEFAULT_TOPICS_PORT = 9092;

/** What an address says that is to be none. */
export const NO_ADDRESS = "none";

const LOOPBACK = "127.0.0.1";

/** How one port of key-value clients is to be. Times are milliseconds. */
export interface KvSettings extends Omit<KvConfig, "mode" | "insecure" | "tlsClientCa"> {
  /** What clients get: answers to requests, or their own bytes. */
  readonly mode: "json" | "echo";
}

/** How the state of an agent is to be. */
export interface StateSettings extends ServerSettings {
  /** Where key-value clients are let in; `undefined`: nowhere. */
  readonly kv: Address | undefined;
  /** How they are served. */
  readonly kvOptions: KvSettings;
  /** Where clients with sessions are let in; `undefined`: nowhere. */
  readonly session: Address | undefined;
  /** Where clients of topics are let in; `undefined`: nowhere. */
  readonly topics: Address | undefined;
  /** How they are served. */
  readonly topicsOptions: TopicsConfig;
}

/**
 * How the state of an agent is to be, `undefined` for one that keeps none. Hosts may be names; no host is `0.0.0.0`.
 *
 * @param config Settings that were checked.
 * @param bindHost Where gossip is bound, for the peers' port when `peerAddr` is "". Default: the host of `bind`.
 * @throws {AddressError} for settings that were not checked.
 */
export function stateSettings(config: AgentConfig, bindHost?: string): StateSettings | undefined {
  if (!keepsState(config)) return undefined;
  const { dev, bootstrapExpect, raft } = config;
  return {
    dataDir: config.dataDir === "" ? undefined : config.dataDir,
    bootstrapExpect: dev ? 1 : bootstrapExpect,
    peer: peerAddress(config, bindHost),
    kv: kvAddress(config),
    durability: durabilityOf(config),
    raft,
    sessions: config.sessions,
    kvOptions: kvSettings(config),
    session: sessionAddress(config),
    topics: topicsAddress(config),
    topicsOptions: config.topics,
  };
}

function kvSettings({ kv }: AgentConfig): KvSettings {
  return {
    mode: kv.mode as KvSettings["mode"],
    idleLimitMs: kv.idleLimitMs,
    maxConnections: kv.maxConnections,
    tokensFile: kv.tokensFile,
    tlsCert: kv.tlsCert,
    tlsKey: kv.tlsKey,
  };
}

/** How an agent is to be that keeps no state and asks the servers for its clients. */
export interface GatewaySettings {
  /** Where it listens for servers. */
  readonly peer: Address;
  /** Where key-value clients are let in. */
  readonly kv: Address;
  /** How they are served. */
  readonly kvOptions: KvSettings;
}

/** How the gateway of an agent is to be, `undefined` for one that is none; see {@linkcode stateSettings}. */
export function gatewaySettings(
  config: AgentConfig,
  bindHost?: string,
): GatewaySettings | undefined {
  const kv = isGateway(config) ? kvAddress(config) : undefined;
  return kv && { peer: peerAddress(config, bindHost), kv, kvOptions: kvSettings(config) };
}

/** Whether an agent keeps no state and has key-value clients all the same. */
export function isGateway(config: AgentConfig): boolean {
  return !keepsState(config) && config.kvAddr !== "" && config.kvAddr !== NO_ADDRESS;
}

/** Whether an agent is to keep the state. */
export function keepsState({ server, dev }: AgentConfig): boolean {
  return server || dev;
}

/** Whether key-value clients have to show who they are. */
export function hasAccess({ mode, tokensFile }: Pick<KvConfig, "mode" | "tokensFile">): boolean {
  return mode === "json" && tokensFile !== "";
}

/** When a write is acknowledged; whatever was said, when that is no such word. */
export function durabilityOf({ durability, dev }: AgentConfig): Durability {
  return (durability || (dev ? "memory" : "sync")) as Durability;
}

/**
 * Where a server listens for the others.
 *
 * @param bindHost Where gossip is bound. Default: the host of `bind`.
 * @throws {AddressError} when it is no address.
 */
export function peerAddress(config: AgentConfig, bindHost?: string): Address {
  if (config.peerAddr !== "") return addressOf(config.peerAddr, DEFAULT_PEER_PORT);
  const host = config.dev ? LOOPBACK : bindHost ?? addressOf(config.bind, DEFAULT_GOSSIP_PORT).host;
  return { host, port: DEFAULT_PEER_PORT };
}

/**
 * Where a server lets key-value clients in, `undefined` for nowhere.
 *
 * @throws {AddressError} when it is no address.
 */
export function kvAddress({ kvAddr }: AgentConfig): Address | undefined {
  return clientAddress(kvAddr, DEFAULT_KV_PORT);
}

/**
 * Where a server lets clients with sessions in, `undefined` for nowhere.
 *
 * @throws {AddressError} when it is no address.
 */
export function sessionAddress({ sessionAddr }: AgentConfig): Address | undefined {
  return clientAddress(sessionAddr, DEFAULT_SESSION_PORT);
}

/**
 * Where a server lets clients of topics in, `undefined` for nowhere.
 *
 * @throws {AddressError} when it is no address.
 */
export function topicsAddress({ topicsAddr }: AgentConfig): Address | undefined {
  return clientAddress(topicsAddr, DEFAULT_TOPICS_PORT);
}

function clientAddress(text: string, defaultPort: number): Address | undefined {
  if (text === NO_ADDRESS) return undefined;
  return text === "" ? { host: LOOPBACK, port: defaultPort } : addressOf(text, defaultPort);
}

function addressOf(text: string, defaultPort: number): Address {
  const { host, port } = splitGoAddress(text, defaultPort);
  return { host: host === "" ? "0.0.0.0" : host, port };
}
