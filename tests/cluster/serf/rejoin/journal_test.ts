import assert from "node:assert/strict";
import { hostToAddr } from "../../../../cluster/memberlist/mod.ts";
import type { Member, MemberEvent, SerfEvent } from "../../../../cluster/serf/mod.ts";
import { RejoinJournal, RejoinReplay, type Restored } from "../../../../cluster/serf/rejoin/mod.ts";

const NOTHING: Restored = {
  members: new Map(),
  failed: new Map(),
  memberTime: 0n,
  eventTime: 0n,
  queryTime: 0n,
};

function member(name: string, host = "10.0.0.1"): Member {
  return { name, addr: hostToAddr(host), port: 7946 } as Member;
}

const about = (type: MemberEvent["type"], ...members: Member[]): SerfEvent => ({ type, members });
const user = (ltime: bigint): SerfEvent => ({
  type: "user",
  ltime,
  name: "e",
  payload: null,
  coalesce: false,
});
const query = (ltime: bigint): SerfEvent => ({ type: "query", ltime } as SerfEvent);

function journal(restored: Partial<Restored> = {}, rejoinAfterLeave = false): RejoinJournal {
  return new RejoinJournal({ ...NOTHING, ...restored }, { rejoinAfterLeave });
}

function reread(text: string, rejoinAfterLeave = false): Restored {
  const replay = new RejoinReplay({ rejoinAfterLeave });
  replay.push(new TextEncoder().encode(text));
  return replay.end().restored;
}

Deno.test("each event adds its lines", () => {
  const log = journal();
  assert.equal(log.event(about("member-join", member("a")), 0n), "alive: a 10.0.0.1:7946\n");
  assert.equal(
    log.event(about("member-join", member("my b", "fd00::2")), 1n),
    "alive: my b [fd00::2]:7946\nclock: 1\n",
  );
  assert.equal(log.event(about("member-update", member("a")), 2n), "clock: 2\n");
  assert.equal(log.event(user(5n), 2n), "event-clock: 5\n");
  assert.equal(log.event(query(9n), 2n), "query-clock: 9\n");
  assert.equal(log.event(about("member-leave", member("a")), 3n), "not-alive: a\nclock: 3\n");
  assert.equal(
    log.event(about("member-failed", member("my b", "fd00::2")), 3n),
    "not-alive: my b\n# failed: my b [fd00::2]:7946\n",
  );
  assert.equal(log.event(about("member-reap", member("my b")), 3n), "not-alive: my b\n");
});

Deno.test("what is known already adds nothing", () => {
  const log = journal({ members: new Map([["a", "10.0.0.1:7946"]]), memberTime: 4n });
  assert.equal(log.event(about("member-join", member("a")), 4n), "");
  assert.equal(log.event(about("member-leave", member("x")), 4n), "");
  assert.equal(log.event(about("member-reap", member("x")), 4n), "");
  assert.equal(log.event(user(0n), 4n), "");
  assert.equal(log.tick(3n), "");
  assert.equal(log.forget("x"), "");
  assert.equal(
    log.event(about("member-join", member("a", "10.0.0.9")), 4n),
    "alive: a 10.0.0.9:7946\n",
  );
});

Deno.test("clocks only go on, as members of a burst come in any order", () => {
  const log = journal({ eventTime: 10n });
  assert.deepEqual([9n, 10n, 12n, 11n].map((ltime) => log.event(user(ltime), 0n)), [
    "",
    "",
    "event-clock: 12\n",
    "",
  ]);
});

Deno.test("a member that was pruned while it was leaving is forgotten", () => {
  const log = journal();
  log.event(about("member-join", member("a")), 0n);
  assert.equal(log.event(about("member-reap", member("a")), 0n), "not-alive: a\n");
});

Deno.test("after a leave only the member clock goes on, and nobody is to be tried", () => {
  const log = journal({ members: new Map([["a", "10.0.0.1:7946"]]) });
  assert.equal(log.leave(), "leave\n");
  assert.equal(log.event(about("member-leave", member("a")), 7n), "");
  assert.equal(log.event(user(5n), 7n), "");
  assert.equal(log.tick(7n), "clock: 7\n");
  assert.equal([...log.lines()].join(""), "clock: 7\nevent-clock: 0\nquery-clock: 0\n");
});

Deno.test("a node that is to join again after a leave keeps those it knew", () => {
  const log = journal({ members: new Map([["a", "10.0.0.1:7946"]]) }, true);
  assert.equal(log.leave(), "leave\n");
  const text = [...log.lines()].join("");
  assert.deepEqual([...reread(text, true).members.keys()], ["a"]);
  assert.equal(reread(text, false).members.size, 0, "The file still says that it left");
});

Deno.test("a name that cannot be in a line leaves no trace", () => {
  const log = journal();
  for (const name of ["x\nleave", "y".repeat(5_000)]) {
    for (const type of ["member-join", "member-failed", "member-leave"] as const) {
      assert.equal(log.event(about(type, member(name)), 0n), "");
    }
  }
  assert.equal([...log.lines()].length, 3);
});

Deno.test("a file written anew says the same as the one that grew", () => {
  const log = journal();
  const events = [
    about("member-join", member("a"), member("b", "10.0.0.2"), member("c", "10.0.0.3")),
    user(4n),
    about("member-failed", member("b", "10.0.0.2")),
    query(8n),
    about("member-leave", member("c")),
    about("member-join", member("d e", "fd00::1")),
  ];
  const grown = events.map((event, i) => log.event(event, BigInt(i))).join("");
  const anew = [...log.lines()].join("");
  assert.deepEqual(reread(anew), reread(grown));
  assert.deepEqual(reread(anew), {
    members: new Map([["a", "10.0.0.1:7946"], ["d e", "[fd00::1]:7946"]]),
    failed: new Map([["b", "10.0.0.2:7946"]]),
    memberTime: 5n,
    eventTime: 4n,
    queryTime: 8n,
  });
});

Deno.test("a file is too long from 128 KiB, 256 bytes a member and twice its least length on", () => {
  const log = journal();
  assert.equal(log.isTooLong(131_072, 0), false);
  assert.equal(log.isTooLong(131_073, 0), true);
  assert.equal(log.isTooLong(131_073, 70_000), false);
  assert.equal(log.isTooLong(140_001, 70_000), true);
  const members = new Map(Array.from({ length: 1_000 }, (_, i) => [`n${i}`, "10.0.0.1:1"]));
  assert.equal(journal({ members }).isTooLong(256_000, 0), false);
  assert.equal(journal({ members }).isTooLong(256_001, 0), true);
});
