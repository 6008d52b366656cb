/**
 * Who may connect, and who has to make room.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Admission, type AdmissionLimits, type Guest } from "../../../server/net/admission.ts";
import { until } from "../../support/rpc/peer.ts";

const LIMITS: AdmissionLimits = {
  connections: 10,
  perSource: 7,
  strangers: 5,
  strangersPerSource: 3,
  strangerMs: 60_000,
};

/** An admission, and the connections that came. */
class Door {
  readonly told: string[] = [];
  readonly closed: string[] = [];
  readonly #guests = new Map<string, Guest>();
  readonly #admission: Admission;

  constructor(limits: Partial<AdmissionLimits> = {}) {
    this.#admission = new Admission({ ...LIMITS, ...limits }, (source, text) => {
      this.told.push(`${source}: ${text}`);
    });
  }

  /** Lets connections in, named `SOURCE#NAME` each; returns those that were refused. */
  enter(...names: readonly string[]): string[] {
    return names.filter((name) => {
      const source = name.replace(/#.*/, "");
      if (!this.#admission.admit(source)) return true;
      const guest = { source, close: () => this.#close(name) };
      this.#guests.set(name, guest);
      this.#admission.enter(guest);
      return false;
    });
  }

  know(...names: readonly string[]): void {
    for (const name of names) this.#admission.know(this.#guestOf(name));
  }

  leave(...names: readonly string[]): void {
    for (const name of names) this.#admission.leave(this.#guestOf(name));
    for (const name of names) this.#guests.delete(name);
  }

  /** Everyone goes. */
  [Symbol.dispose](): void {
    this.leave(...this.#guests.keys());
  }

  #close(name: string): void {
    this.leave(name);
    this.closed.push(name);
  }

  #guestOf(name: string): Guest {
    return this.#guests.get(name) ?? assert.fail(`'${name}' is not there`);
  }
}

/** Connections of one source. */
function some(source: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${source}#${i}`);
}

Deno.test("the oldest stranger makes room when there are too many of them", () => {
  using door = new Door();
  assert.deepEqual(door.enter("10.0.0.1#a", "10.0.0.2#b", "10.0.0.1#c"), []);
  door.know("10.0.0.1#a");
  assert.deepEqual(door.enter("10.0.0.3#d", "10.0.0.4#e", "10.0.0.5#f"), []);
  assert.deepEqual(door.closed, []);
  assert.deepEqual(door.enter("10.0.0.6#g", "10.0.0.7#h"), []);
  assert.deepEqual(door.closed, ["10.0.0.2#b", "10.0.0.1#c"]);
  assert.deepEqual(door.told, [
    "10.0.0.6: Closed a silent TCP connection: 5 are open",
    "10.0.0.7: Closed a silent TCP connection: 5 are open",
  ]);
});

Deno.test("one address has fewer strangers, and loses its own only", () => {
  using door = new Door();
  door.enter("10.0.0.2#other", ...some("10.0.0.1", 3));
  assert.deepEqual(door.enter("10.0.0.1#more"), []);
  assert.deepEqual(door.closed, ["10.0.0.1#0"]);
  assert.deepEqual(door.told, [
    "10.0.0.1: Closed a silent TCP connection from 10.0.0.1: 3 are open",
  ]);
});

Deno.test("who is known stays, and a new one is refused when nobody can make room", () => {
  using door = new Door();
  for (const source of ["10.0.0.1", "10.0.0.2"]) {
    for (const name of some(source, source === "10.0.0.1" ? 7 : 3)) {
      assert.deepEqual(door.enter(name), []);
      door.know(name);
    }
  }
  assert.deepEqual(door.enter("10.0.0.1#more", "10.0.0.3#first"), [
    "10.0.0.1#more",
    "10.0.0.3#first",
  ]);
  assert.deepEqual(door.closed, []);
  assert.deepEqual(door.told, [
    "10.0.0.1: Refused a TCP connection from 10.0.0.1: 7 are open",
    "10.0.0.3: Refused a TCP connection: 10 are open",
  ]);
  door.leave("10.0.0.1#0");
  assert.deepEqual(door.enter("10.0.0.1#more"), [], "there is room again");
  assert.deepEqual(door.enter("10.0.0.3#first"), [], "a stranger makes room");
  assert.deepEqual(door.closed, ["10.0.0.1#more"]);
});

Deno.test("this machine's own addresses only have the caps on all", () => {
  for (const source of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]) {
    using door = new Door();
    for (const name of some(source, 10)) {
      assert.deepEqual(door.enter(name), []);
      door.know(name);
    }
    assert.deepEqual(door.closed, [], source);
    assert.deepEqual(door.enter(`${source}#more`), [`${source}#more`]);
  }
  using door = new Door();
  door.enter(...some("127.0.0.1", 5));
  assert.deepEqual(door.closed, []);
});

Deno.test("a network of 64 bits counts as one address, a mapped IPv4 address as IPv4", () => {
  using door = new Door();
  door.enter("2001:db8::1#a", "2001:db8:0:0:9::#b", "2001:db8::1:2:3:4#c", "2001:db8:0:1::1#other");
  door.enter("2001:db8:0:0:1:2:3:4#d");
  assert.deepEqual(door.closed, ["2001:db8::1#a"]);
  door.enter("fe80::1#e", "::2#f");
  door.enter("10.0.0.1#g", "::ffff:10.0.0.1#h", "10.0.0.1#i", "::FFFF:10.0.0.1#j");
  assert.ok(door.closed.includes("10.0.0.1#g"));
});

Deno.test("who is a stranger for too long is closed, each at its own time, and no one else", async () => {
  using door = new Door({ strangerMs: 40 });
  door.enter("10.0.0.1#known", "10.0.0.2#gone", "10.0.0.3#late");
  door.know("10.0.0.1#known");
  door.leave("10.0.0.2#gone");
  const started = performance.now();
  await until(() => performance.now() - started > 20);
  door.enter("10.0.0.4#later");
  await until(() => door.closed.length > 0);
  assert.deepEqual(door.closed, ["10.0.0.3#late"]);
  await until(() => door.closed.length > 1);
  assert.deepEqual(door.closed, ["10.0.0.3#late", "10.0.0.4#later"]);
  assert.equal(door.told[0], "10.0.0.3: Closed a TCP connection that was silent for 40ms");
});
