/**
 * The sessions that are on connections of this server, whoever leads: those of its key-value port.
 *
 * Their requests, acknowledgements and signs of life go to the leader as proposals, from any server, and what is told to them comes
 * from the machine of this one. Which connection has a session is in the state (`cluster/machine/sys/presence.ts`).
 *
 * @module
 */

import {
  type Capability,
  createSessionCommand,
  decodeSession,
  expireSessionsCommand,
  type Failure,
  presenceCommand,
  type Result,
  SESSION_BYTES,
  SESSION_EXPIRED,
  SESSION_MOVED,
  type SessionChanges,
  sessionCommand,
  type SessionInfo,
  sessionQuestion,
  TOO_MANY_SESSIONS,
} from "../../../cluster/machine/mod.ts";
import type { Timer } from "../../../cluster/runtime.ts";
import { NO_LEADER, type StateService } from "../service.ts";
import { Acks } from "./proposals/acks.ts";
import type { Binding, SessionLink } from "./binding.ts";
import { Creations } from "./creations.ts";
import { Delivery } from "./delivery.ts";
import { idOfText, textOfId } from "./ids.ts";
import type { Leadership } from "../leading/leadership.ts";
import type { SessionParts, SessionWork } from "./leading.ts";
import { FORWARD_LIMIT_MS, LOOKS_PER_TIMEOUT, TICK_MS } from "./limits.ts";
import { Presences } from "./proposals/presences.ts";

/** What attachments ask of the replica below them. */
export type Replicated = Pick<Leadership, "machine"> & Pick<StateService, "propose" | "query">;

/** A session on a connection of this server. */
export interface Attachment extends Binding {
  /** What tells the connection from all others. */
  readonly holder: number;
  /** Whether this server's state has shown that the connection has the session: it may be behind. */
  isSeen: boolean;
  /** Whether the client has given a sign of life that was not told. */
  isHeard: boolean;
  /** When it is looked after next. */
  lookAt: number;
}

/** A session that is on a connection now, and the id of its next request. */
export interface Attached {
  readonly ok: true;
  readonly attachment: Attachment;
  readonly nextId: number;
}

/** Takes what has come of an attachment. */
export type AttachedDone = (attached: Attached | Failure) => void;

/** The sessions on connections of one server. */
export class Attachments {
  readonly #parts: SessionParts;
  readonly #replica: () => Replicated | undefined;
  readonly #creations = new Creations();
  readonly #attached = new Map<string, Attachment>();
  readonly #acks: Acks;
  readonly #presences: Presences;
  #timer: Timer | undefined;

  /** There are none. */
  constructor(parts: SessionParts, replica: () => Replicated | undefined) {
    this.#parts = parts;
    this.#replica = replica;
    const propose = (command: Uint8Array, done: (result: Result) => void): void =>
      this.#propose(command, FORWARD_LIMIT_MS, done);
    this.#acks = new Acks(parts.clock, propose);
    this.#presences = new Presences(parts.clock, propose);
  }

  /** How many there are. */
  get size(): number {
    return this.#attached.size;
  }

