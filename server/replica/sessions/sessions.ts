/**
 * The sessions of clients at one server: there when it leads, and gone when it does not.
 *
 * @module
 */

import {
  decodeSession,
  type SessionChanges,
  type SessionInfo,
  sessionQuestion,
} from "../../../cluster/machine/mod.ts";
import { Attachments, type Replicated } from "./attachments.ts";
import { idOfText } from "./ids.ts";
import type { Leadership } from "../leading/leadership.ts";
import { Leading, type SessionParts } from "./leading.ts";

/** Watches over when a server leads. */
export class Sessions {
  /** The sessions that are on connections here although another server may lead. */
  readonly attachments: Attachments;
  readonly #parts: SessionParts;
  readonly #replica: () => (Leadership & Replicated) | undefined;
  #leading: Leading | undefined;
  #term: number | undefined;
  /** What entries have done and was not told. */
  #news: SessionChanges[] = [];

  /** `replica` is the one that runs now. */
  constructor(parts: SessionParts, replica: () => (Leadership & Replicated) | undefined) {
    this.attachments = new Attachments(parts, replica);
    this.#parts = parts;
    this.#replica = replica;
  }

  /** How long a session lives without a sign of its client, in milliseconds. */
  get timeoutMs(): number {
    return this.#parts.timeoutMs;
  }

  /** The sessions, while this server leads and has all that was acknowledged before. */
  get leading(): Leading | undefined {
    this.#followRole();
    return this.#leading;
  }

  /** What this server's state has of a session, which may be old where it does not lead. */
  find(session: string): SessionInfo | undefined {
    const id = idOfText(session);
    const answer = id && this.#replica()?.machine.query(sessionQuestion(id));
    return answer?.ok ? decodeSession(answer.body) : undefined;
  }

  /** Entries have done this; to be told when they are applied, before their results are. */
  changed(changes: SessionChanges): void {
    if (this.#leading !== undefined || this.attachments.size > 0) this.#news.push(changes);
  }

  /** The role may be another one, or entries were applied and what came of them was told. */
  look(): void {
    this.#followRole();
    this.#tellNews();
  }

  /** This server ends. */
  close(): void {
    this.attachments.close();
    this.#end();
  }

  #followRole(): void {
    const replica = this.#replica();
    const term = replica?.readyTerm;
    if (term === this.#term) return;
    this.#end();
    this.#tellNews();
    if (replica === undefined || term === undefined) return;
    this.#term = term;
    this.#leading = new Leading(this.#parts, replica);
  }

  #tellNews(): void {
    if (this.#news.length === 0) return;
    const news = this.#news;
    this.#news = [];
    for (const changes of news) {
      this.#leading?.news(changes);
      this.attachments.news(changes);
    }
  }

  #end(): void {
    const leading = this.#leading;
    this.#leading = this.#term = undefined;
    leading?.over();
  }
}
