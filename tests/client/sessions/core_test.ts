/**
 * The core of a client's session: numbers, pauses, bounds, and how it goes on.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Effect } from "../../../client/sessions/core/inputs.ts";
import { wakeAt } from "../../../client/sessions/core/step.ts";
import { REJECTED, REQUEST_ERROR } from "../../../protocol/sessions/mod.ts";
import { Core, inWords } from "../../support/sessions/core.ts";

const NONE = new Uint8Array(0);

function answer(core: Core, requestId: number): string[] {
  return inWords(core.receive({ kind: "clientResponse", requestId, result: NONE }));
}

function errorIn(effects: readonly Effect[]): Error {
  const [rejected] = effects.filter((effect) => effect.type === "reject");
  assert.ok(rejected !== undefined);
  return rejected.error;
}

Deno.test("each command says the lowest number that still waits", () => {
  const core = new Core().connect();
  const lows = () => inWords(core.submit().effects);
  assert.deepEqual(lows(), ["send command 1 low 1"]);
  assert.deepEqual(lows(), ["send command 2 low 1"]);
  answer(core, 2);
  assert.deepEqual(lows(), ["send command 3 low 1"]);
  answer(core, 1);
  assert.deepEqual(lows(), ["send command 4 low 3"]);
  const { call } = core.submit();
  answer(core, 3);
  answer(core, 4);
  core.take({ type: "abandon", call });
  assert.deepEqual(lows(), ["send command 6 low 6"], "an abandoned command is waited for no more");
});

Deno.test("what is sent again after a reconnect is in the order of its numbers, queries after, then what is new", () => {
  const core = new Core().connect();
  for (let i = 0; i < 5; i++) core.submit();
  core.submit("query");
  answer(core, 3);
  answer(core, 1);
  core.reopen();
  core.submit("query");
  core.submit();
  assert.deepEqual(inWords(core.continue()), [
    "tell connected",
    "send command 2 low 2",
    "send command 4 low 2",
    "send command 5 low 2",
    "send query 1",
    "send query 2",
    "send command 6 low 2",
  ]);
});

Deno.test("only as many numbers are in use as servers allow, and the rest follows in order", () => {
  const core = new Core().connect();
  const sent = [...Array(1_100)].flatMap(() => inWords(core.submit().effects));
  assert.equal(sent.length, 1_024);
  assert.deepEqual(inWords(core.submit("query").effects), [], "it does not overtake");
  assert.deepEqual(answer(core, 2), ["resolve command"], "the lowest still waits");
  assert.deepEqual(answer(core, 1), [
    "resolve command",
    "send command 1025 low 3",
    "send command 1026 low 3",
  ]);
});

Deno.test("calls without an answer are bounded in number and bytes", () => {
  const core = new Core();
  for (let i = 0; i < 10_000; i++) assert.deepEqual(core.submit().effects, []);
  assert.equal(errorIn(core.submit().effects).name, "QueueFullError");
  const large = new Core();
  for (let i = 0; i < 16; i++) assert.deepEqual(large.submit("query", 1024 * 1024).effects, []);
  assert.match(errorIn(large.submit().effects).message, /16777217 of 16777216 bytes/);
  const { call } = new Core().submit();
  assert.deepEqual(large.take({ type: "abandon", call }), [], "a call of nobody");
  large.pass(30_000);
  assert.deepEqual(large.submit().effects, [], "there is room again");
});

Deno.test("a call is sent again after 2 s, half as long again each time up to 10 s, a quarter more or less", () => {
  for (const [chance, share] of [[0, 0.75], [0.5, 1], [0.999_999, 1.25]] as const) {
    const core = new Core({}, { float: () => chance, nonce: () => 1n }).connect();
    core.submit("command", 1, 60_000);
    const start = core.now;
    const times: number[] = [];
    while (times.length < 6) {
      if (inWords(core.pass(10)).includes("send command 1 low 1")) times.push(core.now);
      core.receive({ kind: "keepAliveResponse", time: 0 });
    }
    const pauses = times.map((time, i) => time - (times[i - 1] ?? start));
    const expected = [2_000, 3_000, 4_500, 6_750, 10_000, 10_000].map((ms) => ms * share);
    pauses.forEach((ms, i) => assert.ok(Math.abs(ms - (expected[i] as number)) <= 10, `${pauses}`));
  }
});

Deno.test("at its deadline a command that was sent may have been done, and others were not", () => {
  const core = new Core();
  core.submit("command", 1, 1_000);
  const queued = core.pass(1_000);
  assert.equal(errorIn(queued).message, "No answer to the command within 1000 ms");
  assert.equal(errorIn(queued).name, "TimeoutError");
  core.connect();
  core.submit("command", 1, 1_000);
  core.submit("query", 1, 2_000);
  core.pass(999);
  const sent = errorIn(core.pass(1));
  assert.deepEqual([sent.name, (sent.cause as Error).name], [
    "OutcomeUnknownError",
    "TimeoutError",
  ]);
  assert.equal(errorIn(core.pass(1_000)).name, "TimeoutError");
  assert.deepEqual(answer(core, 1), [], "too late");
});

Deno.test("what was not taken for want of room is sent again in its time", () => {
  const core = new Core().connect();
  core.submit();
  core.receive({ kind: "requestError", requestId: 1, reason: 3 });
  assert.deepEqual(core.pass(1_999), []);
  assert.deepEqual(inWords(core.pass(1)), ["send command 1 low 1", "send keepAlive"]);
  assert.deepEqual(answer(core, 1), ["resolve command"]);
});

Deno.test("a full disk fails what was sent once; what may have been done before is sent again", () => {
  const full = { kind: "requestError", requestId: 1, reason: REQUEST_ERROR.storageFull } as const;
  const once = new Core().connect();
  once.submit();
  assert.deepEqual(inWords(once.receive(full)), ["reject command: KvError"]);
  const twice = new Core().connect();
  twice.submit();
  twice.reopen();
  twice.continue();
  assert.deepEqual(twice.receive(full), []);
  assert.ok(inWords(twice.pass(2_000)).includes("send command 1 low 1"));
  assert.deepEqual(twice.receive(full), []);
  assert.equal(errorIn(twice.pass(30_000)).name, "OutcomeUnknownError");
});

Deno.test("an attempt that was not answered is repeated with its nonce, one that was refused is not", () => {
  const core = new Core();
  const nonces: bigint[] = [];
  const ask = () => {
    const effects = core.take({ type: "opened" });
    for (const effect of effects) {
      if (effect.type === "send" && "nonce" in effect.message) nonces.push(effect.message.nonce);
    }
  };
  core.take({ type: "connect" });
  ask();
  core.take({ type: "lost", error: new Error("lost") });
  core.pass(100);
  ask();
  core.pass(5_000);
  core.pass(200);
  ask();
  core.receive({ kind: "sessionRejected", reason: REJECTED.noQuorum, nonce: 1n });
  core.pass(400);
  ask();
  core.receive({ kind: "sessionCreated", sessionId: "s", nonce: 1n });
  assert.equal(core.state.phase, "connecting-new", "an answer to an attempt before");
  core.receive({ kind: "sessionCreated", sessionId: "s", nonce: 2n });
  assert.deepEqual([core.state.phase, ...nonces], ["connected", 1n, 1n, 1n, 2n]);
});

Deno.test("servers are asked in turn, with pauses from 100 ms to 2 s, a quarter more or less", () => {
  for (const [chance, share] of [[0, 0.75], [0.5, 1], [0.999_999, 1.25]] as const) {
    const core = new Core({}, { float: () => chance, nonce: () => 1n });
    const dialled = inWords(core.take({ type: "connect" }));
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      core.take({ type: "lost", error: new Error("refused") });
      const at = core.now;
      const effects: Effect[] = [];
      while (effects.length === 0) effects.push(...core.pass(1));
      pauses.push(core.now - at);
      dialled.push(...inWords(effects));
    }
    assert.deepEqual(dialled.map((one) => one.slice(5, 6)).join(""), "abcabcab");
    const expected = [100, 200, 400, 800, 1_600, 2_000, 2_000].map((ms) => Math.round(ms * share));
    assert.deepEqual(
      pauses.map((ms, i) => Math.abs(ms - (expected[i] as number)) <= 1),
      pauses.map(() => true),
      `${pauses}`,
    );
  }
});

Deno.test("hints are followed at once, but not in a circle", () => {
  const core = new Core();
  core.take({ type: "connect" });
  const members = [{ id: "b", address: "b:9", role: 1 }, { id: "n", address: "n:9", role: 1 }, {
    id: "x",
    address: "",
    role: 2,
  }];
  const hint = (leader: string) => {
    core.take({ type: "opened" });
    core.receive({ kind: "clusterInfo", members, leader, term: 1 });
    const { nonce } = core.state.link;
    return inWords(
      core.receive({ kind: "sessionRejected", reason: REJECTED.notLeader, nonce, leader }),
    );
  };
  assert.deepEqual(hint("n"), ["dial n:9"]);
  assert.deepEqual(hint("b"), ["dial b:9"]);
  assert.deepEqual(hint("n"), ["hang-up"]);
  assert.deepEqual(inWords(core.pass(100)), ["dial b:1"]);
  assert.deepEqual(hint("x"), ["hang-up"], "its address is not known");
  const turns = [...Array(4)].map(() => {
    const [dialled] = inWords(core.pass(2_000));
    core.take({ type: "lost", error: new Error("refused") });
    return dialled;
  });
  const told = ["dial c:1", "dial b:9", "dial n:9", "dial a:1"];
  assert.deepEqual(turns, told, "servers that were told of are asked, too");
});

Deno.test("a server that gives the session and drops it is asked ever more seldom", () => {
  const core = new Core().connect();
  const pauses: number[] = [];
  for (let i = 0; i < 6; i++) {
    core.take({ type: "lost", error: new Error("lost") });
    const at = core.now;
    while (inWords(core.pass(1)).length === 0);
    pauses.push(core.now - at);
    core.take({ type: "opened" });
    core.continue();
    if (i === 2) core.pass(5_000);
    if (i !== 4) continue;
    core.submit();
    answer(core, 1);
  }
  assert.deepEqual(pauses, [100, 200, 400, 100, 200, 100], "unless it stayed, or answered");
});

Deno.test("signs of life go out in time, and a silent server is left", () => {
  for (const [keepAliveMs, patienceMs] of [[30_000, 5_000], [1_000, 1_000]] as const) {
    const core = new Core({ keepAliveMs }).connect();
    assert.equal(wakeAt(core.state, core.now) - core.now, keepAliveMs);
    assert.deepEqual(inWords(core.pass(keepAliveMs)), ["send keepAlive"]);
    core.receive({ kind: "keepAliveResponse", time: 0 });
    assert.deepEqual(inWords(core.pass(keepAliveMs)), ["send keepAlive"]);
    assert.equal(wakeAt(core.state, core.now) - core.now, patienceMs);
    assert.deepEqual(inWords(core.pass(patienceMs - 1)), []);
    assert.deepEqual(inWords(core.pass(1)), ["tell reconnecting", "hang-up"]);
    const silentMs = keepAliveMs + patienceMs;
    assert.equal(core.state.link.reason?.message, `Server was silent for ${silentMs} ms`);
    assert.ok(silentMs <= 2 * keepAliveMs, "the next leader waits for thrice as long");
  }
});

Deno.test("a server that does not answer a call is asked whether it lives, and left when it does not", () => {
  for (const lives of [true, false]) {
    const core = new Core().connect();
    core.submit("command", 1, 60_000);
    assert.deepEqual(inWords(core.pass(2_000)), ["send command 1 low 1", "send keepAlive"]);
    if (lives) core.receive({ kind: "keepAliveResponse", time: 0 });
    assert.deepEqual(inWords(core.pass(3_000)).includes("send keepAlive"), lives);
    if (lives) core.take({ type: "heard" });
    assert.deepEqual(inWords(core.pass(2_000)).includes("tell reconnecting"), !lives);
  }
});

Deno.test("a sign of life may take longer behind much that was sent", () => {
  const core = new Core().connect();
  core.submit("command", 1024 * 1024, 60_000);
  assert.ok(inWords(core.pass(2_000)).includes("send keepAlive"));
  core.pass(21_384 - 1);
  assert.equal(core.state.phase, "connected");
  core.pass(1);
  assert.equal(core.state.phase, "connecting-existing");
});

Deno.test("a server that is silent is not the next that is asked", () => {
  const core = new Core().connect();
  core.state.link.turn = 0;
  core.take({ type: "lost", error: new Error("lost") });
  assert.deepEqual(inWords(core.pass(100)), ["dial b:1"]);
  const lone = new Core({ addresses: ["a:1"] }).connect();
  lone.take({ type: "lost", error: new Error("lost") });
  assert.deepEqual(inWords(lone.pass(100)), ["dial a:1"]);
});

Deno.test("a session that others have used, or that the servers know less of than before, does not go on", () => {
  const strange = [
    { highestRequestId: 3 },
    { floor: 3 },
    { lowestUnacked: 6, lastServerRequestId: 6 },
    { lastServerRequestId: 3 },
  ];
  for (const told of [{}, { floor: 2 }, { lowestUnacked: 2, lastServerRequestId: 9 }, ...strange]) {
    const core = new Core().connect();
    core.submit();
    answer(core, 1);
    core.submit();
    for (let requestId = 1; requestId <= 4; requestId++) {
      core.receive({ kind: "serverRequest", requestId, payload: NONE, createdAt: 0 });
    }
    core.reopen();
    const words = inWords(core.continue(told));
    const isBroken = strange.includes(told as typeof strange[number]);
    assert.equal(words.includes("tell sessionBroken"), isBroken, JSON.stringify(told));
    assert.equal(words.includes("send command 2 low 2"), !isBroken);
    assert.ok(!words.includes("send closeSession"), "it is another's now");
  }
});

Deno.test("signs of life go out three times in the time that the server waits", () => {
  const core = new Core().connect();
  const state = { floor: 0, highestRequestId: 0, lowestUnacked: 1, lastServerRequestId: 0 };
  core.receive({ ...state, kind: "sessionState", timeoutMs: 6_000, leader: "a", term: 1 });
  assert.equal(wakeAt(core.state, core.now) - core.now, 2_000);
  assert.deepEqual(inWords(core.pass(2_000)), ["send keepAlive"]);
  core.receive({ ...state, kind: "sessionState", timeoutMs: 0, leader: "a", term: 1 });
  assert.equal(wakeAt(core.state, core.now) - core.now, 100, "but not all the time");
});

Deno.test("a client that goes on with another's session has its numbers from the server", () => {
  const core = new Core({ resume: "other" });
  core.submit();
  core.take({ type: "connect" });
  assert.deepEqual(inWords(core.take({ type: "opened" })), ["send hello", "send continueSession"]);
  const { nonce } = core.state.link;
  assert.deepEqual(core.receive({ kind: "sessionContinued", nonce }), [], "they are not known yet");
  const told = { floor: 5, highestRequestId: 9, lowestUnacked: 4, lastServerRequestId: 6 };
  const state = { ...told, kind: "sessionState", timeoutMs: 90_000, leader: "a", term: 1 } as const;
  assert.deepEqual(inWords(core.receive(state)), [
    "tell leaderChanged",
    "tell connected",
    "send command 1034 low 1034",
  ]);
  const push = (requestId: number) =>
    inWords(core.receive({ kind: "serverRequest", requestId, payload: NONE, createdAt: 0 }));
  assert.deepEqual(push(5), [], "the first one is missing");
  assert.deepEqual(push(4), ["deliver 4", "send ack 4"]);
  assert.deepEqual(push(3), ["send ack 4"]);
  core.reopen();
  assert.deepEqual(inWords(core.continue({ highestRequestId: 9, floor: 5 })), [
    "tell connected",
    "send command 1034 low 1034",
  ]);
});

Deno.test("a client whose session another one still uses, from which it has taken it, does not go on", () => {
  for (
    const [highestRequestId, isOwn] of [[9, true], [10, false], [1_033, false], [
      1_034,
      true,
    ]] as const
  ) {
    const core = new Core({ resume: "other" });
    core.submit();
    core.take({ type: "connect" });
    core.take({ type: "opened" });
    core.continue({ highestRequestId: 9 });
    core.reopen();
    const words = inWords(core.continue({ highestRequestId }));
    assert.equal(words.includes("tell sessionBroken"), !isOwn, `${highestRequestId}`);
  }
});

Deno.test("when everything of another's session was acknowledged, the next server request is the first", () => {
  for (const lowestUnacked of [7, 0]) {
    const core = new Core({ resume: "other" });
    core.take({ type: "connect" });
    core.take({ type: "opened" });
    core.receive({ kind: "sessionContinued", nonce: core.state.link.nonce });
    const told = { floor: 0, highestRequestId: 0, lowestUnacked, lastServerRequestId: 6 };
    core.receive({ ...told, kind: "sessionState", timeoutMs: 90_000, leader: "", term: 1 });
    assert.equal(core.state.delivered, 6);
  }
});

Deno.test("a new session follows an expired one when that is wanted, and takes what was never sent", () => {
  const core = new Core({ renew: true }).connect();
  const { nonce } = core.state.link;
  core.submit();
  core.submit("query");
  core.receive({ kind: "serverRequest", requestId: 1, payload: NONE, createdAt: 0 });
  core.reopen();
  core.submit();
  assert.deepEqual(
    inWords(core.receive({
      kind: "sessionRejected",
      reason: REJECTED.sessionExpired,
      nonce: core.state.link.nonce,
    })),
    [
      "tell sessionExpired",
      "reject command: OutcomeUnknownError",
      "reject query: SessionExpiredError",
      "hang-up",
    ],
  );
  assert.deepEqual(inWords(core.pass(200)), ["dial c:1"]);
  assert.deepEqual(inWords(core.take({ type: "opened" })), ["send createSession"]);
  assert.notEqual(core.state.link.nonce, nonce);
  const created = { kind: "sessionCreated", sessionId: "t", nonce: core.state.link.nonce } as const;
  assert.deepEqual(inWords(core.receive(created)), ["tell connected", "send command 1 low 1"]);
  const first = { kind: "serverRequest", requestId: 1, payload: NONE, createdAt: 0 } as const;
  assert.deepEqual(inWords(core.receive(first)), ["deliver 1", "send ack 1"]);
});

Deno.test("a new session is asked for at once where the old one was fine, and not time after time", () => {
  const core = new Core({ renew: true }).connect();
  const expire = () => inWords(core.receive({ kind: "sessionClosed", reason: 5 })).at(-1);
  assert.equal(expire(), "dial a:1");
  core.take({ type: "opened" });
  core.receive({ kind: "sessionCreated", sessionId: "t", nonce: core.state.link.nonce });
  assert.equal(expire(), "hang-up");
});

Deno.test("server requests that nobody reads are not acknowledged, then not taken, and go on when somebody does", () => {
  const core = new Core().connect();
  const push = (requestId: number) =>
    inWords(core.receive({ kind: "serverRequest", requestId, payload: NONE, createdAt: 0 }));
  for (let id = 1; id <= 1_000; id++) {
    assert.deepEqual(push(id), [`deliver ${id}`, `send ack ${id}`]);
  }
  assert.deepEqual(push(1_001), ["deliver 1001"]);
  assert.deepEqual(push(1_001), [], "it is not acknowledged when it comes again either");
  assert.deepEqual(push(7), ["send ack 1000"]);
  for (let id = 1_002; id <= 2_000; id++) push(id);
  assert.deepEqual(push(2_001), []);
  const read = (count: number) => inWords(core.take({ type: "taken", count }));
  assert.deepEqual(read(999), []);
  assert.deepEqual(read(1), ["send ack 2000"]);
  assert.deepEqual(read(1), [], "that was said already");
  assert.deepEqual(push(2_001), ["deliver 2001", "send ack 2001"]);
});

Deno.test("a job is acknowledged when it is done, and what follows it not before", () => {
  const core = new Core().connect();
  const job = new TextEncoder().encode('{"push":"job","job":1,"capability":"a","payload":0}');
  const push = (requestId: number, payload = NONE) =>
    inWords(core.receive({ kind: "serverRequest", requestId, payload, createdAt: 0 }));
  const done = (requestId: number, sessionId = "s") =>
    inWords(core.take({ type: "done", requestId, sessionId }));
  assert.deepEqual(push(1), ["deliver 1", "send ack 1"]);
  assert.deepEqual(push(2, job), ["deliver 2"]);
  assert.deepEqual(push(3), ["deliver 3"]);
  assert.deepEqual(push(4, job), ["deliver 4"]);
  assert.deepEqual(push(5), ["deliver 5"]);
  assert.deepEqual(push(1), ["send ack 1"], "what was acknowledged is acknowledged again");
  assert.deepEqual(push(2, job), []);
  assert.deepEqual(done(4), []);
  assert.deepEqual(done(2, "other"), []);
  assert.deepEqual(done(2), ["send ack 5"]);
  assert.deepEqual(done(2), []);
  assert.deepEqual(push(6, job), ["deliver 6"]);
  core.reopen();
  assert.deepEqual(done(6), []);
  core.continue();
  assert.deepEqual(push(6, job), ["send ack 6"], "it was done while nobody could be told");
});

Deno.test("jobs of a session that is over are nobody's here", () => {
  const core = new Core({ renew: true }).connect();
  const job = new TextEncoder().encode('{"push":"job","job":1,"capability":"a","payload":0}');
  const push = { kind: "serverRequest", requestId: 1, payload: job, createdAt: 0 } as const;
  assert.deepEqual(inWords(core.receive(push)), ["deliver 1"]);
  core.receive({ kind: "sessionClosed", reason: 5 });
  core.take({ type: "opened" });
  core.receive({ kind: "sessionCreated", sessionId: "t", nonce: core.state.link.nonce });
  assert.deepEqual(inWords(core.receive({ ...push, payload: NONE })), ["deliver 1", "send ack 1"]);
  assert.deepEqual(inWords(core.take({ type: "done", requestId: 1, sessionId: "s" })), []);
});

Deno.test("a token is shown first on each connection", () => {
  const core = new Core({ token: "secret" });
  core.take({ type: "connect" });
  assert.deepEqual(inWords(core.take({ type: "opened" })), ["send hello", "send createSession"]);
});

Deno.test("a client without anything to do is not woken", () => {
  const core = new Core();
  const wake = () => wakeAt(core.state, core.now) - core.now;
  assert.equal(wake(), Infinity);
  core.connect();
  assert.equal(wake(), 30_000);
  core.submit();
  assert.equal(wake(), 100);
  answer(core, 1);
  core.take({ type: "close", keep: true });
  assert.equal(wake(), Infinity);
});
