/**
 * Networks of IP addresses, for the allow list (docs/spec/memberlist.md 8.11).
 *
 * @module
 */

import { equalBytes } from "../../../protocol/bytes.ts";
import { AddressError, decimal, ipBytes, toV4 } from "../../../protocol/ip.ts";

/** Bits before the IPv4 address in its IPv6-mapped form, `::ffff:a.b.c.d`. */
const MAPPED_BITS = 96;

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
  const addr = ipBytes(host);
  const bits = decimal(text.slice(slash + 1));
  if (slash < 0 || addr === undefined || bits === undefined || bits > addr.length * 8) {
    throw new AddressError(`"${text}" is not a network, wanted an IP address, "/" and a bit count`);
  }
  const network = masked(addr, bits);
  const v4 = toV4(network);
  // Masking may cut into the mapping prefix; then it is an IPv6 network that holds no IPv4 address.
  if (v4 === undefined || v4 === network) return { network, bits };
  return { network: v4, bits: bits - MAPPED_BITS };
}

/** Whether the address lies in the network. A mapped IPv4 address lies in IPv4 networks. */
export function cidrContains(cidr: Cidr, addr: Uint8Array): boolean {
  const ip = toV4(addr) ?? addr;
  return ip.length === cidr.network.length && equalBytes(masked(ip, cidr.bits), cidr.network);
}

function masked(addr: Uint8Array, bits: number): Uint8Array {
  return addr.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * i));
    return byte & (0xff00 >>> kept);
  });
}
