/**
 * What a client's session does about everything that can happen, in each of its phases.
 *
 * @module
 */

import assert from "node:assert/strict";
import { inWords } from "../../support/sessions/core.ts";
import { INPUTS, PHASES } from "../../support/sessions/inputs.ts";

/** The phase that follows, and what is done. What is not named here changes nothing. */
const TABLE: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "disconnected": {
    "connect": ["connecting-new", "dial a:1"],
    "close": [
      "over",
      "hang-up",
      "reject command: ConnectionClosedError",
      "tell disconnected",
      "end",
    ],
    "close and keep": [
      "over",
      "hang-up",
      "reject command: ConnectionClosedError",
      "tell disconnected",
      "end",
    ],
    "tick, silence": ["disconnected", "reject command: TimeoutError"],
  },
  "connecting-new": {
    "close": [
      "over",
      "hang-up",
      "reject command: ConnectionClosedError",
      "tell disconnected",
      "end",
    ],
    "close and keep": [
      "over",
      "hang-up",
      "reject command: ConnectionClosedError",
      "tell disconnected",
      "end",
    ],
    "opened": ["connecting-new", "send createSession"],
    "lost": ["connecting-new", "hang-up"],
    "tick, attempt over": ["connecting-new", "hang-up"],
    "tick, deadline": ["connecting-new", "hang-up"],
    "tick, silence": ["connecting-new", "reject command: TimeoutError", "hang-up"],
    "created": ["connected", "tell connected", "send command 1 low 1"],
    "rejected notLeader": ["connecting-new", "hang-up"],
    "rejected notLeader, b": ["connecting-new", "dial b:9"],
    "rejected notLeader, unknown": ["connecting-new", "hang-up"],
    "rejected sessionExpired": ["connecting-new", "hang-up"],
    "rejected invalidCapabilities": [
      "over",
      "hang-up",
      "reject command: SessionRejectedError",
      "tell disconnected",
      "end: SessionRejectedError",
    ],
    "rejected other": ["connecting-new", "hang-up"],
    "rejected noQuorum": ["connecting-new", "hang-up"],
    "rejected tooManySessions": ["connecting-new", "hang-up"],
    "rejected unauthorized": [
      "over",
      "hang-up",
      "reject command: SessionRejectedError",
      "tell disconnected",
      "end: SessionRejectedError",
    ],
    "rejected 99": ["connecting-new", "hang-up"],
    "closed shutdown": ["connecting-new", "hang-up"],
    "closed notLeaderAnymore": ["connecting-new", "hang-up"],
    "closed notLeaderAnymore, b": ["connecting-new", "dial b:9"],
    "closed sessionError": ["connecting-new", "hang-up"],
    "closed connectionClosed": ["connecting-new", "hang-up"],
    "closed sessionExpired": ["connecting-new", "hang-up"],
    "session state": ["connecting-new", "tell leaderChanged"],
    "cluster info": ["connecting-new", "tell leaderChanged"],
  },
  "connecting-existing": {
    "close": [
      "over",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: ConnectionClosedError",
      "tell disconnected",
      "end",
    ],
    "close and keep": [
      "over",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: ConnectionClosedError",
      "tell disconnected",
      "end",
    ],
    "opened": ["connecting-existing", "send hello", "send continueSession"],
    "lost": ["connecting-existing", "hang-up"],
    "tick, attempt over": ["connecting-existing", "hang-up"],
    "tick, deadline": [
      "connecting-existing",
      "reject command: OutcomeUnknownError",
      "reject query: TimeoutError",
      "hang-up",
    ],
    "tick, silence": [
      "connecting-existing",
      "reject command: OutcomeUnknownError",
      "reject query: TimeoutError",
      "hang-up",
    ],
    "continued": ["connected", "tell connected", "send command 1 low 1", "send query 1"],
    "continued, used by another": [
      "over",
      "tell sessionBroken",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: SessionBrokenError",
      "tell disconnected",
      "end: SessionBrokenError",
    ],
    "rejected notLeader": ["connecting-existing", "hang-up"],
    "rejected notLeader, b": ["connecting-existing", "dial b:9"],
    "rejected notLeader, unknown": ["connecting-existing", "hang-up"],
    "rejected sessionExpired": [
      "over",
      "tell sessionExpired",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: SessionExpiredError",
      "tell disconnected",
      "end: SessionExpiredError",
    ],
    "rejected invalidCapabilities": [
      "over",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: SessionRejectedError",
      "tell disconnected",
      "end: SessionRejectedError",
    ],
    "rejected other": ["connecting-existing", "hang-up"],
    "rejected noQuorum": ["connecting-existing", "hang-up"],
    "rejected tooManySessions": ["connecting-existing", "hang-up"],
    "rejected unauthorized": [
      "over",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: SessionRejectedError",
      "tell disconnected",
      "end: SessionRejectedError",
    ],
    "rejected 99": ["connecting-existing", "hang-up"],
    "closed shutdown": ["connecting-existing", "hang-up"],
    "closed notLeaderAnymore": ["connecting-existing", "hang-up"],
    "closed notLeaderAnymore, b": ["connecting-existing", "dial b:9"],
    "closed sessionError": ["connecting-existing", "hang-up"],
    "closed connectionClosed": ["connecting-existing", "hang-up"],
    "closed sessionExpired": [
      "over",
      "tell sessionExpired",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: SessionExpiredError",
      "tell disconnected",
      "end: SessionExpiredError",
    ],
    "response": ["connecting-existing", "resolve command"],
    "query response": ["connecting-existing", "resolve query"],
    "error responseEvicted": [
      "over",
      "tell sessionBroken",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: SessionBrokenError",
      "tell disconnected",
      "end: SessionBrokenError",
    ],
    "error payloadTooLarge": ["connecting-existing", "reject command: KvError"],
    "error invalidPayload": ["connecting-existing", "reject command: KvError"],
    "error storageFull": ["connecting-existing", "reject command: KvError"],
    "query error invalidPayload": ["connecting-existing", "reject query: KvError"],
    "session state": ["connecting-existing", "tell leaderChanged"],
    "cluster info": ["connecting-existing", "tell leaderChanged"],
  },
  "connected": {
    "close": [
      "over",
      "send closeSession",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: ConnectionClosedError",
      "tell disconnected",
      "end",
    ],
    "close and keep": [
      "over",
      "send connectionClosed",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: ConnectionClosedError",
      "tell disconnected",
      "end",
    ],
    "submit a command": ["connected", "send command 2 low 1"],
    "submit a query": ["connected", "send query 2"],
    "lost": ["connecting-existing", "tell reconnecting", "hang-up"],
    "tick, resend": ["connected", "send command 1 low 1", "send query 1", "send keepAlive"],
    "tick, attempt over": ["connected", "send command 1 low 1", "send query 1", "send keepAlive"],
    "tick, deadline": ["connected", "send command 1 low 1", "send query 1", "send keepAlive"],
    "tick, silence": [
      "connected",
      "reject command: OutcomeUnknownError",
      "reject query: TimeoutError",
      "send keepAlive",
    ],
    "closed shutdown": ["connecting-existing", "tell reconnecting", "hang-up"],
    "closed notLeaderAnymore": ["connecting-existing", "tell reconnecting", "hang-up"],
    "closed notLeaderAnymore, b": ["connecting-existing", "tell reconnecting", "dial b:9"],
    "closed sessionError": ["connecting-existing", "tell reconnecting", "hang-up"],
    "closed connectionClosed": ["connecting-existing", "tell reconnecting", "hang-up"],
    "closed sessionExpired": [
      "over",
      "tell sessionExpired",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: SessionExpiredError",
      "tell disconnected",
      "end: SessionExpiredError",
    ],
    "response": ["connected", "resolve command"],
    "query response": ["connected", "resolve query"],
    "server request, next": ["connected", "deliver 2", "send ack 2"],
    "server request, again": ["connected", "send ack 1"],
    "error responseEvicted": [
      "over",
      "tell sessionBroken",
      "send closeSession",
      "hang-up",
      "reject command: OutcomeUnknownError",
      "reject query: SessionBrokenError",
      "tell disconnected",
      "end: SessionBrokenError",
    ],
    "error payloadTooLarge": ["connected", "reject command: KvError"],
    "error invalidPayload": ["connected", "reject command: KvError"],
    "error storageFull": ["connected", "reject command: KvError"],
    "query error invalidPayload": ["connected", "reject query: KvError"],
    "session state": ["connected", "tell leaderChanged"],
    "cluster info": ["connected", "tell leaderChanged"],
  },
  "over": {
    "submit a command": ["over", "reject command: ConnectionClosedError"],
    "submit a query": ["over", "reject query: ConnectionClosedError"],
  },
};

for (const [phase, begin] of Object.entries(PHASES)) {
  Deno.test(`everything that can happen while a session is "${phase}"`, async (t) => {
    const expected = TABLE[phase] ?? {};
    for (const name of Object.keys(expected)) assert.ok(Object.hasOwn(INPUTS, name), name);
    for (const [name, input] of Object.entries(INPUTS)) {
      await t.step(name, () => {
        const { core, call } = begin();
        const done = inWords(input(core, call));
        const follows = core.state.isOver ? "over" : core.state.phase;
        assert.deepEqual([follows, ...done], expected[name] ?? [phase]);
      });
    }
  });
}

Deno.test("the table has a row for every phase", () => {
  assert.deepEqual(Object.keys(TABLE), Object.keys(PHASES));
});
