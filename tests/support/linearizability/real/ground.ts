/**
 * Where three servers stand: on loopback addresses, or each with a network and a disk of its own.
 *
 * @module
 */

import { join } from "node:path";

/** Addresses, disks and networks of servers. */
export interface Ground {
  /** An IP address for each server. */
  readonly hosts: readonly string[];
  /** A folder for the data of each server. */
  readonly disks: readonly string[];
  /** Flags that all servers need here. */
  readonly flags: readonly string[];
  /** What is put before the command line of a server. */
  readonly launcher: (server: number) => readonly string[];
  /** Loses what one server sends to another; `undefined` where that cannot be done. */
  readonly cut?: (from: number, to: number) => Promise<void>;
  /** Ends that. */
  readonly join?: (from: number, to: number) => Promise<void>;
}

/** Loopback addresses, and folders below `folder`. */
export function loopbackGround(hosts: readonly string[], folder: string): Ground {
  return {
    hosts,
    disks: hosts.map((_, i) => join(folder, `disk${i}`)),
    flags: [],
    launcher: () => [],
  };
}

const COUNT = 3;
const NUMBERS = Array.from({ length: COUNT }, (_, i) => i);
const hostOf = (server: number): string => `10.77.0.${server + 1}`;
const diskOf = (server: number): string => `/mnt/disk${server}`;
const networkOf = (server: number): string => `server${server}`;

/** Room on each disk: for all that is written in the longest campaign, of which nothing is deleted. */
const DISK_SIZE = "256m";

/** An address of no interface: what is sent to it gets lost without a word. */
const NOWHERE = "02:00:00:00:00:99";

/**
 * Lines of a shell script that make {@linkcode separateGround}, in a network namespace with mounts of its own: a bridge, and a
 * namespace and a small disk in memory for each server.
 */
export const SEPARATE_SETUP: readonly string[] = [
  "mount -t tmpfs none /run",
  "mount -t tmpfs none /mnt",
  "ip link set lo up",
  "ip link add bridge0 type bridge",
  "ip addr add 10.77.0.254/24 dev bridge0",
  "ip link set bridge0 up",
  ...NUMBERS.flatMap((server) => [
    `ip netns add ${networkOf(server)}`,
    `ip link add link${server} type veth peer name eth0 netns ${networkOf(server)}`,
    `ip link set link${server} master bridge0 up`,
    `ip -n ${networkOf(server)} addr add ${hostOf(server)}/24 dev eth0`,
    `ip -n ${networkOf(server)} link set eth0 up`,
    `ip -n ${networkOf(server)} link set lo up`,
    `mkdir ${diskOf(server)}`,
    `mount -t tmpfs -o size=${DISK_SIZE} none ${diskOf(server)}`,
  ]),
];

/** What {@linkcode SEPARATE_SETUP} made. Clients reach all servers, whichever of them reach each other. */
export const separateGround: Ground = {
  hosts: NUMBERS.map(hostOf),
  disks: NUMBERS.map(diskOf),
  flags: ["-kv-insecure"],
  launcher: (server) => ["nsenter", `--net=/run/netns/${networkOf(server)}`],
  cut: (from, to) =>
    neighbour(from, "replace", hostOf(to), "lladdr", NOWHERE, "dev", "eth0", "nud", "permanent"),
  join: (from, to) => neighbour(from, "del", hostOf(to), "dev", "eth0"),
};

/** Removes what earlier servers left on the disks of {@linkcode separateGround}. */
export async function emptyDisks(): Promise<void> {
  for (const disk of separateGround.disks) {
    for await (const { name } of Deno.readDir(disk)) {
      await Deno.remove(join(disk, name), { recursive: true });
    }
  }
}

async function neighbour(server: number, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", {
    args: ["-n", networkOf(server), "neigh", ...args],
  }).output();
  if (!success) throw new Error(`ip neigh: ${new TextDecoder().decode(stderr)}`);
}
