/**
 * IP addresses: the bytes that travel in messages and the text that people and sockets use.
 *
 * @module
 */

import { equalBytes } from "./bytes.ts";

/**
 * A text that is not an IP address, a network of them, or a host with a port.
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
  const addr = ipBytes(host);
  if (addr === undefined) throw new AddressError(`"${host}" is not an IP address`);
  return toV4(addr) ?? addr;
}

/** Whether two addresses are the same IP; the 4-byte and the mapped form of one IPv4 are. */
export function sameIp(a: Uint8Array, b: Uint8Array): boolean {
  return equalBytes(toV4(a) ?? a, toV4(b) ?? b);
}

/** The 4 bytes of an IPv4 address in either form, or `undefined`. */
export function toV4(addr: Uint8Array): Uint8Array | undefined {
  if (addr.length === V4_LENGTH) return addr;
  if (addr.length !== V6_LENGTH || addr[10] !== 0xff || addr[11] !== 0xff) return undefined;
  for (let i = 0; i < 10; i++) if (addr[i] !== 0) return undefined;
  return addr.subarray(MAPPED_OFFSET);
}

/** The bytes of an IP address as it is written: 4 for dotted text, 16 for text with colons; `undefined` when it is none. */
export function ipBytes(text: string): Uint8Array | undefined {
  return text.includes(":") ? textToV6(text) : textToV4(text);
}

/**
 * Whether a host is an IPv4 address or nothing, as its last label is a number (URL Standard, section 3.5). Resolvers take
 * `10.258`, `010` and `0x0a010203` for addresses, which hardly anybody means.
 */
export function endsInNumber(host: string): boolean {
  return /(^|\.)(\d+|0x[\da-f]*)\.?$/i.test(host);
}

/** A decimal number without sign or leading zero, up to five digits; `undefined` for any other text. */
export function decimal(text: string): number | undefined {
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
