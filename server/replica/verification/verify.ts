/**
 * Compares the servers: the hash of the dump of each one's state right after one entry, and whether its files can be read.
 *
 * Every member is told to look out for a barrier with a certain token; then the leader appends it. So all of them look at the
 * state after the same entry, however far behind they are and whatever is written meanwhile, and nothing waits for them.
 *
 * @module
 */

import type { Configuration, MemberRole } from "../../../cluster/raft/mod.ts";
import type { Clock } from "../../../cluster/runtime.ts";
import { formatDuration } from "../../../protocol/duration.ts";
import { type CheckAnswer, decodeAnswer, encodeQuestion } from "./questions.ts";

/** How long a server may take for one answer, in milliseconds; less than after which it takes the comparison for given up. */
const ANSWER_MS = 2_000;

/** Pause between two questions, in milliseconds. */
const PAUSE_MS = 100;

/** What the comparison needs of the server that makes it. */
export interface VerifyParts {
  readonly clock: Clock;
  readonly members: Configuration;
  /** The name of the agent with that node id, as far as gossip has it. */
  readonly nameOf: (id: string) => string | undefined;
  /** Asks one of the members, this server among them. */
  readonly ask: (id: string, question: Uint8Array, timeoutMs: number) => Promise<Uint8Array>;
  /** Has the leader append a barrier; resolves with nothing when it is applied there, else with why it may not be. */
  readonly mark: (timeoutMs: number) => Promise<string | undefined>;
  /** Whether this server ends. */
  readonly isOver: () => boolean;
}

/** What came of one server. `silent`: it has not answered in time, or could not take part. */
export type VerifyResult = "equal" | "differs" | "damaged" | "silent";

/** One server as it was found. */
export interface VerifiedServer {
  /** Name of its agent, "" while gossip does not show it. */
  readonly name: string;
  readonly id: string;
  readonly role: MemberRole;
  readonly result: VerifyResult;
  /** SHA-256 of the dump of its state, in hex; `null` when it could not be had. */
  readonly hash: string | null;
  /** Bytes of the dump, as many as were read. */
  readonly bytes: number;
  /** What is damaged, or why there is no answer. */
  readonly problems: readonly string[];
}

/** The servers compared. */
export interface VerifyReport {
  /** The entry after which they were compared; `null` when no server came to it. */
  readonly index: number | null;
  /** Whether every member was found whole, and equal to all others. */
  readonly equal: boolean;
  /** What more than half of those have that told a hash; `null` when none is. */
  readonly hash: string | null;
  /** The members, in order of their ids. */
  readonly servers: readonly VerifiedServer[];
}

/** No comparison came about. The message says why. */
export class VerifyError extends Error {
  /** "VerifyError". */
  override readonly name = "VerifyError";
}

/** What is known of a member meanwhile. */
interface Look {
  readonly id: string;
  answer: CheckAnswer | undefined;
  /** Why there is none, or none any more. */
  silent: string | undefined;
  /** What went wrong with the last question. */
  lost: string | undefined;
}

/**
 * Compares the members, for `timeoutMs` at most: who has not answered then is `silent`.
 *
 * Rejects with a {@linkcode VerifyError} when no leader could be made to append the entry.
 */
