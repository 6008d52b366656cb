import assert from "node:assert/strict";
import {
  ConflictResponse,
  decodeMessage,
  decodeRelay,
  encodeMessage,
  encodeRelay,
  JoinIntent,
  KeyRequest,
  KeyResponse,
  LeaveIntent,
  MessageType,
  PushPull,
  Query,
  QueryResponse,
  UserEvent,
} from "../../../../cluster/serf/model/messages.ts";
import type { Codec } from "../../../../protocol/msgpack/mod.ts";
import { hex, unhex, utf8 } from "../../../support/serf/fixture.ts";
import samples from "../../../vectors/serf.json" with { type: "json" };

// deno-lint-ignore no-explicit-any
type Json = any;

const CODECS: Record<string, Codec<Json>> = {
  leave: LeaveIntent as Codec<Json>,
  join: JoinIntent as Codec<Json>,
  pushPull: PushPull as Codec<Json>,
  userEvent: UserEvent as Codec<Json>,
  query: Query as Codec<Json>,
  queryResponse: QueryResponse as Codec<Json>,
  conflictResponse: ConflictResponse as Codec<Json>,
  keyRequest: KeyRequest as Codec<Json>,
  keyResponse: KeyResponse as Codec<Json>,
};

/** The newest codec writes signed fields in signed formats; what we write instead reads the same everywhere. */
const SIGNED_FORMS: Record<string, [from: string, to: string]> = {
  "newest/query-timeout-3s-is-int64": ["d300000000b2d05e00", "ceb2d05e00"],
  "newest/relay-port-is-int16": ["d14a02", "cd4a02"],
};

const messageSamples = samples.filter((s) => "typeName" in s.decoded);

Deno.test("there are samples of every message", () => {
  assert.equal(messageSamples.length, 31);
  const types = new Set(messageSamples.map((s) => (s.decoded as Json).typeName));
  for (
    const name of ["leave", "join", "pushPull", "userEvent", "query", "queryResponse", "relay"]
  ) {
    assert.ok(types.has(name), name);
  }
});

for (const sample of messageSamples) {
  const expected = sample.decoded as Json;
  Deno.test(`${sample.name} decodes to what it says and encodes to the same bytes`, () => {
    const message = unhex(sample.hex);
    assert.equal(message[0], expected.type);
    const [from, to] = SIGNED_FORMS[sample.name] ?? ["", ""];
    const ours = sample.hex.replace(from, to);
    if (expected.typeName === "relay") {
      const { header, inner } = decodeRelay(message);
      assert.deepEqual(describe(header), plain(expected.header));
      assert.deepEqual(
        describe(decodeMessage(QueryResponse, inner)),
        plain(expected.inner.fields),
      );
      assert.equal(hex(encodeRelay(header, inner)), ours);
      return;
    }
    const codec = CODECS[expected.typeName] as Codec<Json>;
    const body = decodeMessage(codec, message);
    if (expected.typeName === "pushPull") assertPushPull(body, expected.fields);
    else assert.deepEqual(describe(body), plain(expected.fields));
    assert.equal(hex(encodeMessage(expected.type, codec, body)), ours);

    const nested = (sample as Json).payloadDecoded ?? expected.payloadDecoded;
    if (nested !== undefined) {
      const inner = CODECS[nested.typeName] as Codec<Json>;
      assert.equal(body.Payload[0], nested.type);
      const value = decodeMessage(inner, body.Payload);
      assert.deepEqual(describe(value), plain(nested.fields));
      assert.deepEqual(encodeMessage(nested.type, inner, value), new Uint8Array(body.Payload));
    }
  });
}

Deno.test("a message reads from keys in any order, with unknown and repeated ones", () => {
  const body = "85a55072756e65c3a44e6f6465a162a3666f6fc0a44e6f6465a163a54c54696d6507";
  assert.deepEqual(decodeMessage(LeaveIntent, unhex("00" + body)), {
    LTime: 7n,
    Node: "c",
    Prune: true,
  });
});

Deno.test("a message reads from an array in declaration order", () => {
  assert.deepEqual(decodeMessage(UserEvent, unhex("039405a164c0c3")), {
    LTime: 5n,
    Name: "d",
    Payload: null,
    CC: true,
  });
});

Deno.test("a leave intent without the Prune of newer agents does not prune", () => {
  const intent = decodeMessage(LeaveIntent, unhex("0082a54c54696d6507a44e6f6465a162"));
  assert.equal(intent.Prune, false);
});

Deno.test("a nil body is all zero and no body is an error", () => {
  assert.deepEqual(decodeMessage(JoinIntent, unhex("01c0")), { LTime: 0n, Node: "" });
  assert.throws(() => decodeMessage(JoinIntent, unhex("01")), { name: "DecodeError" });
});

Deno.test("a Lamport time above 2^53 stays exact", () => {
  const LTime = 1_000_000_000_000_002_563n;
  const message = encodeMessage(MessageType.join, JoinIntent, { LTime, Node: "a" });
  assert.equal(decodeMessage(JoinIntent, message).LTime, LTime);
});

Deno.test("a push/pull keeps a node named __proto__ apart from other nodes", () => {
  const StatusLTimes = JSON.parse('{"__proto__":0}') as Record<string, bigint>;
  Object.defineProperty(StatusLTimes, "__proto__", { value: 9n, enumerable: true });
  const message = encodeMessage(MessageType.pushPull, PushPull, {
    LTime: 1n,
    StatusLTimes,
    LeftMembers: [],
    EventLTime: 1n,
    Events: [],
    QueryLTime: 1n,
  });
  const read = decodeMessage(PushPull, message).StatusLTimes;
  assert.deepEqual(Object.entries(read ?? {}), [["__proto__", 9n]]);
});

Deno.test("a payload that is empty stays apart from one that is absent", () => {
  const of = (Payload: Uint8Array | null) =>
    hex(
      encodeMessage(MessageType.userEvent, UserEvent, { LTime: 1n, Name: "", Payload, CC: true }),
    );
  assert.ok(of(null).endsWith("c0"));
  assert.ok(of(new Uint8Array(0)).endsWith("a0"));
  assert.ok(of(utf8("x")).endsWith("a178"));
});

function assertPushPull(body: PushPull, expected: Json): void {
  const { Events, ...rest } = body;
  const { EventsLength, EventsNonNil, ...fields } = expected;
  assert.deepEqual(describe(rest), plain(fields));
  assert.equal(Events?.length, EventsLength);
  const groups = Object.fromEntries(
    (Events ?? []).flatMap((group, i) => group === null ? [] : [[i, describe(group)]]),
  );
  assert.deepEqual(groups, plain(EventsNonNil));
}

/** A decoded value in the notation of the sample file. */
function describe(value: unknown): Json {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return { hex: hex(value) };
  if (Array.isArray(value)) return value.map(describe);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, describe(v)]));
}

/** The sample file's notation without what only explains it. */
function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.hex === "string") return { hex: value.hex };
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
}
