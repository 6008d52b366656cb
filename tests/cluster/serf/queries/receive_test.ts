import assert from "node:assert/strict";
import { decodeMessage, QueryResponse } from "../../../../cluster/serf/model/messages.ts";
import { loadPatterns } from "../../../../cluster/serf/model/pattern.ts";
import { encodeFilters } from "../../../../cluster/serf/queries/filter.ts";
import { ownPayload } from "../../../../protocol/payload.ts";
import {
  fixture,
  hex,
  node,
  onlyQuery,
  place,
  queryMessage,
  told,
  unhex,
  utf8,
} from "../../../support/serf/fixture.ts";

await loadPatterns();

Deno.test("a query is told, passed on unchanged and known from then on", () => {
  const f = fixture();
  const message = queryMessage({ Name: "load", Payload: utf8("now") });
  f.delegate.notifyMessage(message);
  f.delegate.notifyMessage(message);
  assert.deepEqual(told(f.events), ["query load"]);
  const query = onlyQuery(f.events);
  assert.deepEqual(
    [query.ltime, query.id, query.sourceNode, query.deadline, query.payload],
    [10n, 77, "z", 1_000, ownPayload(utf8("now"))],
  );
  assert.deepEqual(f.gossip().map(hex), [hex(message)]);
  assert.equal(f.core.queryClock.time(), 11n);
  assert.deepEqual(f.sent, []);
});

Deno.test("two queries may share a time, and one is told once", () => {
  const f = fixture();
  for (const [LTime, ID] of [[10n, 1], [10n, 2], [10n, 1], [522n, 1], [10n, 1]] as const) {
    f.delegate.notifyMessage(queryMessage({ LTime, ID }));
  }
  assert.equal(f.events.length, 3);
});

Deno.test("at clock 1001 a query of time 489 is taken and one of 488 is too old", () => {
  const f = fixture();
  f.core.queryClock.witness(1_000n);
  f.delegate.notifyMessage(queryMessage({ LTime: 488n }));
  assert.deepEqual(f.gossip(), []);
  assert.ok(f.logs.includes("[WARN] received old query load from time 488 (current: 1001)"));
  f.delegate.notifyMessage(queryMessage({ LTime: 489n }));
  assert.equal(f.events.length, 1);
});

Deno.test("an ack goes to the address in the query, before the application sees it", () => {
  const order: string[] = [];
  const f = fixture({
    config: { onEvent: (e) => void order.push(`${e.type} after ${f?.sent.length}`) },
  });
  order.length = 0;
  const LTime = 50n;
  const ID = 0x0badcafe;
  f.delegate.notifyMessage(queryMessage({ LTime, ID, Flags: 1 }));
  assert.deepEqual(order, ["query after 1"]);
  assert.deepEqual(f.sent.map(place), ["127.0.0.1:18990"]);
  // The captured ack.
  assert.equal(
    f.sent[0] && hex(f.sent[0].message),
    "0585a5466c61677301a446726f6da161a24944ce0badcafea54c54696d6532a75061796c6f6164c0",
  );
});

Deno.test("a query that is filtered out is passed on, and neither acked nor told", () => {
  const f = fixture({ config: { tags: { role: "web" } } });
  const misses = [
    encodeFilters({ nodes: ["b"] }),
    encodeFilters({ tags: { role: "db" } }),
    encodeFilters({ tags: { role: "(" } }),
    [unhex("09c0")],
    [unhex("01a161")],
  ];
  misses.forEach((Filters, ID) => {
    f.delegate.notifyMessage(queryMessage({ ID, Filters, Flags: 1 }));
  });
  assert.deepEqual([f.events, f.sent], [[], []]);
  assert.equal(f.gossip().length, misses.length);
  f.delegate.notifyMessage(
    queryMessage({ ID: 9, Filters: encodeFilters({ tags: { role: "e" } }) }),
  );
  assert.equal(f.events.length, 1);
});

Deno.test("a query filters on the tags of now", () => {
  const f = fixture({ config: { tags: { role: "web" } } });
  f.delegate.notifyUpdate(node("a", { tags: { role: "db" } }));
  f.events.length = 0;
  f.delegate.notifyMessage(queryMessage({ Filters: encodeFilters({ tags: { role: "db" } }) }));
  assert.equal(f.events.length, 1);
});

Deno.test("a query that is not to be passed on is answered and not passed on", () => {
  const f = fixture();
  f.delegate.notifyMessage(queryMessage({ Flags: 3 }));
  assert.equal(f.sent.length, 1);
  assert.equal(f.events.length, 1);
  assert.deepEqual(f.gossip(), []);
});

