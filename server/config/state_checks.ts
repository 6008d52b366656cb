/**
 * Checks of the settings of an agent that keeps the replicated state, and of one that does not.
 *
 * @module
 */

import type { Address } from "../../cluster/runtime.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { isLoopback } from "./addresses.ts";
import { ConfigError } from "./error.ts";
import type { AgentConfig } from "./settings.ts";
import {
  durabilityOf,
  hasAccess,
  isGateway,
  keepsState,
  kvAddress,
  NO_ADDRESS,
  peerAddress,
  sessionAddress,
  topicsAddress,
} from "./state_settings.ts";

/** Most servers that found a cluster together: each of them must hear from every write. */
export const MAX_FOUNDERS = 9;

const DURABILITIES = ["sync", "async", "memory"];
const KV_MODES = ["json", "echo"];

/** Each throws what is wrong, in the order in which operators should hear of it. */
export const STATE_CHECKS: readonly ((config: AgentConfig) => void)[] = [
  (config) => {
    if (!keepsState(config)) refuseServersOnly(config);
  },
  ({ dev, dataDir }) => {
    if (!dev || dataDir === "") return;
    fail(`Invalid data_dir: '${dataDir}' with -dev, which keeps nothing. Use -server instead`);
  },
  ({ dev, bootstrapExpect }) => {
    if (!dev || bootstrapExpect === 0) return;
    fail(
      `Invalid bootstrap_expect: ${bootstrapExpect} with -dev, which is a cluster of one. Use ` +
        "-server instead",
    );
  },
  ({ server, dev, dataDir, durability }) => {
    if (!server || dev || dataDir !== "" || durability === "memory") return;
    fail(
      "Missing data_dir: a server keeps its log there. Use -data-dir, or -durability=memory with " +
        "-bootstrap-expect=1 to keep nothing",
    );
  },
  ({ bootstrapExpect }) => {
    if (bootstrapExpect <= MAX_FOUNDERS) return;
    fail(
      `Invalid bootstrap_expect: expected at most ${MAX_FOUNDERS}, got ${bootstrapExpect}. ` +
        "Servers can be added later",
    );
  },
  ({ durability }) => durability === "" || requireOne("durability", durability, DURABILITIES),
  requireOneForLoss,
  ({ raft: { heartbeatMs, electionTimeoutMs } }) => {
    if (heartbeatMs <= electionTimeoutMs / 3) return;
    fail(
      `Invalid raft.heartbeat: ${formatDuration(heartbeatMs)} is more than a third of ` +
        `raft.election_timeout, ${formatDuration(electionTimeoutMs)}`,
    );
  },
  ({ kv: { mode } }) => requireOne("kv.mode", mode, KV_MODES),
  ({ kv: { tlsCert, tlsKey } }) => {
    if ((tlsCert === "") === (tlsKey === "")) return;
    const [given, missing] = tlsCert === "" ? ["tls_key", "tls_cert"] : ["tls_cert", "tls_key"];
    fail(`Missing kv.${missing}: kv.${given} is of no use alone`);
  },
  ({ kv: { tlsClientCa } }) => {
    if (tlsClientCa === "") return;
    fail(
      `Invalid kv.tls_client_ca: '${tlsClientCa}': Deno asks no client for a certificate, so none ` +
        "can be checked. Use kv.tokens_file to tell clients apart",
    );
  },
  (config) => {
    if (hasPorts(config)) usable("peer_addr", () => peerAddress(config));
  },
  (config) => {
    if (hasPorts(config)) requireGuard("kv_addr", config.kvAddr, () => kvAddress(config), config);
  },
  (config) => {
    if (!keepsState(config)) return;
    requireGuard("session_addr", config.sessionAddr, () => sessionAddress(config), config);
    requireGuard("topics_addr", config.topicsAddr, () => topicsAddress(config), config);
  },
  (config) => {
    const { sessions: { timeoutMs }, raft: { electionTimeoutMs } } = config;
    const text = formatDuration(timeoutMs);
    if (timeoutMs < SESSION_TIMEOUT.leastMs || timeoutMs > SESSION_TIMEOUT.mostMs) {
      fail(`Invalid sessions.timeout: expected 5s to 24h, got ${text}`);
    }
    if (!keepsState(config) || timeoutMs >= ELECTIONS_PER_SESSION * electionTimeoutMs) return;
    fail(
      `Invalid sessions.timeout: ${text} is less than ${ELECTIONS_PER_SESSION} times ` +
        `raft.election_timeout, ${formatDuration(electionTimeoutMs)}`,
    );
  },
];

