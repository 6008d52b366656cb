/**
 * A client's session with servers that say anything at any moment: it never fails of itself, asks in no circle without a pause, and
 * what it keeps is bounded.
 *
 * SKEIN_SEED repeats a run.
 *
 * @module
 */

import assert from "node:assert/strict";
import { wakeAt } from "../../../client/sessions/core/step.ts";
import { clientFrame, type ServerMessage } from "../../../protocol/sessions/mod.ts";
import { below } from "../../support/random_value.ts";
import { Core } from "../../support/sessions/core.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const RUNS = 200;
const STEPS = 1_000;

const NONE = new Uint8Array(0);

function anyMessage(random: SeededRandom, core: Core): ServerMessage {
  const { delivered, calls } = core.state;
  const most = Number.MAX_SAFE_INTEGER;
  const ids = [0, 1, 2, 3, Math.min(delivered + 1, most), calls.nextId - 1, most];
  const id = (): number => ids[below(random, ids.length)] as number;
  const nonce = random.float() < 0.7 && core.state.link.nonce !== 0n ? core.state.link.nonce : 5n;
  const leader = ["", "a", "b"][below(random, 3)] as string;
  const reason = below(random, 9);
  const timeoutMs = [0, 1, 3_000, 2 ** 32 - 1][below(random, 4)] as number;
  const messages: ServerMessage[] = [
    { kind: "sessionCreated", sessionId: "s", nonce },
    { kind: "sessionContinued", nonce },
    { kind: "sessionRejected", reason, nonce, leader },
    { kind: "sessionClosed", reason, leader },
    { kind: "keepAliveResponse", time: id() },
    { kind: "clientResponse", requestId: id(), result: NONE },
    { kind: "serverRequest", requestId: id(), payload: NONE, createdAt: 0 },
    { kind: "requestError", requestId: id(), reason },
    { kind: "queryResponse", correlationId: String(id()), result: NONE },
    { kind: "queryError", correlationId: String(id()), reason },
    {
      kind: "sessionState",
      floor: id(),
      highestRequestId: id(),
      lowestUnacked: id(),
      lastServerRequestId: id(),
      timeoutMs,
      leader,
      term: id(),
    },
    { kind: "clusterInfo", members: [{ id: "b", address: "b:9", role: 0 }], leader, term: id() },
  ];
  return messages[below(random, messages.length)] as ServerMessage;
}

Deno.test("whatever servers say, the client goes on or ends, and keeps its bounds", () => {
  let ended = 0;
  let connected = 0;
  for (let run = 0; run < RUNS; run++) {
    const seed = (SEED + run) >>> 0;
    const random = new SeededRandom(seed);
    const settings = { renew: random.float() < 0.8, ...random.float() < 0.3 && { resume: "r" } };
    const core = new Core(settings, { float: () => random.float(), nonce: () => 7n });
    core.take({ type: "connect" });
    let dials = { at: core.now, count: 0 };
    for (let i = 0; i < STEPS && !core.state.isOver; i++) {
      const chance = random.float();
      const effects = chance < 0.1
        ? core.submit(random.float() < 0.5 ? "command" : "query").effects
        : chance < 0.2
        ? core.take({ type: "opened" })
        : chance < 0.3
        ? core.pass(below(random, 500))
        : core.receive(anyMessage(random, core));
      for (const effect of effects) {
        if (effect.type !== "dial") continue;
        dials = { at: core.now, count: dials.at === core.now ? dials.count + 1 : 1 };
        assert.ok(dials.count <= 20, `seed ${seed}: it dials without a pause`);
      }
      for (const effect of effects) {
        if (effect.type === "send") {
          assert.ok(clientFrame(effect.message).length > 0, `seed ${seed}`);
        }
      }
      if (core.state.phase === "connected") connected++;
      const isBusy = core.state.phase !== "disconnected";
      assert.ok(
        !isBusy || wakeAt(core.state, core.now) < Infinity,
        `seed ${seed}: it is never woken`,
      );
    }
    if (core.state.isOver) ended++;
    assert.ok(core.state.unread <= 2_000);
    core.take({ type: "close", keep: false });
    const { queue, commands, queries, bytes } = core.state.calls;
    assert.deepEqual([queue.size, commands.size, queries.size, bytes], [0, 0, 0, 0]);
  }
  assert.ok(ended > 0 && connected > RUNS, `${ended} ended, ${connected} connected`);
});
