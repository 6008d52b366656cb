/**
 * Whom a gateway asks.
 *
 * @module
 */

import assert from "node:assert/strict";
import { encodeResult, type Result } from "../../../../cluster/machine/mod.ts";
import { concatBytes } from "../../../../protocol/bytes.ts";
import { encodeUtf8 } from "../../../../protocol/text.ts";
import { UnsentError } from "../../../../server/replica/driver/parts.ts";
import { Visits } from "../../../../server/replica/gateway/visits.ts";
import {
  type Answer,
  NO_LEADER,
  OVERLOADED,
  SHUTTING_DOWN,
} from "../../../../server/replica/service.ts";
import { REQUEST } from "../../../../server/replica/wire_requests.ts";
import { until } from "../../../support/rpc/peer.ts";

/** A server's answer to a request; `undefined` when it cannot be reached. */
type Answering = (kind: number) => Uint8Array | undefined;

/** The visits of a gateway that knows these servers, and whom they ask for what. */
function visitsOf(servers: Record<string, Answering>): { visits: Visits; asked: string[] } {
  const asked: string[] = [];
  const visits = new Visits({
    peers: () => ({
      request(to, [kind = 0]) {
        asked.push(`${to} ${kind}`);
        const answer = servers[to]?.(kind);
        return answer ? Promise.resolve(answer) : Promise.reject(new UnsentError("Away"));
      },
    }),
    servers: () => Object.keys(servers),
    log: { unexpected: assert.fail },
    missing: () => asked.push("nobody"),
  });
  return { visits, asked };
}

/** What comes of a stale read. */
function readAt(visits: Visits, timeoutMs = 5_000): Promise<Answer> {
  return new Promise((resolve) => visits.read(Uint8Array.of(1), timeoutMs, resolve));
}

Deno.test("a stale read goes to the next server when one does not answer, and then to the one that has", async () => {
  const read = concatBytes([Uint8Array.of(0, 0, 0, 7), encodeResult(OVERLOADED)]);
  const { visits, asked } = visitsOf({
    a: () => undefined,
    b: () => Uint8Array.of(1, 2),
    c: () => read,
    d: () => read,
  });
  for (let i = 0; i < 2; i++) {
    const answer = await readAt(visits);
    assert.deepEqual(answer, { result: OVERLOADED, lagMs: 7 });
  }
  assert.deepEqual(asked, ["a", "b", "c", "c"].map((id) => `${id} ${REQUEST.read}`));
  const alone = visitsOf({});
  const { result } = await readAt(alone.visits, 1);
  assert.deepEqual([result, alone.asked], [NO_LEADER, ["nobody"]]);
  visits.close();
  alone.visits.close();
});

Deno.test("a stale read waits for a server that answers until its time is over, or the gateway ends", async () => {
  let isThere = false;
  const answer = concatBytes([Uint8Array.of(0, 0, 0, 0), encodeResult(OVERLOADED)]);
  const { visits, asked } = visitsOf({ a: () => isThere ? answer : undefined });
  const reading = readAt(visits);
  await until(() => asked.length > 2);
  isThere = true;
  assert.deepEqual(await reading, { result: OVERLOADED, lagMs: 0 });
  isThere = false;
  assert.deepEqual((await readAt(visits, 100)).result, NO_LEADER);
  const cut = readAt(visits, 60_000);
  const before = asked.length;
  await until(() => asked.length > before + 2);
  visits.close();
  assert.deepEqual((await cut).result, SHUTTING_DOWN);
  assert.deepEqual((await readAt(visits)).result, SHUTTING_DOWN);
});

Deno.test("requests go to whom most servers call the leader", async () => {
  const says = (leader: string): Answering => (kind) =>
    kind === REQUEST.leader ? encodeUtf8(leader) : concatBytes([
      Uint8Array.of(0, 0, 0, encodeResult(OVERLOADED).length),
      encodeResult(OVERLOADED),
    ]);
  const { visits, asked } = visitsOf({
    a: says("a"),
    b: () => undefined,
    c: says("d"),
    d: says("d"),
    e: says("gone"),
  });
  const { promise, resolve } = Promise.withResolvers<Result>();
  visits.ask("command", Uint8Array.of(1), false, 5_000, resolve);
  assert.deepEqual(await promise, OVERLOADED);
  assert.equal(visits.leaderId, "d");
  assert.deepEqual(asked.slice(5), ["d 0"]);
  visits.close();
});
