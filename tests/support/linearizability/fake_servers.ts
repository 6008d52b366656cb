/**
 * Servers that share one map in memory, and are as wrong as a test wants.
 *
 * @module
 */

import type { Place } from "./connection.ts";

/** What is wrong with them. */
export type Fault =
  | "none"
  /** One of the servers answers some reads with the value before the last change. */
  | "stale reads"
  /** Some writes are acknowledged and forgotten. */
  | "lost writes"
  /** Some increments are done twice. */
  | "doubled increments"
  /** Some writes are done and refused with 503. */
  | "refused and done"
  /** Some conditions are not looked at. */
  | "forgotten conditions"
  /** Of some transactions only the first change is kept. */
  | "torn transactions"
  /** Some transactions are done twice. */
  | "doubled transactions"
  /** Of some reads of several keys the last is as it was before its last change. */
  | "torn reads"
  /** One of the servers never gets the last change of a key. */
  | "two minds"
  /** Some answers never come; what was asked for is done. Clients that know the difference find nothing wrong. */
  | "lost answers";

/** How often a fault shows: once in so many times that it could. */
const SHOWS = 20;

const SERVERS = 3;

interface Row {
  readonly value: unknown;
  readonly rev: number;
}

interface Asked {
  readonly action: string;
  readonly key: string;
  readonly value?: unknown;
  readonly if_rev?: number;
  readonly consistency?: string;
  /** Of TXN. */
  readonly if?: readonly { readonly key: string; readonly value?: unknown }[];
  readonly then?: readonly Asked[];
  readonly else?: readonly Asked[];
  /** Of MSET. */
  readonly items?: readonly Asked[];
  /** Of MGET. */
  readonly keys?: readonly string[];
}

/** Listens like a cluster. */
export class FakeServers implements AsyncDisposable {
  readonly places: readonly Place[];
  readonly #fault: Fault;
  readonly #listeners: readonly Deno.TcpListener[];
  readonly #open = new Set<Deno.Conn>();
  readonly #tasks: Promise<void>[] = [];
  readonly #rows = new Map<string, Row | undefined>();
  readonly #before = new Map<string, Row | undefined>();
  #rev = 0;
  #chances = 0;

  /** Starts three servers with a fault. */
  constructor(hostname: string, fault: Fault) {
    this.#fault = fault;
    this.#listeners = Array.from({ length: SERVERS }, () => Deno.listen({ hostname, port: 0 }));
    this.places = this.#listeners.map(({ addr }) => ({ hostname, port: addr.port }));
    this.#listeners.forEach((listener, i) => this.#tasks.push(this.#accept(listener, i)));
  }

  /** Ends them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    for (const conn of this.#open) conn.close();
    this.#open.clear();
    await Promise.all(this.#tasks);
  }

  async #accept(listener: Deno.TcpListener, server: number): Promise<void> {
    for await (const conn of listener) {
      this.#open.add(conn);
      this.#tasks.push(this.#serve(conn, server));
    }
  }

  async #serve(conn: Deno.TcpConn, server: number): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) break;
        // A client sends one short line and waits.
        const asked = JSON.parse(new TextDecoder().decode(buffer.subarray(0, count)));
        const reply = this.#reply(asked, server);
        if (asked.action !== "GET" && this.#isTime("lost answers")) break;
        await conn.write(new TextEncoder().encode(JSON.stringify(reply) + "\n"));
      }
    } catch (error) {
      // The client is gone, or the test is over.
      if (this.#open.has(conn) && !(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    if (this.#open.delete(conn)) conn.close();
  }

  #reply(asked: Asked, server: number): unknown {
    const { action, key, value, if_rev, consistency } = asked;
    if (action === "MGET") return this.#many(asked.keys ?? []);
    if (action === "MSET") {
      this.#steps((asked.items ?? []).map((item) => ({ ...item, action: "SET" })));
      return { status: "ok", result: "OK", rev: this.#rev };
    }
    if (action === "TXN") return this.#transact(asked);
    if (action === "GET") {
      const isOld = server === 0 && consistency === undefined && this.#isTime("stale reads");
      const isOwn = server === 0 && consistency === "stale" && this.#fault === "two minds";
      const row = isOld || isOwn ? this.#before.get(key) : this.#rows.get(key);
      return row === undefined ? NOT_FOUND : { status: "ok", result: row.value, rev: row.rev };
    }
    const row = this.#rows.get(key);
    if (action === "DEL" && row === undefined) return NOT_FOUND;
    const rev = row?.rev ?? 0;
    if (if_rev !== undefined && if_rev !== rev && !this.#isTime("forgotten conditions")) {
      return { status: "error", code: 409, reason: "CONDITION_FAILED", rev };
    }
    const next = { rev: ++this.#rev, value };
    const old = row === undefined ? 0 : row.value as number;
    if (action === "INCR") next.value = old + (this.#isTime("doubled increments") ? 2 : 1);
    if (!this.#isTime("lost writes")) {
      this.#before.set(key, row);
      this.#rows.set(key, action === "DEL" ? undefined : next);
    }
    if (this.#isTime("refused and done")) return { status: "error", code: 503 };
    const result = action === "INCR" ? next.value : action === "DEL" ? 1 : "OK";
    return { status: "ok", result, rev: next.rev };
  }

  #many(keys: readonly string[]): unknown {
    const isTorn = this.#isTime("torn reads", 4);
    const result = keys.map((key, i) => {
      const rows = isTorn && i === keys.length - 1 ? this.#before : this.#rows;
      return rows.get(key)?.value ?? null;
    });
    return { status: "ok", result };
  }

  #transact({ if: conditions = [], then = [], else: otherwise = [] }: Asked): unknown {
    const holds = conditions.every(({ key, value }) => this.#rows.get(key)?.value === value);
    const succeeded = holds || this.#isTime("forgotten conditions");
    const steps = succeeded ? then : otherwise;
    if (this.#isTime("doubled transactions")) this.#steps(steps);
    const results = this.#steps(steps);
    if (this.#isTime("refused and done")) return { status: "error", code: 503 };
    return { status: "ok", result: { succeeded, results }, rev: this.#rev };
  }

  /** Does steps at one revision, if they change anything. */
  #steps(steps: readonly Asked[]): unknown[] {
    const rev = this.#rev + 1;
    const isTorn = this.#isTime("torn transactions");
    const isLost = this.#isTime("lost writes");
    let changes = 0;
    const put = (key: string, row: Row | undefined): void => {
      this.#rev = rev;
      if (isLost || changes++ > 0 && isTorn) return;
      this.#before.set(key, this.#rows.get(key));
      this.#rows.set(key, row);
    };
    return steps.map(({ action, key, value }) => {
      const row = this.#rows.get(key);
      if (action === "GET") return row?.value ?? null;
      if (action === "SET") {
        put(key, { value, rev });
        return "OK";
      }
      if (action === "INCR") {
        const sum = (row?.value as number | undefined ?? 0) + 1;
        put(key, { value: sum, rev });
        return sum;
      }
      if (row === undefined) return null;
      put(key, undefined);
      return 1;
    });
  }

  #isTime(fault: Fault, shows = SHOWS): boolean {
    return this.#fault === fault && ++this.#chances % shows === 0;
  }
}

const NOT_FOUND = { status: "error", code: 404, reason: "KEY_NOT_FOUND" };
