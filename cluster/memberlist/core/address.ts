/**
 * Network addresses: the bytes that travel in messages, the text that people and sockets use, and the
 * networks of the allow list (memberlist.md 8.1, 8.11).
 *
 * @module
 */

/**
 * A text that is not an IP address, a network or a host with a port.
 *
 * @example
 * ```ts
 * import { AddressError, hostToAddr } from "@skein/agent/cluster";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => hostToAddr("example.com"), AddressError);
 * ```
 */
export class AddressError extends Error {
  /** Names the class in logs. */
  override readonly name = "AddressError";
}

const V4_LENGTH = 4;
const V6_LENGTH = 16;
/** Where the IPv4 address starts in its IPv6-mapped form, `::ffff:a.b.c.d`. */
const MAPPED_OFFSET = V6_LENGTH - V4_LENGTH;
/** Largest port number. */
const MAX_PORT = 65535;

/**
 * The text of an IP address given as bytes: dotted for 4 bytes and for the 16-byte mapped form, RFC 5952
 * for other IPv6. Never throws, because the bytes come from strangers: any other length gives `?` and
 * the bytes in hex, which no socket takes for an address ({@linkcode isIpAddress} tells beforehand).
 *
 * @example
 * ```ts
 * import { addrToHost } from "@skein/agent/cluster";
 *
 * console.log(addrToHost(Uint8Array.of(10, 0, 0, 5))); // 10.0.0.5
 * ```
 */
export function addrToHost(addr: Uint8Array): string {
  const v4 = toV4(addr);
  if (v4 !== undefined) return v4.join(".");
  if (addr.length === V6_LENGTH) return v6ToText(addr);
  return "?" + Array.from(addr, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether the bytes can be an IP address at all: there are 4 or 16 of them. */
export function isIpAddress(addr: Uint8Array): boolean {
  return addr.length === V4_LENGTH || addr.length === V6_LENGTH;
}

/**
 * The bytes of an IP address given as text: 4 for dotted IPv4 and for IPv4-mapped IPv6, else 16. Takes
 * no brackets, zones or leading zeros in dotted numbers. Throws {@linkcode AddressError}.
 *
 * @example
 * ```ts
 * import { hostToAddr } from "@skein/agent/cluster";
 *
 * console.log(hostToAddr("10.0.0.5")); // 4 bytes
 * ```
 */
export function hostToAddr(host: string): Uint8Array {
  const addr = host.includes(":") ? textToV6(host) : textToV4(host);
  if (addr === undefined) throw new AddressError(`"${host}" is not an IP address`);
  return toV4(addr) ?? addr;
}

/** Whether two addresses have the same bytes. The 4-byte and the mapped form of one IPv4 differ. */
export function sameAddr(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether two addresses are the same IP; the 4-byte and the mapped form of one IPv4 are. */
export function sameIp(a: Uint8Array, b: Uint8Array): boolean {
  return sameAddr(toV4(a) ?? a, toV4(b) ?? b);
}

/**
 * A network of the allow list.
 *
 * @example
 * ```ts
 * import { type Cidr, parseCidr } from "@skein/agent/cluster";
 *
 * const network: Cidr = parseCidr("10.0.0.0/8");
 * console.log(network.bits); // 8
 * ```
 */
export interface Cidr {
  /** The network's address, host bits zero: 4 bytes for IPv4, also when written mapped, else 16. */
  readonly network: Uint8Array;
  /** How many leading bits of an address are the network's: 0 to 32 or 128. */
  readonly bits: number;
}

/**
 * Reads a network such as `10.0.0.0/8` or `fd00::/8`. Throws {@linkcode AddressError}.
 *
 * @example
 * ```ts
 * import { parseCidr } from "@skein/agent/cluster";
 *
 * console.log(parseCidr("10.0.0.0/8").bits); // 8
 * ```
 */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf("/");
  const host = text.slice(0, Math.max(0, slash));
  const addr = host.includes(":") ? textToV6(host) : textToV4(host);
  const bits = decimal(text.slice(slash + 1));
  if (slash < 0 || addr === undefined || bits === undefined || bits > addr.length * 8) {
    throw new AddressError(`"${text}" is not a network, wanted an IP address, "/" and a bit count`);
  }
  const network = masked(addr, bits);
  const v4 = toV4(network);
  // Masking may cut into the mapping prefix; then it is an IPv6 network that holds no IPv4 address.
  if (addr.length === V6_LENGTH && v4 !== undefined && bits >= MAPPED_OFFSET * 8) {
    return { network: v4, bits: bits - MAPPED_OFFSET * 8 };
  }
  return { network, bits };
}

/** Whether the address lies in the network. A mapped IPv4 address lies in IPv4 networks. */
export function cidrContains(cidr: Cidr, addr: Uint8Array): boolean {
  const ip = toV4(addr) ?? addr;
  return ip.length === cidr.network.length && sameAddr(masked(ip, cidr.bits), cidr.network);
}

/** A host and a port. */
export interface HostPort {
  /** Host name or IP address, IPv6 without brackets. */
  readonly host: string;
  /** Port, 0 to 65535. */
  readonly port: number;
}

/**
 * Splits `host:port`, `[IPv6]:port` or, when there is a `defaultPort`, also `host` and `[IPv6]`. As in
 * Go, an IPv6 address needs its brackets. Throws {@linkcode AddressError}.
 */
export function splitHostPort(text: string, defaultPort?: number): HostPort {
  const bracketed = text.startsWith("[");
  const close = text.indexOf("]");
  if (bracketed && close < 0) throw new AddressError(`address ${text}: missing ']' in address`);
  const hostEnd = bracketed ? close + 1 : text.indexOf(":");
  const rest = hostEnd < 0 ? "" : text.slice(hostEnd);
  const host = bracketed ? text.slice(1, close) : hostEnd < 0 ? text : text.slice(0, hostEnd);
  if (rest.lastIndexOf(":") > 0) {
    throw new AddressError(`address ${text}: too many colons in address`);
  }
  if (/[[\]]/.test(host + rest)) {
    throw new AddressError(`address ${text}: unexpected bracket in address`);
  }
  if (!rest.startsWith(":")) {
    if (defaultPort === undefined || rest !== "") {
      throw new AddressError(`address ${text}: missing port in address`);
    }
    return { host, port: defaultPort };
  }
  const port = decimal(rest.slice(1));
  if (port === undefined || port > MAX_PORT) {
    throw new AddressError(
      `address ${text}: invalid port "${rest.slice(1)}", wanted 0 to ${MAX_PORT}`,
    );
  }
  return { host, port };
}

/** `host:port`, with brackets around an IPv6 host. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The 4 bytes of an IPv4 address in either form, or `undefined`. */
function toV4(addr: Uint8Array): Uint8Array | undefined {
  if (addr.length === V4_LENGTH) return addr;
  if (addr.length !== V6_LENGTH || addr[10] !== 0xff || addr[11] !== 0xff) return undefined;
  for (let i = 0; i < 10; i++) if (addr[i] !== 0) return undefined;
  return addr.subarray(MAPPED_OFFSET);
}

function masked(addr: Uint8Array, bits: number): Uint8Array {
  return addr.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * i));
    return byte & (0xff00 >>> kept);
  });
}

