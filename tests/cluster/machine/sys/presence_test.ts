import assert from "node:assert/strict";
import {
  ackCommand,
  LEADER,
  MemoryStore,
  type Presence,
  presenceCommand,
  sessionCommand,
} from "../../../../cluster/machine/mod.ts";
import { dumped, load, shown } from "../../../support/machine/fixture.ts";
import {
  deeds,
  idOf,
  numberOf,
  SessionFixture,
  shownAnswer,
} from "../../../support/machine/sessions.ts";

const { count, watch } = deeds;

function tell(
  fixture: SessionFixture,
  session: number,
  holder: number,
  what: Presence["what"],
): void {
  fixture.done(presenceCommand([{ session: idOf(session), holder, what }]));
}

/** What a connection asks for. */
function ask(fixture: SessionFixture, session: number, holder: number, id: number): string {
  const request = { session: idOf(session), id, low: 1, tellsRevision: false, deed: count("n") };
  return shownAnswer(fixture.apply(sessionCommand({ ...request, holder }))[0]);
}

Deno.test("a session is on the connection that took it over last, through dumps and loads", () => {
  const fixture = new SessionFixture();
  fixture.create(1, 2);
  tell(fixture, 1, 7, "taken");
  tell(fixture, 1, 8, "taken");
  assert.equal(fixture.info(1).holder, 8);
  tell(fixture, 1, 7, "left");
  tell(fixture, 2, 9, "alive");
  tell(fixture, 2, 9, "left");
  assert.deepEqual([fixture.info(1).holder, fixture.info(2).holder], [8, 0]);
  const store = new MemoryStore();
  load(store, dumped(fixture.store));
  const other = new SessionFixture(store);
  assert.equal(other.info(1).holder, 8);
  tell(other, 1, 8, "left");
  assert.equal(other.info(1).holder, 0);
});

Deno.test("of two connections only the one that has the session has anything done, and nothing else counts for it", () => {
  const fixture = new SessionFixture();
  fixture.create(1);
  tell(fixture, 1, 7, "taken");
  assert.equal(ask(fixture, 1, 7, 1), "1 rev 1");
  tell(fixture, 1, 8, "taken");
  const { floor, highest } = fixture.info(1);
  assert.equal(ask(fixture, 1, 7, 2), "[410 SESSION_MOVED]");
  assert.equal(ask(fixture, 1, 7, 1), "[410 SESSION_MOVED]");
  assert.deepEqual([fixture.info(1).floor, fixture.info(1).highest], [floor, highest]);
  assert.equal(ask(fixture, 1, 8, 1), "1 rev 1");
  assert.equal(ask(fixture, 1, 8, 2), "2 rev 2");
  const plain = (id: number): string => fixture.ask(1, { id, low: 1 }, count("n"));
  assert.equal(plain(3), "[410 SESSION_MOVED]");
  // Where it is the leader's affair who has it, the state asks nobody.
  for (const [i, what] of (["taken", "left"] as const).entries()) {
    tell(fixture, 1, LEADER, what);
    assert.equal(plain(3 + i), `${3 + i} rev ${3 + i}`);
  }
});

Deno.test("a listener hears of signs of life, and of sessions that other connections have", () => {
  const fixture = new SessionFixture();
  fixture.create(1, 2);
  const told = (): string[] => {
    const news = fixture.told.splice(0);
    return news.flatMap(({ alive, moved }) => [
      ...moved.map(({ id, holder }) => `${numberOf(id)} at ${holder}`),
      ...alive.map((id) => `${numberOf(id)} lives`),
    ]);
  };
  assert.deepEqual(told(), []);
  tell(fixture, 1, 7, "taken");
  assert.deepEqual(told(), ["1 at 7", "1 lives"]);
  tell(fixture, 1, 7, "taken");
  tell(fixture, 1, 7, "alive");
  tell(fixture, 1, 8, "alive");
  tell(fixture, 9, 8, "taken");
  assert.deepEqual(told(), ["1 lives", "1 lives"]);
  ask(fixture, 1, 7, 1);
  ask(fixture, 1, 8, 2);
  fixture.ask(2, { id: 1 }, count("n"));
  fixture.done(ackCommand([{ session: idOf(1), upTo: 1 }, { session: idOf(2), upTo: 1 }]));
  assert.deepEqual(told(), ["1 lives", "1 lives"]);
  tell(fixture, 1, 8, "left");
  tell(fixture, 1, 7, "left");
  assert.deepEqual(told(), ["1 at 0"]);
  tell(fixture, 2, LEADER, "taken");
  fixture.done(ackCommand([{ session: idOf(2), upTo: 1 }]));
  assert.deepEqual(told(), [`2 at ${LEADER}`, "2 lives"]);
});

Deno.test("what is no presence changes nothing", () => {
  const fixture = new SessionFixture();
  fixture.create(1);
  const [nobody] = fixture.apply(
    presenceCommand([{ session: idOf(1), holder: 0, what: "taken" }]),
  );
  assert.equal(shown(nobody), "422 INVALID");
  fixture.ask(1, { id: 1 }, watch("k"));
  assert.equal(fixture.info(1).holder, 0);
});