Deno.test("an answer goes to the address in the query, once", () => {
  const f = fixture();
  f.delegate.notifyMessage(queryMessage({ LTime: 50n, ID: 0x0badcafe }));
  const query = onlyQuery(f.events);
  query.respond(utf8("load=0.42 from a"));
  assert.deepEqual(f.sent.map(place), ["127.0.0.1:18990"]);
  assert.equal(
    f.sent[0] && hex(f.sent[0].message),
    "0585a5466c61677300a446726f6da161a24944ce0badcafea54c54696d6532a75061796c6f6164b0" +
      "6c6f61643d302e34322066726f6d2061",
  );
  assert.throws(() => query.respond(null), {
    name: "RespondError",
    message: "failed to respond to key query: response already sent",
  });
});

Deno.test("an answer after the deadline is refused", async () => {
  const f = fixture();
  f.delegate.notifyMessage(queryMessage());
  await f.clock.advance(1_001);
  assert.throws(() => onlyQuery(f.events).respond(null), {
    message: "failed to respond to key query: response is past the deadline",
  });
});

Deno.test("a query with a timeout of 0 gets its ack and no answer", () => {
  const f = fixture();
  f.delegate.notifyMessage(queryMessage({ Timeout: 0n, Flags: 1 }));
  assert.equal(f.sent.length, 1);
  assert.throws(() => onlyQuery(f.events).respond(null), /past the deadline/);
});

Deno.test("an answer that is too large is refused and may be followed by a smaller one", () => {
  const f = fixture();
  f.delegate.notifyMessage(queryMessage());
  const { respond } = onlyQuery(f.events);
  // What is around the payload of an agent `a` takes 38 bytes.
  assert.throws(() => respond(new Uint8Array(1_024 - 37)), {
    message: "failed to respond to key query: response exceeds limit of 1024 bytes",
  });
  respond(new Uint8Array(1_024 - 38));
  assert.equal(f.sent[0]?.message.length, 1_024);
});

Deno.test("an asker without an address gets nothing and harms nobody", () => {
  const f = fixture();
  for (const [ID, Addr] of [[1, null], [2, unhex("7f")], [3, new Uint8Array(0)]] as const) {
    f.delegate.notifyMessage(queryMessage({ ID, Addr, Flags: 1 }));
  }
  f.delegate.notifyMessage(queryMessage({ ID: 4, Port: 0, Flags: 1 }));
  assert.deepEqual(f.sent, []);
  assert.equal(f.events.length, 4);
  const [query] = f.events;
  assert.ok(query?.type === "query");
  assert.throws(() => query.respond(null), /names no usable address/);
});

Deno.test("an asker may have an IPv6 address", () => {
  const f = fixture();
  f.delegate.notifyMessage(
    queryMessage({ Addr: unhex("20010db8000000000000000000000001"), Flags: 1 }),
  );
  assert.deepEqual(f.sent.map(({ to }) => to.host), ["2001:db8::1"]);
});

Deno.test("a query of an unknown internal name is acked, passed on and not answered", () => {
  const f = fixture();
  const message = queryMessage({
    Name: "_serf_unheard-of",
    Flags: 1,
    Payload: utf8("x"),
  });
  f.delegate.notifyMessage(message);
  assert.deepEqual(f.events, []);
  assert.equal(f.sent.length, 1);
  assert.deepEqual(f.gossip().map(hex), [hex(message)]);
  assert.ok(f.logs.includes("[WARN] Unhandled internal query '_serf_unheard-of'"));
});

Deno.test("a ping query is acked and nothing else", () => {
  const f = fixture();
  f.delegate.notifyMessage(queryMessage({ Name: "_serf_ping", Flags: 1 }));
  assert.equal(f.sent.length, 1);
  assert.deepEqual(f.logs, ["[DEBUG] messageQueryType: _serf_ping"]);
});

Deno.test("one time holds a bounded number of queries", () => {
  const f = fixture();
  for (let ID = 0; ID < 1_030; ID++) f.delegate.notifyMessage(queryMessage({ ID }));
  assert.equal(f.events.length, 1_024);
});

Deno.test("an answer copies what it needs out of the packet", () => {
  const f = fixture();
  const message = queryMessage({ Payload: utf8("now") });
  f.delegate.notifyMessage(message);
  message.fill(0);
  const query = onlyQuery(f.events);
  assert.equal(query.payload?.text(), "now");
  query.respond(utf8("ok"));
  assert.deepEqual(f.sent.map(place), ["127.0.0.1:18990"]);
  const { ID } = decodeMessage(QueryResponse, f.sent[0]?.message ?? new Uint8Array(0));
  assert.equal(ID, 77);
});
