/**
 * Ends sessions of which nothing was heard for too long, and those whose clients wish it, by one entry for all at a time.
 *
 * Who was heard when, only this server knows, and only as long as it leads: the next leader waits for all of them anew. So a
 * session may live longer than its time, and never shorter.
 *
 * @module
 */

import {
  decodeExpired,
  decodeSessions,
  decodeTotals,
  expireSessionsCommand,
  MAX_ENDED,
  type SessionInfo,
  sessionsQuestion,
  totalsQuestion,
} from "../../../cluster/machine/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import { Deadlines } from "../leading/deadlines.ts";
import { textOfId } from "./ids.ts";
import type { Leadership } from "../leading/leadership.ts";
import { SCAN_PAUSE_MS, SCANNED } from "./limits.ts";
import type { Done } from "./proposals/proposals.ts";

/** What the ending of sessions needs. */
export interface ExpiryParts {
  readonly clock: Clock;
  /** How long a session lives without a sign of its client, in milliseconds. */
  readonly timeoutMs: number;
  readonly machine: () => Leadership["machine"];
  /** Whether requests of a session are under way: what its client sends meanwhile may have to wait. */
  readonly isBusy: (session: string) => boolean;
  /** Is told of each session that was there before. */
  readonly found: (session: SessionInfo) => void;
  /** Calls back later, once. */
  readonly propose: (command: Uint8Array, done: Done) => void;
}

/** The expiry of one leadership. */
export class Expiry {
  readonly #parts: ExpiryParts;
  readonly #deadlines = new Deadlines();
  /** Those whose time is over, but whose end was not proposed: whoever is heard of now goes on. */
  readonly #due = new Set<string>();
  /** Those that are to end whatever is heard of them: by their wish, or since that was proposed and may come about. */
  readonly #ending = new Set<string>();
  /** Whether rows of ended sessions are left to be swept. */
  #isLeft = false;
  #isProposing = false;
  #isOver = false;
  #scan: Timer | undefined;

  /** All sessions that there are get their full time. */
  constructor(parts: ExpiryParts) {
    this.#parts = parts;
    if (this.lookForLeavings() > 0) {
      this.#scanFrom(undefined, parts.clock.now() + parts.timeoutMs);
    }
  }

  /** Whoever had sessions end, something may be left of them. Returns how many there are. */
  lookForLeavings(): number {
    const totals = this.#parts.machine().query(totalsQuestion());
    if (!totals.ok) return 0;
    const { sessions, leavings } = decodeTotals(totals.body);
    this.#isLeft = leavings > 0;
    return sessions;
  }

  /** Whether there is anything to look after. */
  get isBusy(): boolean {
    return this.#deadlines.size + this.#due.size + this.#ending.size > 0 || this.#isLeft ||
      this.#scan !== undefined;
  }

  /** Something was heard of a session. */
  heard(session: string): void {
    const { clock, timeoutMs } = this.#parts;
    if (this.#ending.has(session)) return;
    this.#due.delete(session);
    this.#deadlines.set(session, clock.now() + timeoutMs);
  }

  /** Somebody asks for a session, which may be none: only one that has a deadline gets another. */
  wanted(session: string): void {
    if (this.#deadlines.has(session) || this.#due.has(session)) this.heard(session);
  }

  /** Whether a session is about to end. */
  isEnding(session: string): boolean {
    return this.#ending.has(session);
  }

  /** Ends a session now. */
  end(session: string): void {
    this.#forget(session);
    this.#ending.add(session);
    this.#propose();
  }

  /** A session has ended. */
  ended(session: string): void {
    this.#forget(session);
    this.#ending.delete(session);
  }

  /** Looks for those whose time is over. */
  tick(): void {
    const { clock, isBusy } = this.#parts;
    const now = clock.now();
    for (const session of this.#deadlines.takeDue(now)) {
      // It is looked at again by the next look.
      if (isBusy(session)) this.#deadlines.set(session, now);
      else this.#due.add(session);
    }
    this.#propose();
  }

  /** The leadership has ended. */
  close(): void {
    this.#isOver = true;
    this.#scan?.cancel();
  }

  #forget(session: string): void {
    this.#deadlines.delete(session);
    this.#due.delete(session);
  }

  #propose(): void {
    const isAny = this.#ending.size + this.#due.size > 0 || this.#isLeft;
    if (this.#isProposing || this.#isOver || !isAny) return;
    this.#isProposing = true;
    const sessions = [...this.#ending, ...this.#due].slice(0, MAX_ENDED);
    for (const session of sessions) {
      this.#due.delete(session);
      this.#ending.add(session);
    }
    const command = expireSessionsCommand(sessions.map((session) => Uint8Array.fromHex(session)));
    this.#parts.propose(command, (result) => {
      this.#isProposing = false;
      // What came to nothing is tried again by the next look.
      if (this.#isOver || result?.ok !== true) return;
      this.#isLeft = decodeExpired(result.body).isLeft;
      for (const session of sessions) this.#ending.delete(session);
      this.#propose();
    });
  }

  /** Gives those a deadline that were there before, some at a time; those who were heard of meanwhile have a later one. */
  #scanFrom(after: Uint8Array | undefined, deadline: number): void {
    const { clock, machine, found } = this.#parts;
    this.#scan = undefined;
    const answer = machine().query(sessionsQuestion({ after, limit: SCANNED }));
    if (!answer.ok) return;
    const { sessions, more } = decodeSessions(answer.body);
    for (const info of sessions) {
      found(info);
      const session = textOfId(info.id);
      const isKnown = this.#deadlines.has(session) || this.#due.has(session) ||
        this.#ending.has(session);
      if (!isKnown) this.#deadlines.set(session, deadline);
    }
    const last = sessions.at(-1)?.id;
    if (!more || last === undefined) return;
    const next = last.slice();
    this.#scan = clock.setTimer(SCAN_PAUSE_MS, () => this.#scanFrom(next, deadline));
  }
}
