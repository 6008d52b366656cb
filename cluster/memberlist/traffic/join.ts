/**
 * Joining a cluster by the addresses of some of its nodes (docs/spec/memberlist.md 8.10).
 *
 * @module
 */

import { joinHostPort, MAX_PORT, splitHostPort } from "../../../protocol/host_port.ts";
import { addrToHost, endsInNumber, hostToAddr } from "../../../protocol/ip.ts";
import { goQuote } from "../../../protocol/quote.ts";
import { Places } from "../../places.ts";
import type { Core } from "../core/core.ts";
import { JoinError, ShutdownError } from "../core/errors.ts";
import type { Destination } from "../core/node.ts";
import { StreamError } from "../wire/stream.ts";
import { type ExchangeOptions, exchangeState } from "./push_pull.ts";

/** Addresses that one join has under way; further ones wait. */
const MAX_AT_ONCE = 16;

/** An address to join as it was given: `[name/]host[:port]`. */
export interface JoinAddress {
  /** The name of the node that is expected there; "" when not given. */
  readonly name: string;
  /** IP address or host name; may be "". */
  readonly host: string;
  /** Port, 0 to 65535. */
  readonly port: number;
}

/** A member that was joined, and how many others it told of. */
interface Met {
  readonly to: Destination;
  readonly told: number;
}

/** The text is no address to join. The messages are those of the Go agent (docs/spec/agent.md 3, join). */
export class JoinAddressError extends Error {
  /** `"JoinAddressError"`, whatever happens to the name of the class. */
  override readonly name = "JoinAddressError";
}

/**
 * Exchanges states with every address, side by side, and returns how many exchanges succeeded; a name may stand
 * for several addresses. Rejects with {@linkcode JoinError} when there were addresses and none succeeded,
 * with {@linkcode ShutdownError} when a shutdown comes in between, and with its reason when the signal of `options`
 * aborts.
 */
export async function joinAddresses(
  core: Core,
  addresses: readonly string[],
  options: ExchangeOptions = {},
): Promise<number> {
  const places = new Places(MAX_AT_ONCE);
  const met: Met[] = [];
  const failed = (level: "warn" | "debug", what: string, cause: unknown): Error => {
    options.signal?.throwIfAborted();
    if (core.timers.closed) throw new ShutdownError();
    const reason = reasonOf(cause);
    const error = new Error(`failed to ${what}: ${reason}`, { cause });
    core.logger[level](error.message);
    return error;
  };
  const joinOne = async (to: Destination): Promise<Error[]> => {
    try {
      const told = await places.run(() => core.joining.run(() => attempt(core, to, options)));
      met.push({ to, told });
      return [];
    } catch (cause) {
      return [failed("debug", `join ${joinHostPort(to.host, to.port)}`, cause)];
    }
  };
  const joinAll = async (text: string): Promise<Error[]> => {
    let destinations: Destination[];
    try {
      destinations = await places.run(() => resolveAddress(core, text));
    } catch (cause) {
      return [failed("warn", `resolve ${text}`, cause)];
    }
    return (await Promise.all(destinations.map(joinOne))).flat();
  };
  const errors = (await unlessAborted(Promise.all(addresses.map(joinAll)), options.signal)).flat();
  if (met.length === 0 && errors.length > 0) throw new JoinError(errors);
  introduce(core, met);
  return met.length;
}

/**
 * What one member told is missing from what another was told at the same time: those who know fewer nodes than this one
 * does now, as they are of several clusters, get it once more.
 */
function introduce(core: Core, met: readonly Met[]): void {
  if (met.length < 2) return;
  for (const { to, told } of met) {
    if (told < core.table.size - 1) core.timers.background(core.joining.run(() => again(core, to)));
  }
}

async function again(core: Core, to: Destination): Promise<void> {
  try {
    await exchangeState(core, to, false);
  } catch (error) {
    if (core.timers.closed) return;
    const where = joinHostPort(to.host, to.port);
    core.logger.debug(`Push/Pull with ${where} after a join failed: ${(error as Error).message}`);
  }
}

/** Serf's RPC port takes a gossip stream for a broken request and closes it. */
function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (!(cause instanceof StreamError && cause.kind === "closed")) return reason;
  return `${reason}. Is it an RPC address? Members join the address for gossip, by default port 7946`;
}

/** What `work` gives; rejects with the signal's reason when that aborts first. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** An exchange that is cancelled while it waits for its place does not begin. */
async function attempt(core: Core, to: Destination, options: ExchangeOptions): Promise<number> {
  options.signal?.throwIfAborted();
  return await exchangeState(core, to, true, options);
}

/** Where an address to join leads. Rejects with {@linkcode JoinAddressError}, or why the name cannot be looked up. */
export async function resolveAddress(core: Core, text: string): Promise<Destination[]> {
  const { name, host, port } = parseJoinAddress(text, core.transport.localAddress.port);
  return (await resolveHost(core, host)).map((ip) => ({ host: ip, port, name }));
}

/**
 * Takes `[name/]host[:port]` apart. An IPv6 address needs brackets only when a port follows. Throws
 * {@linkcode JoinAddressError}.
 */
export function parseJoinAddress(text: string, defaultPort: number): JoinAddress {
  const slash = text.indexOf("/");
  if (slash === 0) throw new JoinAddressError("empty node name provided");
  const name = text.slice(0, Math.max(0, slash));
  const { host, port } = splitPort(text.slice(slash + 1));
  return { name, host, port: port === undefined ? defaultPort : parsePort(port) };
}

function splitPort(address: string): { host: string; port?: string } {
  const [, bracketed] = /^\[([^\]]*)\]$/.exec(address) ?? [];
  if (bracketed !== undefined) return { host: bracketed };
  if (!address.startsWith("[") && address.split(":").length !== 2) return { host: address };
  const parts = splitHostPort(address);
  if (typeof parts === "string") throw new JoinAddressError(`address ${address}: ${parts}`);
  return parts;
}

function parsePort(text: string): number {
  const port = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  if (port <= MAX_PORT) return port;
  const reason = Number.isNaN(port) ? "invalid syntax" : "value out of range";
  throw new JoinAddressError(`strconv.ParseUint: parsing ${goQuote(text)}: ${reason}`);
}

async function resolveHost(core: Core, host: string): Promise<string[]> {
  // What looks like an IP address is one or is wrong; a resolver has no say in it.
  if (host !== "" && !host.includes(":") && !endsInNumber(host)) {
    return await core.transport.resolve(host);
  }
  try {
    return [addrToHost(hostToAddr(host))];
  } catch (cause) {
    throw new JoinAddressError(`lookup ${host}: no such host`, { cause });
  }
}
