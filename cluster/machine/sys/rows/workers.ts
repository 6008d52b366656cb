/**
 * Sessions that are connected, to be found by what they can do, the one that has waited longest first.
 *
 * A skill is the name of a capability, or that with its value: a session has both for each of its capabilities.
 *
 * @module
 */

import { getU64, putU64 } from "../../../../protocol/bytes.ts";
import { MAX_SKILL_LENGTH } from "../../../../protocol/kv/limits.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { decodeTuple, keysBelow } from "../../store/tuple.ts";
import { type Capability, getCapabilities, textOf } from "./capabilities.ts";
import { rowKey, skillKey, SKILLS, workersKey } from "./keys.ts";
import type { Session } from "./session.ts";
import type { Totals } from "./totals.ts";

/** A session that may be given something. */
export interface Candidate {
  /** The key of its row among those of the skill. */
  readonly key: Uint8Array;
  /** Its id. */
  readonly session: Uint8Array;
}

/** Capabilities that say nothing of what somebody can do. */
const OTHERS: readonly string[] = ["session-ext", "client-id"];

/** Whether a client says by its capabilities that it can do something. */
export function hasSkill(capabilities: readonly Capability[]): boolean {
  return capabilities.some(([name]) => !OTHERS.includes(name));
}

/** The skill that a capability is, or with a value that is not "" that of this value. */
export function skillOf(capability: string, value: string): string {
  return value === "" ? capability : `${capability}=${value}`;
}

/** The session is connected: it can be found from now on. */
export function enlist(state: Transaction, totals: Totals, session: Session): void {
  for (const [nameBytes, valueBytes] of getCapabilities(state, session.serial)) {
    const [name, value] = [textOf(nameBytes), textOf(valueBytes)] as [string, string];
    if (OTHERS.includes(name)) continue;
    for (const skill of [name, skillOf(name, value)]) {
      if (skill.length <= MAX_SKILL_LENGTH) queueUp(state, totals, session, skill);
    }
  }
}

/** The session is not connected any more. */
export function dismiss(state: Transaction, { serial }: Session): void {
  const { from, to } = keysBelow(rowKey(state, SKILLS, serial));
  for (const { key, value } of state.range(from, to, Infinity)) {
    state.delete(rowKey(state, workersKey(skillAt(key)), getU64(value, 0)));
    state.delete(key);
  }
}

/** The skills of a session that is connected. */
export function skillsOf(state: StoreReader, { serial }: Session): string[] {
  const { from, to } = keysBelow(rowKey(state, SKILLS, serial));
  return state.range(from, to, Infinity).map(({ key }) => skillAt(key));
}

/** Those who have a skill, at most `limit`, the one that has waited longest first. */
export function workersOf(state: StoreReader, skill: string, limit: number): Candidate[] {
  const { from, to } = keysBelow(workersKey(skill));
  return state.range(from, to, limit).map(({ key, value }) => ({ key, session: value }));
}

/** A worker is the last one of all from now on. */
export function goBehind(
  state: Transaction,
  totals: Totals,
  session: Pick<Session, "id" | "serial">,
  skill: string,
  { key }: Candidate,
): void {
  state.delete(key);
  queueUp(state, totals, session, skill);
}

function queueUp(
  state: Transaction,
  totals: Totals,
  session: Pick<Session, "id" | "serial">,
  skill: string,
): void {
  const turn = ++totals.lastSerial;
  state.put(rowKey(state, workersKey(skill), turn), session.id.slice());
  const row = state.allocate(8);
  putU64(row, 0, turn);
  state.put(skillKey(session.serial, skill), row);
}

function skillAt(key: Uint8Array): string {
  return decodeTuple(key).at(-1) as string;
}
