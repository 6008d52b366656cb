import assert from "node:assert/strict";
import {
  getQuestion,
  listQuestion,
  setCommand,
  sweepCommand,
  ttlQuestion,
} from "../../../../cluster/machine/kv/mod.ts";
import { encodeCall } from "../../../../cluster/machine/module.ts";
import { type Deed, upgradeCommand } from "../../../../cluster/machine/mod.ts";
import { json, path, shown } from "../../../support/machine/fixture.ts";
import {
  command,
  deeds,
  requestCommand,
  SessionFixture,
  shownAnswer,
} from "../../../support/machine/sessions.ts";

const { set, count, get } = deeds;

/** A machine with session 1. */
function withSession(): SessionFixture {
  const fixture = new SessionFixture();
  fixture.create(1);
  return fixture;
}

const valueOf = ({ machine }: SessionFixture, key: string): string =>
  shown(machine.query(getQuestion(path(key))));

Deno.test("a request of a session that is not there is not executed, and nothing is kept of it", () => {
  const fixture = withSession();
  fixture.expire(1);
  const before = fixture.rows();
  assert.equal(fixture.ask(1, { id: 1 }, set("k", 1)), "[410 SESSION_EXPIRED]");
  assert.equal(fixture.ask(2, { id: 1 }, set("k", 1)), "[410 SESSION_EXPIRED]");
  assert.equal(valueOf(fixture, "k"), "404 KEY_NOT_FOUND");
  assert.deepEqual(fixture.rows(), before);
});

Deno.test("the same id has the same answer, and is executed once", () => {
  const fixture = withSession();
  const answers = [1, 2, 3, 4, 5].map(() => fixture.ask(1, { id: 1, tells: true }, count("n")));
  assert.deepEqual(answers, Array(5).fill("1 rev 1!"));
  assert.equal(valueOf(fixture, "n"), "1 rev 1");
});

Deno.test("in one batch, too, and with another payload", () => {
  const fixture = withSession();
  const results = fixture.apply(
    requestCommand(1, { id: 1, tells: true }, count("n")),
    requestCommand(1, { id: 1, tells: false }, set("other", 1)),
    requestCommand(1, { id: 2, low: 1 }, count("n")),
    requestCommand(1, { id: 1 }, { kind: "unwatch", number: 7 }),
  );
  assert.deepEqual(results.map(shownAnswer), ["1 rev 1!", "1 rev 1!", "2 rev 2", "1 rev 1!"]);
  assert.equal(valueOf(fixture, "other"), "404 KEY_NOT_FOUND");
});

Deno.test("ids are those of their session", () => {
  const fixture = withSession();
  fixture.create(2);
  assert.equal(fixture.ask(1, { id: 1 }, count("n")), "1 rev 1");
  assert.equal(fixture.ask(2, { id: 1 }, count("n")), "2 rev 2");
  assert.equal(fixture.ask(1, { id: 1 }, count("n")), "1 rev 1");
});

Deno.test("failures are answers like others, however the state is later", () => {
  const fixture = withSession();
  const onlyNew = command(setCommand(path("k"), json(2), { nx: true }));
  fixture.apply(setCommand(path("k"), json(1)));
  assert.equal(fixture.ask(1, { id: 1 }, onlyNew), "409 CONDITION_FAILED rev 1");
  fixture.apply(setCommand(path("other"), json(1)));
  assert.equal(fixture.ask(1, { id: 1 }, onlyNew), "409 CONDITION_FAILED rev 1");
  assert.equal(fixture.ask(1, { id: 2, low: 1 }, get("none")), "404 KEY_NOT_FOUND");
  fixture.apply(setCommand(path("none"), json(1)));
  assert.equal(fixture.ask(1, { id: 2, low: 1 }, get("none")), "404 KEY_NOT_FOUND");
});

