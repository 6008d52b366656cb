/**
 * The sessions of clients at the server that leads, as long as it does: who is on which connection, and what is under way.
 *
 * @module
 */

import {
  answerQuestion,
  type Capability,
  createSessionCommand,
  decodeSession,
  type Deed,
  type Failure,
  hasSkill,
  LEADER,
  NOBODY,
  presenceCommand,
  type Result,
  SESSION_BYTES,
  SESSION_EXPIRED,
  type SessionChanges,
  sessionCommand,
  type SessionInfo,
  sessionQuestion,
  TOO_MANY_SESSIONS,
} from "../../../cluster/machine/mod.ts";
import { equalBytes } from "../../../protocol/bytes.ts";
import type { Clock, Random, Timer } from "../../../cluster/runtime.ts";
import { Acks } from "./proposals/acks.ts";
import type { Binding, Parting, SessionLink } from "./binding.ts";
import { Creations } from "./creations.ts";
import { Delivery } from "./delivery.ts";
import { Expiry } from "./expiry.ts";
import { idOfText, textOfId } from "./ids.ts";
import type { Leadership } from "../leading/leadership.ts";
import { STALL_MS } from "../leading/limits.ts";
import { PROPOSAL_LIMIT_MS, TICK_MS } from "./limits.ts";
import { Presences } from "./proposals/presences.ts";
import { type Done, Proposals } from "./proposals/proposals.ts";

/** What sessions need around them. */
export interface SessionParts {
  readonly clock: Clock;
  readonly random: Random;
  /** How long a session lives without a sign of its client, in milliseconds. */
  readonly timeoutMs: number;
}

/** A request of a session to be executed. */
export interface SessionWork {
  readonly id: number;
  readonly low: number;
  readonly tellsRevision: boolean;
  readonly deed: Deed;
  /** Bytes that count for it while it waits. */
  readonly bytes: number;
}

/** A session that is on a connection now, and what is known of it. */
export interface Begun {
  readonly ok: true;
  readonly binding: Binding;
  readonly info: SessionInfo;
}

/** Takes what has come of a beginning; `undefined` when this server does not lead (any more). */
export type BegunDone = (begun: Begun | Failure | undefined) => void;

/** The sessions of one leadership. */
export class Leading {
  readonly #parts: SessionParts;
  readonly #replica: Leadership;
  readonly #proposals: Proposals;
  readonly #acks: Acks;
  readonly #presences: Presences;
  readonly #expiry: Expiry;
  readonly #creations = new Creations();
  readonly #bindings = new Map<string, Binding>();
  /** Connections whose clients have ended their sessions, until these have ended. */
  readonly #closing = new Map<string, SessionLink>();
  #timer: Timer | undefined;
  /** When it is to run out. */
  #tickAt = 0;
  #isOver = false;

