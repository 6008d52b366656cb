import assert from "node:assert/strict";
import { fixture, node, queryMessage, told } from "../../../support/serf/fixture.ts";

Deno.test("what a handler throws is logged and harms nobody", () => {
  let calls = 0;
  const f = fixture({
    config: {
      onEvent: () => {
        calls++;
        throw new Error("boom");
      },
    },
  });
  f.delegate.notifyJoin(node("b"));
  assert.equal(calls, 2);
  assert.equal(f.core.members.size, 2);
  assert.ok(f.logs.includes("[ERR] Event handler failed on member-join: Error: boom"));
});

Deno.test("internal queries never reach the application", () => {
  const f = fixture();
  for (const name of ["_serf_ping", "_serf_conflict", "_serf_future", "_serf_"]) {
    f.delegate.notifyMessage(queryMessage({ Name: name, ID: name.length }));
  }
  f.delegate.notifyMessage(queryMessage({ Name: "serf_ping" }));
  assert.deepEqual(told(f.events), ["query serf_ping"]);
});
