/**
 * The address that others are told when an agent listens on all of them, chosen as Go's agent does (docs/spec/agent.md
 * 6.3): of interfaces that are up, the one with the default route first.
 *
 * @module
 */

import type { Family } from "../net/listen.ts";

/** What the choice depends on besides the addresses. */
export interface Routing {
  /** The interface of the default route, `undefined` when there is none or nobody can tell. */
  readonly defaultInterface: string | undefined;
  /** Whether an interface is up, as far as one can tell. */
  isUp(name: string): boolean;
}

/** An address of an interface. */
export type InterfaceAddress = Pick<
  Deno.NetworkInterfaceInfo,
  "name" | "family" | "address" | "cidr"
>;

/** An interface has this flag when it is up (netdevice(7), IFF_UP). */
const FLAG_UP = 1;

/** A route has this flag when it refuses what would go there (route(8), RTF_REJECT). */
const FLAG_REJECT = 0x200;

/** A private address of this machine; `undefined` when there is none in these families. */
export function privateAddress(families: readonly Family[]): string | undefined {
  const own = Deno.networkInterfaces().filter(({ family }) => families.includes(family));
  return bestOf(own, ROUTING);
}

/**
 * Of private addresses on interfaces that are up: those on the interface of the default route first, then IPv4, then the
 * largest network.
 */
export function bestOf(own: readonly InterfaceAddress[], routing: Routing): string | undefined {
  const usable = own.filter(({ name, address }) => isPrivate(address) && routing.isUp(name));
  if (usable.length < 2) return usable[0]?.address;
  const { defaultInterface } = routing;
  const rank = ({ name, family, cidr }: InterfaceAddress): number[] => [
    name === defaultInterface ? 0 : 1,
    family === "IPv4" ? 0 : 1,
    Number(cidr.split("/")[1]),
  ];
  const ranked = usable.map((one) => ({ rank: rank(one), address: one.address }));
  ranked.sort((a, b) => {
    const i = a.rank.findIndex((value, i) => value !== b.rank[i]);
    return i < 0 ? 0 : (a.rank[i] as number) - (b.rank[i] as number);
  });
  return ranked[0]?.address;
}

/** RFC 1918, the shared space of RFC 6598, benchmarking networks (RFC 2544); unique local IPv6 (RFC 4193). */
function isPrivate(address: string): boolean {
  if (address.includes(":")) return /^f[cd]/i.test(address);
  const [a = -1, b = -1] = address.split(".").map(Number);
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128) || (a === 198 && (b === 18 || b === 19));
}

/** What Linux tells a program that may read everything; elsewhere nothing is known, and all interfaces count as up. */
const ROUTING: Routing = {
  get defaultInterface() {
    return defaultRoute4(read("/proc/net/route")) ?? defaultRoute6(read("/proc/net/ipv6_route"));
  },
  isUp(name) {
    const flags = read(`/sys/class/net/${name}/flags`);
    return flags === "" || (Number(flags) & FLAG_UP) !== 0;
  },
};

/** The interface of the IPv4 default route with the least metric, from the text of `/proc/net/route` (proc(5)). */
export function defaultRoute4(text: string): string | undefined {
  return leastMetric(
    rows(text).flatMap(([name, destination, , flags, , , metric, mask]) => {
      const isDefault = destination === "00000000" && mask === "00000000";
      return isDefault && !rejects(flags) ? [{ name, metric: Number(metric) }] : [];
    }),
  );
}

/** The same of IPv6, from the text of `/proc/net/ipv6_route`. */
export function defaultRoute6(text: string): string | undefined {
  return leastMetric(
    rows(text).flatMap(([destination, length, , , , metric, , , flags, name]) => {
      const isDefault = length === "00" && /^0+$/.test(destination ?? "");
      return isDefault && !rejects(flags) ? [{ name, metric: parseInt(metric ?? "", 16) }] : [];
    }),
  );
}

function rows(text: string): string[][] {
  return text.split("\n").map((line) => line.trim().split(/\s+/));
}

function rejects(flags: string | undefined): boolean {
  return (parseInt(flags ?? "", 16) & FLAG_REJECT) !== 0;
}

function leastMetric(
  routes: readonly { readonly name: string | undefined; readonly metric: number }[],
): string | undefined {
  return routes.toSorted((a, b) => a.metric - b.metric)[0]?.name;
}

/** The text of a file of the kernel; "" where there is none, or it may not be read. Asks nobody for a permission. */
function read(path: string): string {
  try {
    const { state } = Deno.permissions.querySync({ name: "read", path });
    return state === "granted" ? Deno.readTextFileSync(path) : "";
  } catch {
    // Not Linux, no such interface, or not allowed.
    return "";
  }
}
