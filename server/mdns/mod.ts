/**
 * `discover`: agents of one network find each other by multicast DNS and join (docs/spec/agent.md 6.10). To be loaded when it is
 * asked for.
 *
 * @module
 */

import type { Address } from "../../cluster/runtime.ts";
import type { Member } from "../../cluster/serf/mod.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import { addrToHost } from "../../protocol/ip.ts";
import { background, guarded } from "../logging/background.ts";
import type { AgentLog } from "../logging/log.ts";
import { Responder } from "./responder.ts";
import { search } from "./search.ts";
import { isUsableClusterName } from "./service.ts";
import type { IpFamily } from "./sockets.ts";

/** Time between two searches, in milliseconds (docs/spec/agent.md 6.10). */
const POLL_MS = 60_000;

/** This long after the last agent was found all are joined, in milliseconds (docs/spec/agent.md 6.10). */
const QUIET_MS = 100;

/** Agents that are joined at a time; the others are known after that, or found again by the next search. */
const MAX_FOUND = 64;

/** What to look for, and what to tell others. */
export interface DiscoveryOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Network interface to use; "" for the system's choice. */
  readonly interface: string;
  /** Do not ask over IPv4. Questions are answered all the same. */
  readonly disableIpv4: boolean;
  /** Do not ask over IPv6. Questions are answered all the same. */
  readonly disableIpv6: boolean;
  /** The own node. */
  readonly own: Member;
  /** Where lines go. */
  readonly log: AgentLog;
  /** All members that are known, the own node included. */
  members(): readonly Member[];
  /** Whether the own node is to be found, and to find others: not while it leaves. */
  isActive(): boolean;
  /** Joins agents; resolves with how many answered, rejects when none did. */
  join(addresses: readonly string[]): Promise<number>;
  /** Time between two searches, in milliseconds. Default 60,000. */
  readonly pollMs?: number;
}

/** Looks for agents, and is found by them, until it is disposed of. */
export class Discovery implements Disposable {
  readonly #options: DiscoveryOptions;
  readonly #responder: Responder;
  readonly #stopped = new AbortController();
  readonly #found = new Set<string>();
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #isJoining = false;

  private constructor(options: DiscoveryOptions, responder: Responder) {
    this.#options = options;
    this.#responder = responder;
    this.#search();
  }

  /**
   * Begins to answer, and to look for others at once.
   *
   * @throws {Error} when the name is too long, or no interface takes part in multicast.
   */
  static async start(options: DiscoveryOptions): Promise<Discovery> {
    const { cluster, own, log } = options;
    if (!isUsableClusterName(cluster)) {
      throw new Error(`Cluster name '${cluster}' does not fit a DNS name`);
    }
    if (options.interface !== "") {
      log.write("INFO", "agent", `Starting mDNS listener on interface ${options.interface}`);
    }
    const { name: node, addr, port } = own;
    const service = { cluster, node, hostname: Deno.hostname(), addr, port };
    const responder = await Responder.start(service, options.interface, log, options.isActive);
    return new Discovery(options, responder);
  }

  /** Looks for no more agents, and answers none. A join that is under way goes on. */
  [Symbol.dispose](): void {
    this.#stopped.abort();
    clearTimeout(this.#poll);
    clearTimeout(this.#quiet);
    this.#responder[Symbol.dispose]();
  }

  #search(): void {
    const { cluster, log, disableIpv4, disableIpv6, isActive, pollMs = POLL_MS } = this.#options;
    const { signal } = this.#stopped;
    this.#poll = setTimeout(guarded(() => this.#search(), log), pollMs);
    if (!isActive()) return;
    const families: IpFamily[] = [];
    if (!disableIpv4) families.push("IPv4");
    if (!disableIpv6) families.push("IPv6");
    const where = { cluster, interface: this.#options.interface, families, log, signal };
    search(where, (address) => this.#add(address)).catch((error: Error) => {
      log.write("ERR", "agent.mdns", `Failed to poll for new hosts: ${error.message}`);
    });
  }

  /** Notes an agent that is no live member. Whom a join did not reach is found again by a later search. */
  #add({ host, port }: Address): void {
    if (this.#stopped.signal.aborted || this.#found.size >= MAX_FOUND) return;
    const isKnown = this.#options.members().some((member) =>
      member.port === port && addrToHost(member.addr) === host &&
      (member.status === "alive" || member.status === "leaving")
    );
    const address = joinHostPort(host, port);
    if (isKnown || this.#found.has(address)) return;
    this.#found.add(address);
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#joinSoon(), QUIET_MS);
  }

  #joinSoon(): void {
    background(this.#join(), this.#options.log);
  }

  async #join(): Promise<void> {
    if (this.#isJoining) return;
    const addresses = [...this.#found];
    this.#found.clear();
    const { isActive, join, log } = this.#options;
    if (!isActive()) return;
    this.#isJoining = true;
    try {
      const joined = await join(addresses);
      if (joined > 0) log.write("INFO", "agent.mdns", `Joined ${joined} hosts`);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      log.write("ERR", "agent.mdns", `Failed to join: ${(error as Error).message}`);
    } finally {
      this.#isJoining = false;
      if (this.#found.size > 0 && !this.#stopped.signal.aborted) this.#joinSoon();
    }
  }
}
