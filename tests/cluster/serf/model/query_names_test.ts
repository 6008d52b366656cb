import assert from "node:assert/strict";
import { QueryError } from "../../../../cluster/serf/mod.ts";
import { utf8 } from "../../../support/serf/fixture.ts";
import { Network } from "../../../support/serf/simulated.ts";

Deno.test("an application may not ask what agents ask each other, except for a ping", async () => {
  await using network = new Network();
  const { serf } = network.start("a");
  const refused: [name: string, payload: Uint8Array | null][] = [
    ["_serf_install-key", null],
    ["_serf_", null],
    ["_serf_ping", utf8("x")],
    ["_serf_ping", new Uint8Array(0)],
  ];
  for (const [name, payload] of refused) {
    assert.throws(
      () => serf.query(name, payload),
      new QueryError("Queries cannot contain the '_serf_' prefix"),
    );
  }
  const { reason, acked } = await network.simulation.settle(
    serf.query("_serf_ping", null, { requestAck: true }).finished,
  );
  assert.deepEqual([reason, acked], ["complete", 1]);
});
