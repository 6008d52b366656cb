/**
 * What a server that leads does about sessions, looked at as it does it: by its own clock no session is ended too early or too late,
 * and no request becomes two entries at a time.
 *
 * @module
 */

import type { Result } from "../../../../cluster/machine/mod.ts";
import type { Clock } from "../../../../cluster/runtime.ts";
import type { Leadership } from "../../../../server/replica/sessions/mod.ts";
import { DEADLINE_GRAIN_MS } from "../../../../server/replica/leading/limits.ts";
import { TICK_MS } from "../../../../server/replica/sessions/limits.ts";
import type { StateService } from "../../../../server/replica/service.ts";
import type { Checker } from "../../replica/simulation/checker.ts";
import { readSessionEntry } from "./commands.ts";

/** How often a process looks whether it has stood still, in milliseconds. */
const LOOK_MS = 250;

/** By how much a look may be late without the process having stood still. */
const LATE_MS = 50;

/** A session is ended at the latest so long after its time. */
const GRACE_MS = DEADLINE_GRAIN_MS + 2 * TICK_MS + LATE_MS;

/** A server, as its sessions know it. */
type Watchable = Leadership & Pick<StateService, "propose" | "query">;

/** What is looked at. */
export interface WatchParts {
  readonly clock: Clock;
  readonly checker: Checker;
  /** How long a session lives without a sign of its client, by that clock. */
  readonly timeoutMs: number;
  /** Who is looked at. */
  readonly replica: () => Watchable | undefined;
  /** Gets each session that is tried to be ended. */
  readonly ending: Set<string>;
  /** Whether a session is over, by the log. */
  readonly isOver: (session: string) => boolean;
  /** Whether the client of a session wants its end. */
  readonly isWished: (session: string) => boolean;
  /** Whether the client of a session has spoken in time, so far as this machine knows, whether the process has read it or not. */
  readonly hasSpoken: (session: string) => boolean;
}

/** A replica, as its sessions know it. */
export class LeaderWatch implements Watchable {
  readonly #parts: WatchParts;
  /** When something was heard of sessions, as far as that is certain. */
  readonly #heard = new Map<string, number>();
  /** Requests that have become entries, and have no result. */
  readonly #asked = new Set<string>();
  /** From when on sessions are late to end: they wait for no answer any more, and their time is over since they were asked for. */
  readonly #lateFrom = new Map<string, number>();
  /** Sessions that this leadership has tried to end. */
  readonly #ending = new Set<string>();
  #term: number | undefined;
  #leadsSince = 0;
  #lookedAt: number;
  /** When it stood still last, and when an attempt to end sessions was over. */
  #stoodAt = -Infinity;
  #triedAt = -Infinity;
  /** Whether such an attempt is under way: what is due meanwhile waits for the next one. */
  #isTrying = false;
  #isOver = false;

  /** Begins to look. */
  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#lookedAt = parts.clock.now();
    this.#look();
  }

  /** See {@linkcode Leadership}. When sessions see another term, they begin anew. */
  get readyTerm(): number | undefined {
    const term = this.#parts.replica()?.readyTerm;
    if (term !== this.#term) this.#begin(term);
    return term;
  }

  /** See {@linkcode Leadership}. */
  get machine(): Leadership["machine"] {
    return (this.#parts.replica() as Watchable).machine;
  }

  /** See {@linkcode StateService.propose}. */
  propose(...request: Parameters<StateService["propose"]>): void {
    this.#parts.replica()?.propose(...request);
  }

  /** See {@linkcode StateService.query}. */
  query(...request: Parameters<StateService["query"]>): void {
    this.#parts.replica()?.query(...request);
  }

  /** Something is heard of a session. */
  hears(session: string): void {
    this.#heard.set(session, this.#parts.clock.now());
  }

  /** A client asks for a session. */
  wants(session: string): void {
    const { clock, timeoutMs } = this.#parts;
    this.#isLateFrom(session, clock.now() + timeoutMs);
  }

  /** A client is told that a session is over: this server may only mean to end it. */
  refuses(session: string): void {
    if (!this.#parts.isOver(session)) this.#ends(session);
  }

  /** The process has ended. */
  close(): void {
    this.#isOver = true;
  }

  /** See {@linkcode Leadership.askHere}. */
  askHere(...[kind, bytes, timeoutMs, done]: Parameters<Leadership["askHere"]>): void {
    const { replica } = this.#parts;
    const entry = kind === "command" ? readSessionEntry(bytes) : undefined;
    let then = (_: Result | undefined): void => {};
    switch (entry?.kind) {
      case "create":
        then = (result) => void (result?.ok && this.hears(result.body.toHex()));
        break;
      case "request": {
        const { session, id } = entry.request;
        then = this.#asks(session.toHex(), id);
        break;
      }
      case "expire":
        for (const session of entry.sessions) this.#ends(session.toHex());
        this.#isTrying = true;
        then = () => {
          this.#isTrying = false;
          this.#triedAt = this.#parts.clock.now();
        };
    }
    replica()?.askHere(kind, bytes, timeoutMs, (result) => {
      if (!this.#isOver) then(result);
      done(result);
    });
  }

  #begin(term: number | undefined): void {
    this.#term = term;
    this.#leadsSince = this.#parts.clock.now();
    this.#heard.clear();
    this.#asked.clear();
    this.#ending.clear();
    this.#isTrying = false;
  }

  #asks(session: string, id: number): () => void {
    const { checker, clock } = this.#parts;
    const name = `${session} ${id}`;
    if (this.#asked.has(name)) checker.note(`${name} becomes two entries at a time`);
    this.#asked.add(name);
    return () => {
      this.#asked.delete(name);
      this.#isLateFrom(session, clock.now());
    };
  }

  #isLateFrom(session: string, at: number): void {
    this.#lateFrom.set(session, Math.max(at, this.#lateFrom.get(session) ?? -Infinity));
  }

  #ends(session: string): void {
    const { clock, timeoutMs, checker, ending, isWished, hasSpoken } = this.#parts;
    ending.add(session);
    if (isWished(session) || this.#ending.has(session)) return;
    this.#ending.add(session);
    const due = Math.max(this.#heard.get(session) ?? -Infinity, this.#leadsSince) + timeoutMs;
    const overMs = clock.now() - due;
    if (overMs < 0) checker.note(`${session} is ended ${-overMs} ms before its time`);
    if (hasSpoken(session)) checker.note(`${session} is ended, and its client has spoken`);
    if (this.#isTrying) return;
    const lateFrom = this.#lateFrom.get(session) ?? -Infinity;
    const lateMs = clock.now() - Math.max(due, lateFrom, this.#stoodAt, this.#triedAt);
    if (lateMs > GRACE_MS) checker.note(`${session} is ended ${lateMs} ms after its time`);
  }

  #look(): void {
    const { clock } = this.#parts;
    const now = clock.now();
    if (now - this.#lookedAt > LOOK_MS + LATE_MS) this.#stoodAt = now;
    this.#lookedAt = now;
    if (!this.#isOver) clock.setTimer(LOOK_MS, () => this.#look());
  }
}