  /** Begins with all sessions of the state, on no connection. */
  constructor(parts: SessionParts, replica: Leadership) {
    this.#parts = parts;
    this.#replica = replica;
    const propose = (command: Uint8Array, done: Done): void => {
      replica.askHere("command", command, PROPOSAL_LIMIT_MS, (result) => {
        if (!this.#isOver) done(result);
      });
    };
    const { clock, timeoutMs } = parts;
    this.#proposals = new Proposals(propose);
    this.#acks = new Acks(clock, propose);
    this.#presences = new Presences(clock, propose);
    this.#expiry = new Expiry({
      clock,
      timeoutMs,
      propose,
      machine: () => replica.machine,
      isBusy: (session) => this.#proposals.has(session),
      found: ({ id, holder }) => {
        // It was on a connection of an earlier leader.
        if (holder === LEADER && !this.isBound(textOfId(id))) this.#isGone(id.slice());
      },
    });
    this.#wake();
  }

  /** How many sessions are on connections. */
  get bound(): number {
    return this.#bindings.size;
  }

  /** Whether a session is on a connection. */
  isBound(session: string): boolean {
    return this.#bindings.has(session);
  }

  /** Begins a session on a connection. */
  create(
    link: SessionLink,
    { capabilities, nonce }: {
      readonly capabilities: readonly Capability[];
      readonly nonce: Uint8Array;
    },
    done: BegunDone,
  ): void {
    const { clock, random } = this.#parts;
    if (!this.#creations.take(clock.now())) return done(TOO_MANY_SESSIONS);
    const session = random.bytes(SESSION_BYTES);
    const holder = hasSkill(capabilities) ? LEADER : NOBODY;
    const command = createSessionCommand({ session, nonce, capabilities, holder });
    this.#replica.askHere("command", command, PROPOSAL_LIMIT_MS, (result) => {
      if (this.#isOver || result === undefined) return done(undefined);
      if (!result.ok) return done(result);
      const id = result.body.slice();
      this.#heard(textOfId(id));
      if (!link.isOpen && holder === NOBODY) return;
      const binding = this.#bind(id, link);
      binding.isKnown = holder === LEADER && equalBytes(id, session);
      this.#begin(binding, this.#replica.machine.query(sessionQuestion(id)), done);
    });
  }

  /**
   * Goes on with a session on another connection. The older one loses it at once; what was asked on that is waited for, so that
   * what is told of the session shows it.
   */
  continue(link: SessionLink, session: string, done: BegunDone): void {
    const id = idOfText(session);
    if (id === undefined || this.#expiry.isEnding(session)) return done(SESSION_EXPIRED);
    this.#expiry.wanted(session);
    const binding = this.#bind(id, link);
    this.#proposals.whenIdle(session, () => {
      if (this.#isOver) return done(undefined);
      this.#replica.askHere("question", sessionQuestion(id), PROPOSAL_LIMIT_MS, (result) => {
        if (this.#isOver || result === undefined) return done(undefined);
        this.#begin(binding, result, done);
      });
    });
  }

  /** The connection is gone, or wants to be without its session, which goes on waiting. */
  leave(binding: Binding): void {
    if (!this.#has(binding)) return;
    this.#bindings.delete(binding.session);
    if (binding.works) this.#isGone(binding.id);
  }

  /** The client has shown that it lives. */
  heard({ session }: Binding): void {
    this.#heard(session);
  }

  /** Has a request executed once. */
  command({ id: sessionId, session }: Binding, work: SessionWork, done: Done): void {
    const { id, low, tellsRevision, deed, bytes } = work;
    const command = (): Uint8Array =>
      sessionCommand({ session: sessionId, id, low, tellsRevision, deed });
    this.#heard(session);
    this.#proposals.add(session, id, bytes, command, done);
  }

  /** What has come of a request, which is not executed by this; the failure says that it was not. */
  answer({ id: sessionId, session }: Binding, id: number, done: Done): void {
    this.#heard(session);
    if (this.#proposals.join(session, id, done)) return;
    const question = answerQuestion(sessionId, id);
    this.#replica.askHere("question", question, PROPOSAL_LIMIT_MS, (result) => {
      done(this.#isOver ? undefined : result);
    });
  }

  /** The client has got its server requests up to one. */
  ack({ id, session, delivery }: Binding, upTo: number): void {
    this.#heard(session);
    const acked = delivery?.ack(upTo, this.#parts.clock.now()) ?? 0;
    if (acked > 0) this.#acks.add({ session: id, upTo: acked });
  }

  /** The client ends its session; the connection is parted from it once that has come about. */
  close(binding: Binding): void {
    if (!this.#has(binding)) return;
    this.#bindings.delete(binding.session);
    this.#closing.set(binding.session, binding.link);
    this.end(binding.session);
  }

  /** Ends a session. */
  end(session: string): void {
    // What it has acknowledged comes first: a job that is done is not to be handed on.
    this.#acks.flush();
    this.#expiry.end(session);
    this.#wake();
  }

  /** There is room at the connection of a session again. */
  drained({ delivery }: Binding): void {
    delivery?.send(this.#parts.clock.now());
  }

  /** What entries have done to sessions, once what they say themselves was told. */
  news({ requests, ended, alive, moved }: SessionChanges): void {
    for (const id of alive) this.#expiry.heard(textOfId(id));
    for (const { id, holder } of moved) if (holder > LEADER) this.#part(textOfId(id), "replaced");
    for (const id of ended) this.#ended(textOfId(id));
    if (ended.length > 0) this.#expiry.lookForLeavings();
    const now = this.#parts.clock.now();
    for (const id of requests) this.#bindings.get(textOfId(id))?.delivery?.send(now);
    this.#wake();
  }

  /** This server leads no more. */
  over(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#expiry.close();
    this.#acks.end();
    this.#presences.end();
    const links = [...this.#bindings.values()].map(({ link }) => link);
    links.push(...this.#closing.values());
    this.#bindings.clear();
    this.#closing.clear();
    this.#proposals.end();
    for (const link of links) link.part("deposed");
  }

  #has(binding: Binding): boolean {
    return this.#bindings.get(binding.session) === binding;
  }

  #heard(session: string): void {
    this.#expiry.heard(session);
    this.#wake();
  }

  #bind(id: Uint8Array, link: SessionLink): Binding {
    const session = textOfId(id);
    this.#part(session, "replaced");
    const binding: Binding = {
      id,
      session,
      link,
      works: false,
      isKnown: false,
      delivery: undefined,
    };
    this.#bindings.set(session, binding);
    return binding;
  }

  #part(session: string, why: Parting): void {
    const binding = this.#bindings.get(session);
    this.#bindings.delete(session);
    binding?.link.part(why);
  }

  #begin(binding: Binding, result: Result, done: BegunDone): void {
    const { id, session, link } = binding;
    // Another connection may have got it meanwhile.
    if (!this.#has(binding)) return;
    if (!link.isOpen || !result.ok || this.#expiry.isEnding(session)) {
      this.#bindings.delete(session);
      if (result.ok && decodeSession(result.body).holder === LEADER) this.#isGone(id);
      return done(result.ok ? SESSION_EXPIRED : result);
    }
    const info = decodeSession(result.body);
    binding.works = hasSkill(info.capabilities);
    const taken = { session: id, holder: LEADER, what: "taken" } as const;
    if (info.holder > LEADER) {
      // Before what is asked for on this connection, which is refused as long as another one has the session.
      this.#replica.askHere("command", presenceCommand([taken]), PROPOSAL_LIMIT_MS, () => {});
    } else if (binding.works && !binding.isKnown) this.#presences.add(taken);
    const acked = Math.max(info.firstPending - 1, this.#acks.upToOf(session));
    this.#heard(session);
    done({ ok: true, binding, info: { ...info, firstPending: acked + 1 } });
    binding.delivery = new Delivery(id, link, () => this.#replica.machine, {
      acked,
      last: info.lastRequest,
    });
    if (this.#has(binding)) binding.delivery.send(this.#parts.clock.now());
  }

  /** No connection has the session, whatever the state says. */
  #isGone(id: Uint8Array): void {
    this.#presences.add({ session: id, holder: LEADER, what: "left" });
  }

  #ended(session: string): void {
    this.#expiry.ended(session);
    this.#part(session, "expired");
    this.#closing.get(session)?.part("closed");
    this.#closing.delete(session);
  }

  #wake(): void {
    if (this.#isOver || this.#timer !== undefined || !this.#expiry.isBusy) return;
    this.#tickAt = this.#parts.clock.now() + TICK_MS;
    this.#timer = this.#parts.clock.setTimer(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#timer = undefined;
    const now = this.#parts.clock.now();
    const lateMs = now - this.#tickAt;
    // Who stood still has heard nobody: what was sent meanwhile is read before the next look.
    if (lateMs <= STALL_MS) this.#expiry.tick();
    for (const { delivery } of this.#bindings.values()) delivery?.tick(now);
    this.#wake();
  }
}
