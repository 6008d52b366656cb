/**
 * Messages between servers by chance.
 *
 * @module
 */

import type { EntryType, MemberRole, Message } from "../../../cluster/raft/mod.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";

const ENTRY_TYPES: readonly EntryType[] = ["command", "no-op", "barrier", "configuration"];
const ROLES: readonly MemberRole[] = ["voter", "learner", "staging"];

/** A message of any type. `most` bounds its entries. */
export function randomMessage(random: SeededRandom, most = 20): Message {
  const number = () => Math.floor(random.float() * 2 ** below(random, 53));
  const flag = () => random.float() < 0.5;
  const term = number();
  switch (below(random, 9)) {
    case 0:
      return { type: "pre-vote", term, lastIndex: number(), lastTerm: number() };
    case 1:
      return { type: "pre-vote-reply", term, granted: flag() };
    case 2:
      return { type: "vote", term, lastIndex: number(), lastTerm: number(), transfer: flag() };
    case 3:
      return { type: "vote-reply", term, granted: flag() };
    case 4: {
      const [prevIndex, prevTerm] = [number(), below(random, term + 1)];
      const entries = Array.from({ length: term === 0 ? 0 : below(random, most + 1) }, (_, i) => ({
        index: prevIndex + 1 + i,
        term: Math.max(1, prevTerm),
        type: ENTRY_TYPES[below(random, 4)] as EntryType,
        time: number(),
        data: random.bytes(below(random, 100)),
      }));
      return {
        type: "append",
        term,
        prevIndex,
        prevTerm,
        entries,
        commit: number(),
        round: number(),
      };
    }
    case 5:
      return {
        type: "append-reply",
        term,
        success: flag(),
        prevIndex: number(),
        matchIndex: number(),
        conflictTerm: number(),
        conflictIndex: number(),
        lastIndex: number(),
        round: number(),
      };
    case 6: {
      const members = Array.from({ length: 1 + below(random, 5) }, (_, i) => ({
        id: `${i}${random.bytes(15).toHex()}`,
        role: i === 0 ? "voter" as const : ROLES[below(random, 3)] as MemberRole,
      }));
      const snapshot = {
        index: number(),
        term: number(),
        configuration: members,
        configurationIndex: number(),
        size: number(),
        hash: random.bytes(32).toHex(),
      };
      const chunk = random.bytes(below(random, 300));
      return { type: "install", term, snapshot, offset: number(), chunk };
    }
    case 7:
      return {
        type: "install-reply",
        term,
        index: number(),
        nextOffset: number(),
        installed: flag(),
      };
    default:
      return { type: "timeout-now", term };
  }
}
