/**
 * From the addresses of the configuration to addresses that sockets take (docs/spec/agent.md 6.3).
 *
 * @module
 */

import type { Address } from "../../cluster/runtime.ts";
import { portNumber, splitHostPort } from "../../protocol/host_port.ts";
import { AddressError, addrToHost, endsInNumber, ipBytes, toV4 } from "../../protocol/ip.ts";
import { ConfigError } from "./error.ts";

/** Gossip port when an address names none (docs/spec/agent.md 6.3). */
export const DEFAULT_GOSSIP_PORT = 7946;

/** What the bind addresses of a configuration come to. */
export interface BindPlan {
  /** Where to bind. */
  readonly bind: Address;
  /** What to tell the operator, if anything. */
  readonly notice?: string;
}

/**
 * The IP address and port of `host[:port]`. A host name gives its first IPv4 address, or else its first IPv6 address;
 * no host is every address of this machine.
 *
 * @param label What the address is for, as in `Invalid bind address`.
 * @throws {ConfigError} with Go's reason.
 */
export async function resolveAddress(label: string, text: string): Promise<Address> {
  try {
    const { host, port } = splitGoAddress(text, DEFAULT_GOSSIP_PORT);
    return { host: await firstIp(host === "" ? "0.0.0.0" : host), port };
  } catch (cause) {
    throw new ConfigError(`Invalid ${label} address: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Where to bind when the configuration names a network interface. With the bind address `0.0.0.0` it is the first
 * address of the interface that is not link-local; any other bind address must belong to the interface.
 *
 * @throws {ConfigError} when there is no such interface or address.
 */
export function planBind(bind: Address, interfaceName: string): BindPlan {
  if (interfaceName === "") return { bind };
  const own = requireInterface("Invalid network interface", interfaceName);
  if (bind.host !== "0.0.0.0") {
    if (own.some(({ address }) => address === bind.host)) return { bind };
    throw new ConfigError(`Interface '${interfaceName}' has no '${bind.host}' address`);
  }
  const usable = own.filter(({ address }) => !isLinkLocal(address));
  const chosen = usable.find(({ family }) => family === "IPv4") ?? usable[0];
  if (chosen === undefined) {
    throw new ConfigError(`Failed to find usable address for interface '${interfaceName}'`);
  }
  return {
    bind: { host: chosen.address, port: bind.port },
    notice: `Using interface '${interfaceName}' address '${chosen.address}'`,
  };
}

/**
 * The addresses of a network interface; none for the empty name.
 *
 * @param label What the interface is for, as in `Invalid network interface`.
 * @throws {ConfigError} when there is no such interface.
 */
export function requireInterface(label: string, name: string): Deno.NetworkInterfaceInfo[] {
  if (name === "") return [];
  const own = Deno.networkInterfaces().filter((one) => one.name === name);
  if (own.length > 0) return own;
  throw new ConfigError(`${label}: route ip+net: no such network interface`);
}

/**
 * Splits `host:port`, or `host` when there is a default port.
 *
 * @throws {AddressError} with Go's text.
 */
export function splitGoAddress(text: string, defaultPort?: number): Address {
  let parts = splitHostPort(text);
  if (parts === "missing port in address" && defaultPort !== undefined) {
    parts = splitHostPort(`${text}:${defaultPort}`);
  }
  if (typeof parts === "string") throw new AddressError(`address ${text}: ${parts}`);
  const port = portNumber(parts.port);
  if (port === "unknown port") throw new AddressError(`address tcp/${parts.port}: ${port}`);
  if (port === "invalid port") throw new AddressError(`address ${parts.port}: ${port}`);
  const { host } = parts;
  if (endsInNumber(host) && ipBytes(host) === undefined) {
    throw new AddressError(`lookup ${host}: no such host`);
  }
  return { host, port };
}

/** Whether only this machine reaches a host. Of names, only `localhost` is known to be one. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  const ip = ipBytes(host);
  return ip !== undefined && (toV4(ip)?.[0] === 127 || addrToHost(ip) === "::1");
}

async function firstIp(host: string): Promise<string> {
  const ip = ipBytes(host);
  if (ip !== undefined) return addrToHost(ip);
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(host, { all: true });
    const chosen = found.find(({ family }) => family === 4) ?? found[0];
    if (chosen !== undefined) return chosen.address;
  } catch {
    // The text below says it.
  }
  throw new AddressError(`lookup ${host}: no such host`);
}

function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
}
