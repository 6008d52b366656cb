import assert from "node:assert/strict";
import type { Result } from "../../../../cluster/machine/mod.ts";
import { decodeRequests, Forwarder } from "../../../../server/replica/driver/forwarding.ts";
import { type PeerNet, UnsentError } from "../../../../server/replica/driver/parts.ts";
import type { Request } from "../../../../server/replica/driver/requests.ts";
import { MAX_FRAME_BYTES } from "../../../../server/replica/peers/limits.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

/** More tries than there are time for. */
const MANY = 1_000;

Deno.test("a leader whose address nobody knows does not keep the loop from everything else", async () => {
  const clock = new ManualClock();
  const request: Request = {
    kind: "question",
    bytes: Uint8Array.of(1),
    lease: false,
    deadline: 5_000,
    staysHere: false,
    done: () => assert.fail("Nobody has answered"),
  };
  let waiting: readonly Request[] = [];
  let tries = 0;
  const peers: Pick<PeerNet, "request"> = {
    request: () => {
      tries++;
      return Promise.reject(new UnsentError("Nobody knows where it is"));
    },
  };
  const forwarder = new Forwarder({
    clock,
    peers,
    putBack: (requests) => waiting = [...requests, ...waiting],
    free: () => {
      if (tries < MANY) queueMicrotask(sendAll);
    },
  });
  function sendAll(): void {
    const requests = waiting;
    waiting = [];
    forwarder.send("b", requests);
  }

  waiting = [request];
  sendAll();
  await clock.advance(0);
  assert.equal(tries, 1);
  assert.deepEqual(waiting, [request]);
  await clock.advance(1_000);
  assert.ok(tries > 10 && tries < 100, `${tries} tries`);
  forwarder.close();
  assert.equal(clock.pending, 0);
});

/** Forwards requests with answers of `bytes` each, and tells what came of each, and of how many messages of what size. */
async function forwarded(
  kind: Request["kind"],
  count: number,
  bytes: number,
): Promise<{ told: string[]; sizes: number[]; asked: number }> {
  const clock = new ManualClock();
  const told: string[] = [];
  const sizes: number[] = [];
  let asked = 0;
  let missing = count;
  const all = Promise.withResolvers<void>();
  let waiting: readonly Request[] = Array.from({ length: count }, (_, i) => ({
    kind,
    bytes: Uint8Array.of(i),
    lease: false,
    deadline: 60_000,
    staysHere: false,
    done: (result) => {
      told[i] = result?.ok ? `${result.body[0]} ${result.body.length}` : result?.reason ?? "none";
      if (--missing === 0) all.resolve();
    },
  }));
  const result = (question: Uint8Array): Result => {
    const body = new Uint8Array(bytes);
    body.set(question);
    return { ok: true, rev: 0, body };
  };
  const forwarder = new Forwarder({
    clock,
    peers: {
      request: async (_to, message) => {
        const { requests, answer } = decodeRequests(message, clock.now());
        for (const request of requests) {
          const isTaken = request.kind === "command" || request.asker?.hasRoom() !== false;
          if (isTaken) asked++;
          request.done(isTaken ? result(request.bytes) : undefined);
        }
        sizes.push((await answer).length);
        return answer;
      },
    },
    putBack: (requests) => waiting = [...requests, ...waiting],
    free: () => queueMicrotask(sendAll),
  });
  function sendAll(): void {
    const requests = waiting;
    waiting = [];
    if (requests.length > 0) forwarder.send("b", requests);
  }

  sendAll();
  await all.promise;
  forwarder.close();
  return { told, sizes, asked };
}

Deno.test("questions with large answers come back in several messages, each asked once", async () => {
  const { told, sizes, asked } = await forwarded("question", 60, 700_000);
  assert.deepEqual(told, told.map((_, i) => `${i} 700000`));
  assert.ok(sizes.length > 3 && Math.max(...sizes) < MAX_FRAME_BYTES, `${sizes}`);
  assert.equal(asked, 60);
});

Deno.test("commands with large results are done once, and the outcome of some stays unknown", async () => {
  const { told, sizes, asked } = await forwarded("command", 60, 500_000);
  const known = told.filter((each) => each.endsWith(" 500000"));
  assert.ok(known.length >= 16 && known.length < 20, `${known.length} are known`);
  assert.equal(told.filter((each) => each === "OUTCOME_UNKNOWN").length, 60 - known.length);
  assert.ok(sizes.length === 1 && (sizes[0] as number) < MAX_FRAME_BYTES);
  assert.equal(asked, 60);
});

Deno.test("commands with short results are all told, however many", async () => {
  const { told } = await forwarded("command", 200, 1_000);
  assert.deepEqual(told, told.map((_, i) => `${i} 1000`));
});