export async function verify(
  parts: VerifyParts,
  token: string,
  timeoutMs: number,
): Promise<VerifyReport> {
  const { clock, members } = parts;
  const end = clock.now() + timeoutMs;
  const looks = members.map(({ id }): Look => ({
    id,
    answer: undefined,
    silent: undefined,
    lost: undefined,
  }));
  await Promise.all(looks.map((look) => ask(parts, look, { token, begins: true }, end)));
  const taken = looks.filter(({ answer }) => answer?.state === "waiting");
  for (const look of looks) {
    if (look.answer?.state === "busy") look.silent = "Another comparison is under way there";
    else if (look.answer === undefined) look.silent ??= `It cannot be reached: ${look.lost}`;
  }
  let problem: string | undefined = "There was no time";
  while (taken.some(isOpen) && clock.now() < end && !parts.isOver()) {
    // Tried again until somebody leads: whoever was asked looks at the first of several barriers.
    if (problem !== undefined) problem = await parts.mark(Math.min(ANSWER_MS, end - clock.now()));
    const index = indexOf(looks);
    await Promise.all(
      taken.filter(isOpen).map((look) => ask(parts, look, { token, begins: false, index }, end)),
    );
    if (taken.some(isOpen)) await pause(clock, Math.min(PAUSE_MS, end - clock.now()));
  }
  if (taken.length > 0 && problem !== undefined && indexOf(looks) === undefined) {
    throw new VerifyError(
      `No leader marked the entry at which to compare within ${
        formatDuration(timeoutMs)
      }, for which a majority of the servers ` +
        `has to run: ${problem}`,
    );
  }
  return judged(parts, looks, timeoutMs);
}

/** Asks one member; what it does not say is no matter as long as it may say it later. */
async function ask(
  { clock, ask }: VerifyParts,
  look: Look,
  question: {
    readonly token: string;
    readonly begins: boolean;
    readonly index?: number | undefined;
  },
  end: number,
): Promise<void> {
  const limit = Math.max(1, Math.min(ANSWER_MS, end - clock.now()));
  let bytes: Uint8Array;
  try {
    bytes = await ask(look.id, encodeQuestion(question), limit);
  } catch (error) {
    look.lost = (error as Error).message;
    return;
  }
  look.lost = undefined;
  const answer = decodeAnswer(bytes);
  if (answer === undefined) look.silent = "It does not know how to be compared";
  else if (answer.state === "unknown") look.silent = "It was restarted meanwhile";
  else look.answer = answer;
}

function isOpen({ answer, silent }: Look): boolean {
  return silent === undefined && (answer?.state === "waiting" || answer?.state === "reading");
}

function indexOf(looks: readonly Look[]): number | undefined {
  return looks.find(({ answer }) => answer?.index !== undefined)?.answer?.index;
}

function judged(
  { members, nameOf }: VerifyParts,
  looks: readonly Look[],
  timeoutMs: number,
): VerifyReport {
  const hash = mostOf(looks.flatMap(({ answer }) => answer?.hash ?? []));
  const servers = looks.map((look, i): VerifiedServer => {
    const { answer } = look;
    const silent = look.silent ?? silenceOf(look, timeoutMs);
    const damage = answer?.problems ?? [];
    return {
      name: nameOf(look.id) ?? "",
      id: look.id,
      role: (members[i] as Configuration[number]).role,
      result: answer?.hash !== undefined && answer.hash !== hash
        ? "differs"
        : damage.length > 0
        ? "damaged"
        : silent !== undefined
        ? "silent"
        : "equal",
      hash: answer?.hash ?? null,
      bytes: answer?.bytes ?? 0,
      problems: [...damage, ...silent === undefined ? [] : [silent]],
    };
  });
  return {
    index: indexOf(looks) ?? null,
    equal: servers.every(({ result }) => result === "equal"),
    hash: hash ?? null,
    servers,
  };
}

/** Why a server that took part has not told all. */
function silenceOf({ answer, lost }: Look, timeoutMs: number): string | undefined {
  if (lost !== undefined) return `It does not answer any more: ${lost}`;
  switch (answer?.state) {
    case "done":
      return answer.hash === undefined ? "Its state could not be read" : undefined;
    case "waiting":
      return `It has come to entry ${answer.applied} within ${timeoutMs} ms`;
    case "reading":
      return `It has read ${answer.bytes ?? 0} bytes within ${timeoutMs} ms`;
    default:
      return "It has come past the entry by a snapshot";
  }
}

/** What more than half of them are. */
function mostOf(hashes: readonly string[]): string | undefined {
  return hashes.find((hash) => hashes.filter((one) => one === hash).length > hashes.length / 2);
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(Math.max(0, ms), resolve));
}
