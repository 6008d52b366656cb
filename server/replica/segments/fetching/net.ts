/**
 * The way to servers that may have what is missing here of messages.
 *
 * @module
 */

import type { Configuration } from "../../../../cluster/raft/mod.ts";
import type { Clock } from "../../../../cluster/runtime.ts";
import { UnsentError } from "../../driver/parts.ts";
import { pauseOn, type PieceNet } from "./fetch.ts";

/** This server, and how it asks others. */
export interface PieceHost {
  readonly id: string;
  readonly replica: {
    readonly leaderId: string | undefined;
    readonly configuration: Configuration;
  } | undefined;
  readonly links: {
    request(
      to: string,
      bytes: Uint8Array,
      timeoutMs: number,
      lane: "bulk",
    ): Promise<Uint8Array>;
  };
}

/**
 * The way from a server, which need not be there yet. Pieces are large, so that they have a connection of their own. Who did not
 * answer lately is asked last.
 */
export function pieceNet(clock: Clock, host: () => PieceHost | undefined): PieceNet {
  /** How often in a row nobody answered. */
  const failures = new Map<string, number>();
  const failuresOf = (server: string): number => failures.get(server) ?? 0;
  return {
    servers(members) {
      const { id, replica } = host() ?? {};
      const own = replica?.configuration.map((member) => member.id) ?? [];
      const leader = replica?.leaderId;
      const all = new Set([...leader === undefined ? [] : [leader], ...own, ...members]);
      const others = [...all].filter((one) => one !== id);
      for (const known of failures.keys()) if (!others.includes(known)) failures.delete(known);
      return others.sort((a, b) => failuresOf(a) - failuresOf(b));
    },
    async ask(server, request, timeoutMs) {
      const links = host()?.links;
      if (links === undefined) throw new UnsentError("This server has only begun");
      try {
        const answer = await links.request(server, request, timeoutMs, "bulk");
        failures.delete(server);
        return answer;
      } catch (error) {
        failures.set(server, failuresOf(server) + 1);
        throw error;
      }
    },
    pause: (ms, signal) => pauseOn(clock, ms, signal),
  };
}

/** No way: nobody is asked. */
export const NO_NET: PieceNet = {
  servers: () => [],
  ask: () => Promise.reject(new UnsentError("Nobody is asked")),
  pause: () => Promise.resolve(),
};
