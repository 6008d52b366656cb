import assert from "node:assert/strict";
import { KeyManager } from "../../../../cluster/serf/keys/key_manager.ts";
import { KeyOperationError } from "../../../../cluster/serf/keys/report.ts";
import { decodeMessage, MessageType, Query } from "../../../../cluster/serf/model/messages.ts";
import { settle } from "../../../support/manual_clock.ts";
import { mutated } from "../../../support/mutate.ts";
import { node, responseMessage, unhex } from "../../../support/serf/fixture.ts";
import { ask, key, keyAnswer, withKeys } from "../../../support/serf/key_ring.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import samples from "../../../vectors/serf.json" with { type: "json" };

Deno.test("no key request makes an agent throw, and each gets an answer", async () => {
  const random = new SeededRandom(3);
  const request = unhex("0781a34b6579da0020" + "02".repeat(32));
  const { f, keyring } = withKeys([key(1)]);
  for (let ID = 0; ID < 1_000; ID++) {
    const name = ["install-key", "use-key", "remove-key", "list-keys"][ID % 4] ?? "";
    const answers = await ask(f, name, mutated(random, request), { LTime: BigInt(1 + ID), ID });
    assert.equal(answers.length, 1);
    keyAnswer(answers[0]);
    f.logs.length = 0;
    f.gossip();
  }
  assert.ok(keyring.size >= 1);
});

Deno.test("no answers make a key operation fail in another way than it says", async () => {
  const random = new SeededRandom(4);
  const answers = samples.filter(({ name }) => /^internal-query\/.*-key.*response/.test(name))
    .map(({ decoded }) =>
      unhex((decoded as { fields: { Payload: { hex: string } } }).fields.Payload.hex)
    );
  assert.ok(answers.length >= 6);
  const { f } = withKeys([key(1)], { numAlive: 2 });
  f.delegate.notifyJoin(node("b"));
  const manager = new KeyManager(f.core);
  for (let round = 0; round < 500; round++) {
    const outcome = manager.list().then(({ numErr }) => numErr, (error: unknown) => error);
    await settle();
    const [query] = f.gossip().filter(([type]) => type === MessageType.query).map((message) =>
      decodeMessage(Query, message)
    );
    assert.ok(query !== undefined);
    for (const From of ["a", "b"]) {
      const Payload = mutated(random, answers[round % answers.length] as Uint8Array);
      const { LTime, ID } = query;
      f.delegate.notifyMessage(responseMessage({ LTime, ID, From, Payload }));
    }
    const result = await outcome;
    assert.ok(result === 0 || result instanceof KeyOperationError, String(result));
    f.logs.length = 0;
  }
  await f.clock.advance(10_000);
});