Deno.test("the lowest id that a client needs is the floor: what is below is forgotten and never executed", () => {
  const fixture = withSession();
  for (let id = 1; id <= 5; id++) fixture.ask(1, { id, low: 1 }, count("n"));
  assert.equal(fixture.rows()[4], 5);
  assert.equal(fixture.ask(1, { id: 6, low: 4 }, count("n")), "6 rev 6");
  assert.equal(fixture.rows()[4], 3);
  assert.equal(fixture.ask(1, { id: 3, low: 3 }, count("n")), "[410 RESPONSE_EVICTED]");
  assert.equal(fixture.ask(1, { id: 4, low: 4 }, count("n")), "4 rev 4");
  assert.equal(valueOf(fixture, "n"), "6 rev 6");
});

Deno.test("the floor never goes back", () => {
  const fixture = withSession();
  fixture.ask(1, { id: 1 }, count("n"));
  fixture.ask(1, { id: 6, low: 6 }, count("n"));
  assert.equal(fixture.ask(1, { id: 7, low: 2 }, count("n")), "3 rev 3");
  assert.equal(fixture.info(1).floor, 6);
  assert.equal(fixture.ask(1, { id: 3, low: 2 }, count("n")), "[410 RESPONSE_EVICTED]");
});

Deno.test("duplicates and refused requests raise the floor as well", () => {
  const fixture = withSession();
  for (let id = 1; id <= 3; id++) fixture.ask(1, { id, low: 1 }, count("n"));
  assert.equal(fixture.ask(1, { id: 3, low: 3 }, count("n")), "3 rev 3");
  assert.equal(fixture.info(1).floor, 3);
  assert.equal(fixture.rows()[4], 1);
  assert.equal(fixture.ask(1, { id: 2, low: 9 }, count("n")), "[410 RESPONSE_EVICTED]");
  assert.equal(fixture.info(1).floor, 9);
  assert.equal(fixture.rows()[4], undefined);
  assert.equal(fixture.ask(1, { id: 5_000, low: 10 }, count("n")), "[429 TOO_MANY_IN_FLIGHT]");
  assert.equal(fixture.info(1).floor, 10);
});

Deno.test("a floor above the request refuses the request", () => {
  const fixture = withSession();
  assert.equal(fixture.ask(1, { id: 3, low: 4 }, count("n")), "[410 RESPONSE_EVICTED]");
  const low = Number.MAX_SAFE_INTEGER;
  assert.equal(fixture.ask(1, { id: 0, low }, count("n")), "[410 RESPONSE_EVICTED]");
  const last = { id: Number.MAX_SAFE_INTEGER };
  assert.equal(fixture.ask(1, last, count("n")), "1 rev 1");
  assert.equal(fixture.ask(1, last, count("n")), "1 rev 1");
});

Deno.test("ids are at most 1,023 above the floor", () => {
  const fixture = withSession();
  assert.equal(fixture.ask(1, { id: 1_024, low: 1 }, count("n")), "1 rev 1");
  assert.equal(fixture.ask(1, { id: 1_025, low: 1 }, count("n")), "[429 TOO_MANY_IN_FLIGHT]");
  assert.equal(fixture.ask(1, { id: 1_025, low: 2 }, count("n")), "2 rev 2");
  assert.equal(fixture.info(1).highest, 1_025);
});

Deno.test("a session keeps at most 1,024 answers", () => {
  const fixture = withSession();
  fixture.apply(
    ...Array.from(
      { length: 2_000 },
      (_, i) => requestCommand(1, { id: 1 + i, low: 1 }, count("n")),
    ),
  );
  assert.equal(fixture.rows()[4], 1_024);
  assert.equal(fixture.info(1).cached, 1_024);
  assert.equal(valueOf(fixture, "n"), "1024 rev 1024");
  assert.equal(fixture.ask(1, { id: 1_024, low: 1_000 }, count("n")), "1024 rev 1024");
  assert.equal(fixture.rows()[4], 25);
});

