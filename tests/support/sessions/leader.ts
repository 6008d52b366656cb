/**
 * A server that leads as long as a test wants: a machine in memory that has entries when the test says so, and links without
 * sockets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { incrementCommand, setCommand } from "../../../cluster/machine/kv/mod.ts";
import {
  decodeAnswer,
  Machine,
  MemoryStore,
  type Result,
  type ServerRequest,
} from "../../../cluster/machine/mod.ts";
import {
  type Begun,
  type Binding,
  type Leadership,
  type Leading,
  type Parting,
  type SessionLink,
  Sessions,
  type SessionWork,
} from "../../../server/replica/sessions/mod.ts";
import { type Answer, NO_LEADER } from "../../../server/replica/service.ts";
import { json, path } from "../machine/fixture.ts";
import { ManualClock } from "../manual_clock.ts";

/** How long sessions of the tests live, in milliseconds. */
export const TIMEOUT_MS = 20_000;

interface Asked {
  readonly kind: "command" | "question";
  readonly bytes: Uint8Array;
  readonly done: (result: Result | undefined) => void;
}

/** A connection that notes what comes. */
export class TestLink implements SessionLink {
  isOpen = true;
  /** Whether the client reads. */
  reads = true;
  readonly requests: ServerRequest[] = [];
  parted: Parting | undefined;

  hasRoom(): boolean {
    return this.reads;
  }

  request(request: ServerRequest): void {
    this.requests.push(request);
  }

  part(why: Parting): void {
    this.parted = why;
    this.isOpen = false;
  }

  /** Ids of what came, which is forgotten. */
  takeIds(): number[] {
    return this.requests.splice(0).map(({ id }) => id);
  }
}

/** The server. */
export class TestLeader implements Leadership {
  readonly clock = new ManualClock();
  readonly sessions: Sessions;
  readonly machine: Machine;
  readyTerm: number | undefined = 1;
  /** Commands that became entries, newest last. */
  entries = 0;
  /** Whether nothing that is asked becomes an entry or has an answer. */
  isHeld = false;
  /** Whether commands become no entries, although questions are answered. */
  holdsCommands = false;
  #asked: Asked[] = [];
  #isDue = false;
  #lastByte = 0;

  constructor() {
    this.machine = new Machine(new MemoryStore(), undefined, {
      sessions: (changes) => this.sessions.changed(changes),
    });
    const random = {
      float: () => 0.5,
      bytes: (length: number) => new Uint8Array(length).fill(++this.#lastByte),
    };
    const parts = { clock: this.clock, random, timeoutMs: TIMEOUT_MS };
    this.sessions = new Sessions(parts, () => this);
  }

  /** The sessions; fails the test when this server does not lead. */
  get leading(): Leading {
    const { leading } = this.sessions;
    assert.ok(leading);
    return leading;
  }

  askHere(
    kind: Asked["kind"],
    bytes: Uint8Array,
    _timeoutMs: number,
    done: Asked["done"],
  ): void {
    this.#asked.push({ kind, bytes, done });
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (!this.isHeld) this.run();
    });
  }

  propose(bytes: Uint8Array, timeoutMs: number, done: (result: Result) => void): void {
    this.askHere("command", bytes, timeoutMs, (result) => done(result ?? NO_LEADER));
  }

  query(
    bytes: Uint8Array,
    _consistency: string,
    timeoutMs: number,
    done: (answer: Answer) => void,
  ): void {
    const finish = (result: Result | undefined): void =>
      done({ result: result ?? NO_LEADER, lagMs: 0 });
    this.askHere("question", bytes, timeoutMs, finish);
  }

  /** Has what was asked done, all commands by one batch of entries. */
  run(): void {
    const asked = this.#asked.filter(({ kind }) => kind === "question" || !this.holdsCommands);
    this.#asked = this.#asked.filter((one) => !asked.includes(one));
    if (this.readyTerm === undefined) {
      for (const { done } of asked) done(undefined);
      return;
    }
    const commands = asked.filter(({ kind }) => kind === "command");
    const { index } = this.machine.context;
    const results = this.machine.apply(commands.map(({ bytes }, i) => ({
      index: index + 1 + i,
      type: "command",
      time: 1_000_000 + this.clock.now(),
      data: bytes,
    })));
    this.entries += commands.length;
    for (const [i, { done }] of commands.entries()) done(results[i]);
    for (const { kind, bytes, done } of asked) {
      if (kind === "question") done(this.machine.query(bytes));
    }
    this.sessions.look();
  }

  /** Another one leads, or this one again. */
  lead(term: number | undefined): void {
    this.readyTerm = term;
    this.sessions.look();
  }

  /** A session on a link. */
  async begin(link: SessionLink = new TestLink(), name = "session-ext"): Promise<Begun> {
    const nonce = new Uint8Array(8).fill(1);
    const done = Promise.withResolvers<unknown>();
    this.leading.create(link, { capabilities: [[name, "1"]], nonce }, done.resolve);
    return begun(await done.promise);
  }

  /** The session on another link. */
  async goOn(session: string, link: SessionLink): Promise<unknown> {
    const done = Promise.withResolvers<unknown>();
    this.leading.continue(link, session, done.resolve);
    return await done.promise;
  }

  /** What has come of a request: the text of a result, or the reason of a failure; "deposed" when nobody knows. */
  async command(binding: Binding, work: Partial<SessionWork>): Promise<string> {
    const done = Promise.withResolvers<Result | undefined>();
    this.leading.command(binding, { ...INCREMENT, ...work }, done.resolve);
    return textOf(await done.promise);
  }
}

/** The request that most tests make. */
export const INCREMENT: SessionWork = {
  id: 1,
  low: 1,
  tellsRevision: false,
  deed: { kind: "command", bytes: incrementCommand(path("n"), 1) },
  bytes: 10,
};

/** A request that watches all there is. */
export const WATCH: Partial<SessionWork> = {
  deed: { kind: "watch", watch: { path: path("n"), tree: false } },
};

/** A request that sets a value. */
export function setting(value: unknown): Partial<SessionWork> {
  return { deed: { kind: "command", bytes: setCommand(path("n"), json(value)) } };
}

/** What was begun; fails the test when it was not. */
export function begun(result: unknown): Begun {
  assert.equal((result as Begun | undefined)?.ok, true, JSON.stringify(result));
  return result as Begun;
}

function textOf(result: Result | undefined): string {
  if (result === undefined) return "deposed";
  if (!result.ok) return result.reason;
  const { result: inner } = decodeAnswer(result.body);
  return inner.ok ? new TextDecoder().decode(inner.body) : inner.reason;
}