  /** Begins a session on a connection. */
  create(
    link: SessionLink,
    capabilities: readonly Capability[],
    timeoutMs: number,
    done: AttachedDone,
  ): void {
    const { clock, random } = this.#parts;
    if (!this.#creations.take(clock.now())) return done(TOO_MANY_SESSIONS);
    const attachment = this.#attach(random.bytes(SESSION_BYTES), link);
    const { id: session, holder } = attachment;
    const nonce = random.bytes(8);
    const command = createSessionCommand({ session, nonce, capabilities, holder });
    this.#propose(command, timeoutMs, (result) => {
      if (!result.ok) return this.#fail(attachment, result, done);
      this.#begin(attachment, FRESH, done);
    });
  }

  /** Goes on with a session on another connection. The older one, wherever it is, loses it. */
  continue(link: SessionLink, session: string, timeoutMs: number, done: AttachedDone): void {
    const id = idOfText(session);
    if (id === undefined) return done(SESSION_EXPIRED);
    this.#attached.get(session)?.link.part("replaced");
    const attachment = this.#attach(id, link);
    const { holder } = attachment;
    const taken = presenceCommand([{ session: id, holder, what: "taken" }]);
    this.#propose(taken, timeoutMs, (result) => {
      const replica = this.#replica();
      if (!result.ok || replica === undefined) {
        return this.#fail(attachment, result.ok ? NO_LEADER : result, done);
      }
      replica.query(sessionQuestion(id), "linearizable", timeoutMs, ({ result }) => {
        if (!result.ok) return this.#fail(attachment, result, done);
        const info = decodeSession(result.body);
        if (info.holder !== holder) return this.#fail(attachment, SESSION_MOVED, done);
        this.#begin(attachment, info, done);
      });
    });
  }

  /** Has a request executed once. */
  command(
    { id: session, holder }: Attachment,
    { id, low, tellsRevision, deed }: Omit<SessionWork, "bytes">,
    timeoutMs: number,
    done: (result: Result) => void,
  ): void {
    const command = sessionCommand({ session, id, low, tellsRevision, deed, holder });
    this.#propose(command, timeoutMs, done);
  }

  /** The client has got its server requests up to one. */
  ack({ id, delivery }: Attachment, upTo: number): void {
    const acked = delivery?.ack(upTo, this.#parts.clock.now()) ?? 0;
    if (acked > 0) this.#acks.add({ session: id, upTo: acked });
  }

  /** Ends a session for ever. */
  end({ id }: Attachment, timeoutMs: number, done: (result: Result) => void): void {
    // What it has acknowledged comes first: a job that is done is not to be handed on.
    this.#acks.flush();
    this.#propose(expireSessionsCommand([id]), timeoutMs, done);
  }

  /** The connection is gone, or wants to be without its session, which goes on waiting. */
  leave(attachment: Attachment): void {
    if (!this.#has(attachment)) return;
    const { id: session, holder } = attachment;
    this.#attached.delete(attachment.session);
    this.#presences.add({ session, holder, what: "left" });
  }

  /** There is room at the connection of a session again. */
  drained(attachment: Attachment): void {
    if (this.#has(attachment)) attachment.delivery?.send(this.#parts.clock.now());
  }

  /** What entries have done to sessions, once what they say themselves was told. */
  news({ requests, ended, moved }: SessionChanges): void {
    for (const { id, holder } of moved) {
      const attachment = this.#attached.get(textOfId(id));
      if (attachment !== undefined) this.#hold(attachment, holder);
    }
    for (const id of ended) this.#part(this.#attached.get(textOfId(id)), "expired");
    const now = this.#parts.clock.now();
    for (const id of requests) this.#attached.get(textOfId(id))?.delivery?.send(now);
  }

  /** This server ends. */
  close(): void {
    this.#timer?.cancel();
    this.#acks.end();
    this.#presences.end();
    this.#attached.clear();
  }

  #propose(command: Uint8Array, timeoutMs: number, done: (result: Result) => void): void {
    const replica = this.#replica();
    if (replica === undefined) queueMicrotask(() => done(NO_LEADER));
    else replica.propose(command, timeoutMs, done);
  }

  #has(attachment: Attachment): boolean {
    return this.#attached.get(attachment.session) === attachment;
  }

  #attach(id: Uint8Array, link: SessionLink): Attachment {
    const { clock, random } = this.#parts;
    const session = textOfId(id);
    const attachment: Attachment = {
      id,
      session,
      link,
      works: true,
      isKnown: true,
      holder: newHolder(random.bytes(6)),
      delivery: undefined,
      isSeen: false,
      isHeard: false,
      lookAt: clock.now() + this.#lookMs,
    };
    this.#attached.set(session, attachment);
    this.#wake();
    return attachment;
  }

  #begin(
    attachment: Attachment,
    { highest, firstPending, lastRequest }: Pick<
      SessionInfo,
      "highest" | "firstPending" | "lastRequest"
    >,
    done: AttachedDone,
  ): void {
    const { id, link } = attachment;
    if (!this.#has(attachment) || !link.isOpen) return this.#fail(attachment, SESSION_MOVED, done);
    done({ ok: true, attachment, nextId: highest + 1 });
    const acked = Math.max(firstPending - 1, this.#acks.upToOf(attachment.session));
    const machine = (): Leadership["machine"] => (this.#replica() as Replicated).machine;
    attachment.delivery = new Delivery(id, link, machine, { acked, last: lastRequest });
    this.drained(attachment);
  }

  #fail(attachment: Attachment, failure: Failure, done: AttachedDone): void {
    // What nobody knows the end of may have come about.
    this.leave(attachment);
    done(failure);
  }

  /** The state says which connection has the session. */
  #hold(attachment: Attachment, holder: number): void {
    if (holder === attachment.holder) attachment.isSeen = true;
    else if (attachment.isSeen) this.#part(attachment, "replaced");
  }

  #part(attachment: Attachment | undefined, why: "replaced" | "expired"): void {
    if (attachment === undefined || !this.#has(attachment)) return;
    this.#attached.delete(attachment.session);
    attachment.link.part(why);
  }

  get #lookMs(): number {
    return this.#parts.timeoutMs / LOOKS_PER_TIMEOUT;
  }

  #wake(): void {
    if (this.#timer !== undefined || this.#attached.size === 0) return;
    this.#timer = this.#parts.clock.setTimer(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#timer = undefined;
    const now = this.#parts.clock.now();
    for (const attachment of this.#attached.values()) {
      attachment.delivery?.tick(now);
      if (now < attachment.lookAt) continue;
      attachment.lookAt = now + this.#lookMs;
      this.#look(attachment, now);
    }
    this.#wake();
  }

  /** Tells signs of life, and finds out what a snapshot has passed over. */
  #look(attachment: Attachment, now: number): void {
    const { id: session, holder } = attachment;
    const answer = this.#replica()?.machine.query(sessionQuestion(session));
    if (answer?.ok) this.#hold(attachment, decodeSession(answer.body).holder);
    else if (attachment.isSeen) this.#part(attachment, "expired");
    if (!this.#has(attachment)) return;
    attachment.delivery?.send(now);
    if (attachment.isHeard) this.#presences.add({ session, holder, what: "alive" });
    attachment.isHeard = false;
  }
}

/** A session that was made just now. */
const FRESH = { highest: 0, firstPending: 1, lastRequest: 0 };

/** A number by chance that is not 0. */
function newHolder(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 0x100 + byte, 1);
}