Deno.test("a session whose answers take more than 8 MiB executes nothing more until it forgets some", () => {
  const fixture = withSession();
  fixture.apply(setCommand(path("big"), json("x".repeat(500_000))));
  const ask = (id: number, low = 1): string => fixture.ask(1, { id, low }, get("big")).slice(-24);
  const refused = Array.from({ length: 30 }, (_, i) => ask(i + 1))
    .flatMap((answer, i) => answer === "[429 TOO_MANY_IN_FLIGHT]" ? [i + 1] : []);
  // The 17th takes it beyond the bound; what is kept is not executed again.
  assert.deepEqual(refused, Array.from({ length: 13 }, (_, i) => 18 + i));
  assert.ok(fixture.info(1).cachedBytes > 8 * 1024 * 1024);
  assert.ok(ask(3).endsWith("rev 1"));
  assert.ok(ask(18, 2).endsWith("rev 1"));
  fixture.ask(1, { id: 19, low: 19 }, count("n"));
  assert.ok(fixture.info(1).cachedBytes < 100);
});

Deno.test("reads are executed once, too, as of their entry", () => {
  const fixture = withSession();
  fixture.ask(1, { id: 1 }, set("k", 1));
  assert.equal(fixture.ask(1, { id: 2 }, get("k")), "1 rev 1");
  fixture.ask(1, { id: 3, low: 2 }, set("k", 2));
  assert.equal(fixture.ask(1, { id: 2 }, get("k")), "1 rev 1");
  const list = listQuestion(path("^global"), { what: "children", limit: 9, bytes: 999, depth: 1 });
  assert.match(fixture.ask(1, { id: 4 }, { kind: "question", bytes: list }), /rev/);
});

Deno.test("time in a request is that of its entry", () => {
  const fixture = withSession();
  const ttl: Deed = { kind: "question", bytes: ttlQuestion(path("k")) };
  fixture.ask(1, { id: 1 }, command(setCommand(path("k"), json(1), { ttlMs: 10 })));
  assert.equal(fixture.ask(1, { id: 2 }, ttl), "9 rev 0");
  assert.equal(fixture.ask(1, { id: 3, low: 2 }, ttl), "8 rev 0");
  assert.equal(fixture.ask(1, { id: 2 }, ttl), "9 rev 0");
  fixture.time += 20;
  assert.match(fixture.ask(1, { id: 4 }, command(sweepCommand())), /rev 2$/);
  assert.equal(valueOf(fixture, "k"), "404 KEY_NOT_FOUND");
});

Deno.test("what is no call of another module is an answer that says so", () => {
  const fixture = withSession();
  const inner = requestCommand(1, { id: 9 }, count("n"));
  const calls = [
    new Uint8Array(),
    Uint8Array.of(0xc1),
    inner,
    upgradeCommand(7),
    encodeCall(9, 2, 1, () => {}),
    encodeCall(1, 2, 99, () => {}),
  ];
  const answers = calls.map((bytes, i) => fixture.ask(1, { id: i + 1 }, command(bytes)));
  assert.deepEqual(answers, [
    "422 INVALID",
    "422 INVALID",
    "405 UNKNOWN_ACTION",
    "405 UNKNOWN_ACTION",
    "426 UNSUPPORTED_VERSION",
    "405 UNKNOWN_ACTION",
  ]);
  assert.equal(valueOf(fixture, "n"), "404 KEY_NOT_FOUND");
  assert.equal(fixture.machine.context.format, 1);
});

Deno.test("request 0 is one like others", () => {
  const fixture = withSession();
  assert.equal(fixture.ask(1, { id: 0 }, count("n")), "1 rev 1");
  assert.equal(fixture.ask(1, { id: 0 }, count("n")), "1 rev 1");
  assert.equal(fixture.ask(1, { id: 1, low: 1 }, count("n")), "2 rev 2");
  assert.equal(fixture.ask(1, { id: 0 }, count("n")), "[410 RESPONSE_EVICTED]");
});