/** A decimal number without sign or leading zero, up to five digits. */
function decimal(text: string): number | undefined {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) ? Number(text) : undefined;
}

function textToV4(text: string): Uint8Array | undefined {
  const numbers = text.split(".").map(decimal);
  if (numbers.length !== V4_LENGTH) return undefined;
  const addr = new Uint8Array(V4_LENGTH);
  for (const [i, number] of numbers.entries()) {
    if (number === undefined || number > 255) return undefined;
    addr[i] = number;
  }
  return addr;
}

function textToV6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => half === "" ? [] : half.split(":"));
  const left = groupsToBytes(head as string[], tail === undefined);
  const right = groupsToBytes(tail ?? [], true);
  if (left === undefined || right === undefined) return undefined;
  const length = left.length + right.length;
  // "::" stands for at least one group of zeros; without it nothing may be missing.
  if (tail === undefined ? length !== V6_LENGTH : length > V6_LENGTH - 2) return undefined;
  const addr = new Uint8Array(V6_LENGTH);
  addr.set(left);
  addr.set(right, V6_LENGTH - right.length);
  return addr;
}

/** The bytes of groups of hex digits; the last one may be dotted IPv4 when `mayEndDotted`. */
function groupsToBytes(groups: string[], mayEndDotted: boolean): number[] | undefined {
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >>> 8, value & 0xff);
      continue;
    }
    const dotted = mayEndDotted && i === groups.length - 1 ? textToV4(group) : undefined;
    if (dotted === undefined) return undefined;
    bytes.push(...dotted);
  }
  return bytes;
}

/** RFC 5952: lower case, no leading zeros, `::` for the first longest run of two or more zero groups. */
function v6ToText(addr: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => {
    return (addr[2 * i] as number) << 8 | addr[2 * i + 1] as number;
  });
  let best = { start: 0, length: 1 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (best.length < 2) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}
