/**
 * Sessions of a machine in memory, and what tests do with them.
 *
 * @module
 */

import { getQuestion, incrementCommand, setCommand } from "../../../cluster/machine/kv/mod.ts";
import {
  type Capability,
  createSessionCommand,
  decodeAnswer,
  decodeExpired,
  decodeRequests,
  decodeSession,
  decodeSessions,
  decodeTotals,
  type Deed,
  type Expired,
  expireSessionsCommand,
  Machine,
  MemoryStore,
  requestsQuestion,
  type Result,
  type SessionChanges,
  sessionCommand,
  type SessionInfo,
  sessionQuestion,
  sessionsQuestion,
  type SessionWatch,
  type Store,
  type Success,
  totalsQuestion,
} from "../../../cluster/machine/mod.ts";
import { json, path, shown, START_TIME } from "./fixture.ts";

/** A number of a test as the id of a session; most of its bytes are 0, and one is 255. */
export function idOf(number: number): Uint8Array {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(6, number);
  id[15] = 255;
  return id;
}

/** The number that {@linkcode idOf} made an id of. */
export function numberOf(id: Uint8Array): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(6);
}

/** A nonce. */
export function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(8);
  new DataView(nonce.buffer).setUint32(4, number);
  return nonce;
}

/** What a request does. */
export const deeds = {
  set: (key: string, value: unknown): Deed => command(setCommand(path(key), json(value))),
  count: (key: string): Deed => command(incrementCommand(path(key), 1)),
  get: (key: string): Deed => ({ kind: "question", bytes: getQuestion(path(key)) }),
  watch: (key: string, how: Omit<SessionWatch, "path"> = {}): Deed => ({
    kind: "watch",
    watch: { path: key === "" ? new Uint8Array() : path(key), ...how },
  }),
  unwatch: (number: number): Deed => ({ kind: "unwatch", number }),
};

/** A command of another module as a deed. */
export function command(bytes: Uint8Array): Deed {
  return { kind: "command", bytes };
}

/** A request, by the numbers of a test. */
export interface Asked {
  readonly id: number;
  /** Default: that of the request. */
  readonly low?: number;
  readonly tells?: boolean;
}

/** The command of a request. */
export function requestCommand(
  session: number,
  { id, low = id, tells = false }: Asked,
  deed: Deed,
): Uint8Array {
  return sessionCommand({ session: idOf(session), id, low, tellsRevision: tells, deed });
}

/** An answer on one line: that of the request, or in brackets why there is none. */
export function shownAnswer(result: Result | undefined): string {
  if (result?.ok !== true) return `[${shown(result)}]`;
  const { result: inner, tellsRevision } = decodeAnswer(result.body);
  return shown(inner) + (tellsRevision ? "!" : "");
}

/** A machine with sessions. */
export class SessionFixture {
  readonly store: Store;
  machine: Machine;
  /** The clock of the leader; each entry is a millisecond later. */
  time: number = START_TIME;
  /** What the listener was told. */
  readonly told: SessionChanges[] = [];
  #machines = 0;

  /** Goes on where the store is. */
  constructor(store: Store = new MemoryStore()) {
    this.store = store;
    this.machine = this.#newMachine();
  }

  /** A machine made anew on the same store. */
  restart(): void {
    this.machine = this.#newMachine();
  }

  /** Applies commands as one batch. */
  apply(...commands: Uint8Array[]): (Result | undefined)[] {
    const { index } = this.machine.context;
    return this.machine.apply(commands.map((data, i) => ({
      index: index + 1 + i,
      type: "command",
      time: ++this.time,
      data,
    })));
  }

  /** Applies one that must succeed. */
  done(command: Uint8Array): Success {
    const [result] = this.apply(command);
    if (result?.ok === true) return result;
    throw new Error(`Expected a success, got ${shown(result)}`);
  }

  /** Begins sessions. */
  create(...numbers: number[]): void {
    for (const number of numbers) this.begin(number);
  }

  /** Begins a session, and shows what has come of it: the number of the session, or why there is none. */
  begin(
    number: number,
    { nonce = number + 1, capabilities = [["kind", "test"]] }: {
      nonce?: number;
      capabilities?: readonly Capability[];
    } = {},
  ): string {
    const [result] = this.apply(
      createSessionCommand({ session: idOf(number), nonce: nonceOf(nonce), capabilities }),
    );
    return result?.ok ? String(numberOf(result.body)) : shown(result);
  }

  /** Ends sessions. */
  expire(...numbers: number[]): Expired {
    return decodeExpired(this.done(expireSessionsCommand(numbers.map(idOf))).body);
  }

  /** Executes a request, and shows the answer. */
  ask(session: number, asked: Asked, deed: Deed): string {
    const [result] = this.apply(requestCommand(session, asked, deed));
    return shownAnswer(result);
  }

  /** What is known of a session. */
  info(session: number): SessionInfo {
    const result = this.machine.query(sessionQuestion(idOf(session)));
    if (result.ok) return decodeSession(result.body);
    throw new Error(`Expected session ${session}, got ${shown(result)}`);
  }

  /** Whether there is a session. */
  has(session: number): boolean {
    return this.machine.query(sessionQuestion(idOf(session))).ok;
  }

  /** The numbers of all sessions. */
  get all(): number[] {
    const result = this.machine.query(sessionsQuestion());
    return result.ok ? decodeSessions(result.body).sessions.map(({ id }) => numberOf(id)) : [];
  }

  /** How much there is. */
  get totals(): ReturnType<typeof decodeTotals> {
    return decodeTotals((this.machine.query(totalsQuestion()) as Success).body);
  }

  /** The server requests of a session that wait, each as its id and its payload. */
  waiting(session: number): string[] {
    const lines: string[] = [];
    for (let from = 0, more = true; more;) {
      const result = this.machine.query(requestsQuestion({ session: idOf(session), from }));
      if (!result.ok) throw new Error(`Expected session ${session}, got ${shown(result)}`);
      const page = decodeRequests(result.body);
      for (const { id, payload } of page.requests) {
        lines.push(`${id} ${new TextDecoder().decode(payload)}`);
        from = id + 1;
      }
      more = page.more;
    }
    return lines;
  }

  /** How many rows there are with keys of `sys`, by table. */
  rows(): Record<number, number> {
    const counts: Record<number, number> = {};
    for (
      const { key } of this.store.range(Uint8Array.of(0x15, 1, 0), Uint8Array.of(0x15, 2), 1e9)
    ) {
      const table = key[3] as number;
      counts[table] = (counts[table] ?? 0) + 1;
    }
    return counts;
  }

  /** Every other machine tells somebody of changes. */
  #newMachine(): Machine {
    return new Machine(this.store, undefined, {
      sessions: (changes) => this.told.push(changes),
      ...this.#machines++ % 2 === 1 && { changes: () => {} },
    });
  }
}
