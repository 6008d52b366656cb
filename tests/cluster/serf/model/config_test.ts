import assert from "node:assert/strict";
import { memberlistConfig } from "../../../../cluster/memberlist/mod.ts";
import {
  checkSerfConfig,
  type SerfConfig,
  serfConfig,
} from "../../../../cluster/serf/model/config.ts";

const memberlist = memberlistConfig("a", { addr: new Uint8Array(4), port: 1 }, "lan");
const config = (overrides: Partial<SerfConfig>) =>
  serfConfig({ nodeName: "a", memberlist, onEvent: () => {} }, overrides);
const check = (overrides: Partial<SerfConfig>) => () => checkSerfConfig(config(overrides));

Deno.test("the defaults are those of the agent's protocol version and of the library for the rest", () => {
  const { nodeName: _, memberlist: __, onEvent: ___, ...defaults } = config({});
  assert.deepEqual(defaults, {
    tags: {},
    protocolVersion: 5,
    broadcastTimeoutMs: 5_000,
    leavePropagateDelayMs: 1_000,
    coalescePeriodMs: 0,
    quiescentPeriodMs: 0,
    userCoalescePeriodMs: 0,
    userQuiescentPeriodMs: 0,
    reapIntervalMs: 15_000,
    reconnectIntervalMs: 30_000,
    healIntervalMs: 300_000,
    reconnectTimeoutMs: 86_400_000,
    tombstoneTimeoutMs: 86_400_000,
    flapTimeoutMs: 60_000,
    recentIntentTimeoutMs: 300_000,
    queueCheckIntervalMs: 30_000,
    queueDepthWarning: 128,
    maxQueueDepth: 4_096,
    minQueueDepth: 0,
    eventBuffer: 512,
    queryBuffer: 512,
    userEventSizeLimit: 512,
    querySizeLimit: 1_024,
    queryResponseSizeLimit: 1_024,
    queryTimeoutMult: 16,
    resolveNameConflicts: true,
    validateNodeNames: false,
    coordinates: true,
  });
  check({})();
});

Deno.test("a protocol version outside 2 to 5 is refused with Go's text", () => {
  assert.throws(check({ protocolVersion: 1 }), {
    name: "SerfConfigError",
    message: "Protocol version '1' too low. Must be in range: [2, 5]",
  });
  assert.throws(check({ protocolVersion: 6 }), {
    message: "Protocol version '6' too high. Must be in range: [2, 5]",
  });
  assert.throws(check({ protocolVersion: NaN }), { name: "SerfConfigError" });
});

Deno.test("an event limit over 9216 is refused", () => {
  assert.throws(check({ userEventSizeLimit: 9_217 }), {
    message: "user event size limit exceeds limit of 9216 bytes",
  });
  check({ userEventSizeLimit: 9_216 })();
});

Deno.test("tags that do not fit are refused", () => {
  assert.throws(check({ tags: { t: "x".repeat(600) } }), {
    name: "TagsTooLargeError",
    message: "Encoded length of tags exceeds limit of 512 bytes",
  });
});

Deno.test("buffers without slots are refused", () => {
  assert.throws(check({ eventBuffer: 0 }), /'eventBuffer' is 0/);
  assert.throws(check({ queryBuffer: 1.5 }), /'queryBuffer' is 1.5/);
});

Deno.test("names are free by default, and checked when that is asked for", () => {
  const strange = { nodeName: "a b\n" };
  check(strange)();
  assert.throws(check({ ...strange, validateNodeNames: true }), {
    message: "Node name contains invalid characters a b\n , Valid characters include all " +
      "alpha-numerics and dashes and '.' ",
  });
  assert.throws(check({ nodeName: "n".repeat(129), validateNodeNames: true }), {
    message: "Node name is 129 characters. Valid length is between 1 and 128 characters",
  });
  for (const nodeName of ["web-1.Eu", "n".repeat(128), ""]) {
    check({ nodeName, validateNodeNames: true })();
  }
});
