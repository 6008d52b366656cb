import assert from "node:assert/strict";
import { Keyring, memberlistConfig } from "../../../../cluster/memberlist/mod.ts";
import { encodeFilters } from "../../../../cluster/serf/queries/filter.ts";
import {
  type Fixture,
  fixture,
  hex,
  node,
  queryMessage,
  unhex,
} from "../../../support/serf/fixture.ts";

/** An agent that holds so many keys of 32 bytes. */
function holding(keys: number): Fixture {
  const keyring = new Keyring(
    Array.from({ length: keys }, (_, i) => new Uint8Array(32).fill(i + 1)),
  );
  const memberlist = memberlistConfig("a", node("a"), "lan", { keyring });
  return fixture({ config: { memberlist } });
}

/** Whether the agent passes the query on. */
function passesOn(f: Fixture, fields: Parameters<typeof queryMessage>[0]): boolean {
  const message = queryMessage(fields);
  f.delegate.notifyMessage(message);
  return f.gossip().some((passed) => hex(passed) === hex(message));
}

Deno.test("a query with an empty filter is not passed on: it ends Go agents", () => {
  const [filter] = encodeFilters({ nodes: ["a"] }) ?? [];
  const f = fixture();
  assert.ok(passesOn(f, { ID: 1, Filters: [filter ?? null] }));
  for (const Filters of [[new Uint8Array(0)], [null], [filter ?? null, new Uint8Array(0)]]) {
    assert.ok(!passesOn(f, { ID: 2 + Filters.length, Filters }));
  }
  assert.match(f.logs.find((line) => line.startsWith("[WARN]")) ?? "", /an empty filter$/);
});

Deno.test("a key query without a payload is answered and not passed on", () => {
  for (const what of ["install", "use", "remove"]) {
    const f = holding(2);
    assert.ok(!passesOn(f, { ID: 1, Name: `_serf_${what}-key` }), what);
    assert.ok(!passesOn(f, { ID: 2, Name: `_serf_${what}-key`, Payload: new Uint8Array(0) }), what);
    assert.ok(passesOn(f, { ID: 3, Name: `_serf_${what}-key`, Payload: unhex("07") }), what);
  }
  assert.ok(passesOn(holding(2), { Name: "_serf_list-keys" }));
});

Deno.test("with as many keys as end Serf 0.9.4, the question for them is not passed on", () => {
  for (const [keys, passed] of [[19, true], [20, false], [32, false], [33, true]] as const) {
    assert.equal(passesOn(holding(keys), { Name: "_serf_list-keys" }), passed, `${keys} keys`);
  }
  assert.ok(passesOn(holding(32), { Name: "_serf_skein-list-keys" }));
});
