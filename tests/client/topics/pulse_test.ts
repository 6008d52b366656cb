/**
 * The pulse of a server, whose sign of life is a request like others.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Alarm, Alarms } from "../../../client/net/alarms.ts";
import { Pulse } from "../../../client/topics/wire/pulse.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

/** Alarms of which it is known how many are set. */
class CountedAlarms extends Alarms {
  readonly all = new Set<Alarm>();

  override set(ms: number, ring: () => void): Alarm {
    const alarm = super.set(ms, () => {
      this.all.delete(alarm);
      ring();
    });
    this.all.add(alarm);
    return alarm;
  }

  override clear(alarm: Alarm): void {
    this.all.delete(alarm);
    super.clear(alarm);
  }
}

Deno.test("however often a sign of life is asked for, one alarm is set, and none once the connection is over", async () => {
  const alarms = new CountedAlarms();
  let asked = 0;
  const pulse: Pulse = new Pulse({
    alarms,
    silentMs: 20,
    bytes: () => 1,
    ask: () => {
      asked++;
      pulse.asked();
      queueMicrotask(() => pulse.heard());
      return true;
    },
    dead: () => assert.fail("it says something"),
  });
  pulse.asked();
  await until(() => asked === 3);
  assert.equal(alarms.all.size, 1);
  pulse.end();
  assert.equal(alarms.all.size, 0);
});

Deno.test("a connection that ends while a sign of life is asked for leaves no alarm", async () => {
  const alarms = new CountedAlarms();
  let bytes = 1;
  const pulse: Pulse = new Pulse({
    alarms,
    silentMs: 20,
    bytes: () => bytes,
    ask: () => {
      bytes = 0;
      pulse.end();
      return false;
    },
    dead: () => assert.fail("it is over"),
  });
  pulse.asked();
  await until(() => bytes === 0);
  assert.equal(alarms.all.size, 0);
});

Deno.test("a server whose answer has come while the program did something else is not dead", async () => {
  const silentMs = 400;
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const accepted = listener.accept();
  using own = await Deno.connect({ hostname: HOST, port: listener.addr.port });
  using server = await accepted;
  listener.close();
  let isDead = false;
  let heard = 0;
  const answer = async (): Promise<void> => {
    await server.write(new Uint8Array(1));
    // The answer is there, and this program busy until it should have been.
    const end = performance.now() + silentMs * 0.75;
    while (performance.now() < end);
  };
  const answers: Promise<void>[] = [];
  const pulse = new Pulse({
    alarms: new Alarms(),
    silentMs,
    bytes: () => 1,
    ask: () => answers.push(answer()) > 0,
    dead: () => isDead = true,
  });
  const reading = (async () => {
    const bytes = new Uint8Array(1);
    while (await own.read(bytes) !== null) {
      heard++;
      pulse.heard();
    }
  })();
  pulse.asked();
  await until(() => isDead || heard >= 2);
  pulse.end();
  await Promise.all(answers);
  await server.closeWrite();
  await reading;
  assert.equal(isDead, false);
});
