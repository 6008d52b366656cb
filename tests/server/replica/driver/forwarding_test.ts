import assert from "node:assert/strict";
import { Forwarder } from "../../../../server/replica/driver/forwarding.ts";
import { type PeerNet, UnsentError } from "../../../../server/replica/driver/parts.ts";
import type { Request } from "../../../../server/replica/driver/requests.ts";
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
    forwarded: false,
    done: () => assert.fail("Nobody has answered"),
  };
  let waiting: readonly Request[] = [];
  let tries = 0;
  const peers: PeerNet = {
    send: () => {},
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
