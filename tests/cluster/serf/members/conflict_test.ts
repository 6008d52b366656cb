import assert from "node:assert/strict";
import { hostToAddr } from "../../../../cluster/memberlist/mod.ts";
import {
  ConflictResponse,
  decodeMessage,
  encodeMessage,
  MessageType,
  Query,
  QueryResponse,
} from "../../../../cluster/serf/model/messages.ts";
import {
  type Fixture,
  fixture,
  node,
  queryMessage,
  responseMessage,
  unhex,
  utf8,
} from "../../../support/serf/fixture.ts";
import { WIRE_VERSIONS } from "../../../support/versions.ts";
import samples from "../../../vectors/serf.json" with { type: "json" };

/** Makes another node claim the name `a`; returns the vote that this starts. */
function claim(f: Fixture): Query {
  f.delegate.notifyConflict(node("a"), node("a", { port: 9_999 }));
  const [message] = f.gossip();
  assert.ok(message !== undefined);
  return decodeMessage(Query, message);
}

/** What a voter knows of `a`; by default the truth. */
function vote(fields: Partial<NonNullable<ConflictResponse>> = {}): Uint8Array {
  return encodeMessage(MessageType.conflictResponse, ConflictResponse, {
    Name: "a",
    Addr: hostToAddr("127.0.0.1"),
    Port: 7_946,
    Tags: null,
    Status: 1,
    ...WIRE_VERSIONS,
    ...fields,
  });
}

/** Holds a vote with these payloads and tells how it ends. */
async function hold(payloads: (Uint8Array | null)[]): Promise<{ stopped: boolean; log: string }> {
  const f = fixture({ numAlive: 9 });
  const { LTime, ID } = claim(f);
  payloads.forEach((Payload, i) => {
    f.delegate.notifyMessage(responseMessage({ LTime, ID, From: `v${i}`, Payload }));
  });
  await f.clock.advance(3_200);
  const log = f.logs.find((line) => line.includes("name conflict resolution")) ?? "";
  return { stopped: f.shutdowns() === 1, log };
}

const UNKNOWN = unhex("06c0");
const OTHER = vote({ Port: 9_999 });

Deno.test("a claim to another member's name is only a warning", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.logs.length = 0;
  f.delegate.notifyConflict(node("b"), node("b", { host: "127.0.0.9" }));
  assert.deepEqual(f.logs, [
    "[WARN] Name conflict for 'b' at 127.0.0.1:7946 and 127.0.0.9:7946",
  ]);
  assert.deepEqual(f.gossip(), []);
});

Deno.test("a claim to the own name makes the agent ask the cluster", async () => {
  const f = fixture();
  const query = claim(f);
  assert.equal(query.Name, "_serf_conflict");
  assert.deepEqual(query.Payload, utf8("a"));
  assert.deepEqual([query.Flags, query.RelayFactor, query.Filters], [0, 0, null]);
  assert.deepEqual(f.sent, [], "it does not vote for itself");
  await f.clock.advance(3_200);
});

Deno.test("with a majority the agent stays", async () => {
  assert.deepEqual(await hold([vote(), vote()]), {
    stopped: false,
    log: "[INFO] majority in name conflict resolution [2 / 2]",
  });
  assert.equal((await hold([vote(), vote(), OTHER])).stopped, false);
  assert.equal((await hold([vote(), vote(), UNKNOWN])).stopped, false);
});

Deno.test("without a majority the agent stops: outvoted, split, or with no votes at all", async () => {
  assert.deepEqual(await hold([]), {
    stopped: true,
    log: "[WARN] minority in name conflict resolution, quiting [0 / 0]",
  });
  assert.deepEqual(await hold([vote(), OTHER]), {
    stopped: true,
    log: "[WARN] minority in name conflict resolution, quiting [1 / 2]",
  });
  assert.equal((await hold([vote(), UNKNOWN])).stopped, true);
  assert.equal((await hold([vote({ Addr: hostToAddr("127.0.0.2") })])).stopped, true);
});

Deno.test("an IPv4 address and its mapped form are the same", async () => {
  const mapped = unhex("00000000000000000000ffff7f000001");
  assert.equal((await hold([vote({ Addr: mapped })])).stopped, false);
});

Deno.test("what is no vote is not counted", async () => {
  const { log } = await hold([vote(), null, unhex("07c0"), unhex("06"), unhex("0681")]);
  assert.equal(log, "[INFO] majority in name conflict resolution [1 / 1]");
});

Deno.test("one vote is held at a time, and another may follow", async () => {
  const f = fixture();
  claim(f);
  for (let i = 0; i < 100; i++) {
    f.delegate.notifyConflict(node("a"), node("a", { port: 9_000 + i }));
  }
  assert.deepEqual(f.gossip(), []);
  await f.clock.advance(3_200);
  f.core.state = "alive";
  claim(f);
  await f.clock.advance(3_200);
});

Deno.test("a voter knows names that are no UTF-8, each by its bytes", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("caf\udce9"));
  for (const [ID, Payload] of [unhex("636166e9"), unhex("636166e8")].entries()) {
    f.delegate.notifyMessage(queryMessage({ Name: "_serf_conflict", Payload, ID }));
  }
  const [known, unknown] = f.sent.map(({ message }) => decodeMessage(QueryResponse, message));
  assert.equal(decodeMessage(ConflictResponse, known?.Payload!)?.Name, "caf\udce9");
  assert.deepEqual(unknown?.Payload, UNKNOWN);
});

Deno.test("the vote can be turned off", () => {
  const f = fixture({ config: { resolveNameConflicts: false } });
  f.delegate.notifyConflict(node("a"), node("a", { port: 9_999 }));
  assert.deepEqual(f.gossip(), []);
});

Deno.test("a voter tells what it knows of the name, as captured", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b", { port: 18_947, tags: { role: "db" } }));
  const ask = (Payload: Uint8Array, ID: number) =>
    f.delegate.notifyMessage(queryMessage({ Name: "_serf_conflict", Payload, ID }));
  ask(utf8("b"), 1);
  ask(utf8("nobody"), 2);
  ask(utf8("a"), 3);
  const answers = f.sent.map(({ message }) => decodeMessage(QueryResponse, message).Payload);
  const known = samples.find((s) => s.name === "internal-query/conflict-response-known-member");
  assert.deepEqual(answers, [
    decodeMessage(QueryResponse, unhex(known?.hex ?? "")).Payload,
    UNKNOWN,
  ]);
});