/** Least and longest time that a session lives without a sign of its client. */
const SESSION_TIMEOUT = { leastMs: 5_000, mostMs: 24 * 3_600_000 } as const;

/** A session outlives so many times the time after which servers look for another leader, which may be as long again by chance. */
const ELECTIONS_PER_SESSION = 8;

/** A line about a number of founders that costs more than it gives. */
export function foundersNotes({ bootstrapExpect }: AgentConfig): string[] {
  if (bootstrapExpect < 2 || bootstrapExpect % 2 === 1) return [];
  return [
    `Warning: ${bootstrapExpect} servers bear no more failures than ${bootstrapExpect - 1}. ` +
    "Use an odd number for -bootstrap-expect",
  ];
}

function refuseServersOnly(config: AgentConfig): void {
  const { dataDir, bootstrapExpect, durability, peerAddr, sessionAddr, topicsAddr } = config;
  const refuse = (name: string, value: string | number): void => {
    fail(`Invalid ${name}: ${value} without -server, which it is for. Use -server with it`);
  };
  if (dataDir !== "") refuse("data_dir", `'${dataDir}'`);
  if (bootstrapExpect !== 0) refuse("bootstrap_expect", bootstrapExpect);
  if (durability !== "") refuse("durability", `'${durability}'`);
  if (sessionAddr !== "" && sessionAddr !== NO_ADDRESS) refuse("session_addr", `'${sessionAddr}'`);
  if (topicsAddr !== "" && topicsAddr !== NO_ADDRESS) refuse("topics_addr", `'${topicsAddr}'`);
  if (peerAddr === "" || isGateway(config)) return;
  fail(
    `Invalid peer_addr: '${peerAddr}' without -server or -kv-addr, which it is for. Use one of them ` +
      "with it",
  );
}

/** A port of clients on which nobody has to show who it is has to be on loopback, unless the operator says otherwise. */
function requireGuard(
  name: "kv_addr" | "session_addr" | "topics_addr",
  text: string,
  read: () => Address | undefined,
  { kv }: AgentConfig,
): void {
  const address = usable(name, read);
  if (address === undefined || kv.insecure || isLoopback(address.host) || hasAccess(kv)) return;
  fail(
    `Invalid ${name}: other machines reach '${text}', and nobody has to show who it ` +
      "is. Use -kv-tokens-file to say who may do what, an address of loopback, or -kv-insecure " +
      "to let all of them read and write",
  );
}

/** Whether an agent has the ports of one that keeps the state. */
function hasPorts(config: AgentConfig): boolean {
  return keepsState(config) || isGateway(config);
}

/** What was acknowledged and is lost on one server would be missing on others, or come back. */
function requireOneForLoss(config: AgentConfig): void {
  const { server, dev, bootstrapExpect } = config;
  const durability = durabilityOf(config);
  if (!server || dev || bootstrapExpect === 1) return;
  if (durability !== "async" && durability !== "memory") return;
  fail(
    `Invalid durability: '${durability}' is for one server alone, got a bootstrap_expect of ` +
      `${bootstrapExpect}. Use -durability=sync, or -bootstrap-expect=1`,
  );
}

function requireOne(name: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  const names = `${known.slice(0, -1).join(", ")} or ${known.at(-1)}`;
  fail(`Unknown ${name}: ${value}, expected ${names}`);
}

function usable<A>(name: string, address: () => A): A {
  try {
    return address();
  } catch (cause) {
    throw new ConfigError(`Invalid ${name}: ${(cause as Error).message}`, { cause });
  }
}

function fail(message: string): never {
  throw new ConfigError(message);
}
