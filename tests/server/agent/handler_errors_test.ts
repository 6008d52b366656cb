/**
 * Handler functions that fail: who gets to know of it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent, type AgentSettings } from "../../../server/agent/agent.ts";
import type { HandlerError } from "../../../server/agent/events/handler_error.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

function start(settings: AgentSettings): Promise<Agent> {
  return Agent.start({ nodeName: "a", bind: `${HOST}:0`, profile: "local", ...settings });
}

/** What the agent itself answers to a query. */
async function answers(agent: Agent, name: string): Promise<string[]> {
  const all = await Array.fromAsync(agent.query(name, null, { timeoutMs: 5_000 }));
  return all.map(({ payload }) => new TextDecoder().decode(payload ?? undefined));
}

function errorsOf({ log }: Agent): string[] {
  return log.lines("ERR").map((line) => line.slice(20));
}

/** Runs `body` with what it prints to standard error. */
async function printed(body: (lines: string[]) => Promise<void>): Promise<void> {
  const { error } = console;
  const lines: string[] = [];
  console.error = (...parts: unknown[]) => void lines.push(parts.map(String).join(" "));
  try {
    await body(lines);
  } finally {
    console.error = error;
  }
}

const FAULTY = {
  "user:x": () => {
    throw new Error("thrown");
  },
  "query:throws": () => Promise.reject(new Error("rejected")),
  "query:big": () => "x".repeat(2_000),
  "query:wrong": () => 5,
  "query:self": (query: { respond(payload: string): void }) => query.respond("x".repeat(2_000)),
} as unknown as NonNullable<AgentSettings["handlers"]>;

Deno.test("a handler that fails is told of on standard error, in the log, and to the asker", async () => {
  await printed(async (lines) => {
    await using agent = await start({ handlers: FAULTY });
    agent.event("x", null, { coalesce: false });
    assert.deepEqual(await answers(agent, "throws"), ["Error: the handler failed"]);
    assert.deepEqual(await answers(agent, "big"), ["Error: the answer is too large"]);
    assert.deepEqual(await answers(agent, "self"), ["Error: the answer is too large"]);
    assert.deepEqual(await answers(agent, "wrong"), [
      "Error: the answer is neither text nor bytes",
    ]);
    const refused = "RespondError: failed to respond to key query: response exceeds limit of 1024";
    const wanted = [
      "The handler for 'user:x' failed on user-event: x: Error: thrown",
      "The handler for 'query:throws' failed on query: throws: Error: rejected",
      `The handler for 'query:big' failed on query: big: ${refused} bytes`,
      `The handler for 'query:self' failed on query: self: ${refused} bytes`,
      "The handler for 'query:wrong' failed on query: wrong: TypeError: Invalid payload: expected " +
      "a string, a Uint8Array or null, got number 5",
    ];
    assert.deepEqual(lines, wanted.map((line) => `Agent 'a': ${line}`));
    const logged = wanted.map((line) => `[ERR] agent: ${line.replace(/: \w*Error: /, ": ")}`);
    assert.deepEqual(errorsOf(agent), logged);
  });
});

Deno.test("a handler that keeps failing is printed once a second, and what peers sent is harmless", async () => {
  await printed(async (lines) => {
    const fail = () => {
      throw new Error("down");
    };
    await using agent = await start({ handlers: { user: fail } });
    for (let i = 0; i < 100; i++) agent.event("\x1b[2Jx", null, { coalesce: false });
    await until(() => errorsOf(agent).length === 100);
    assert.deepEqual(lines, [
      "Agent 'a': The handler for 'user' failed on user-event: \\x1b[2Jx: Error: down",
    ]);
  });
});

Deno.test("onError takes over, knows the event, and may answer itself", async () => {
  await printed(async (lines) => {
    const errors: HandlerError[] = [];
    const onError = (error: HandlerError) => {
      errors.push(error);
      if (error.event.type === "query") error.event.respond("out of order");
    };
    await using agent = await start({ handlers: FAULTY, onError });
    const stop = agent.subscribe((event) => {
      if (event.type === "user") throw new Error("listener");
    });
    agent.event("x", null, { coalesce: false });
    stop();
    assert.deepEqual(await answers(agent, "throws"), ["out of order"]);
    const seen = errors.map((
      { name, handler, event, cause },
    ) => [name, handler, event.type, cause]);
    assert.deepEqual(seen, [
      ["HandlerError", "user:x", "user", new Error("thrown")],
      ["HandlerError", "subscribe", "user", new Error("listener")],
      ["HandlerError", "query:throws", "query", new Error("rejected")],
    ]);
    assert.deepEqual(lines, []);
  });
});

Deno.test("an onError that fails itself is told of, and harms nobody", async () => {
  for (const onError of [() => Promise.reject(new Error("worse")), () => assert.fail("worse")]) {
    await printed(async (lines) => {
      await using agent = await start({ handlers: FAULTY, onError });
      assert.deepEqual(await answers(agent, "throws"), ["Error: the handler failed"]);
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? "", /^Agent 'a': The function for errors of .* itself: .*worse$/);
    });
  }
});

Deno.test("an answer of one handler counts more than the failure of another", async () => {
  await printed(async (lines) => {
    const fails = () => {
      throw new Error("down");
    };
    const late = Promise.withResolvers<string>();
    let seen = 0;
    await using agent = await start({
      handlers: {
        "*": (() => ++seen) as unknown as () => void,
        query: fails,
        "query:ok": () => "yes",
        "query:late": () => late.promise,
        "query:itself": (query) => void late.promise.then(() => query.respond("itself")),
        "query:both,query:x": () => "first",
        "query:both": () => "second",
      },
    });
    assert.deepEqual(await answers(agent, "ok"), ["yes"]);
    const asked = [answers(agent, "late"), answers(agent, "itself")];
    await until(() => errorsOf(agent).length === 3);
    await new Promise((turn) => setTimeout(turn));
    late.resolve("at last");
    assert.deepEqual(await Promise.all(asked), [["at last"], ["itself"]]);
    assert.deepEqual(await answers(agent, "both"), ["first"]);
    assert.deepEqual(await answers(agent, "other"), ["Error: the handler failed"]);
    assert.ok(seen >= 4, "what the handler of all events returns is no answer");
    assert.ok(lines.every((line) => line.includes("'query' failed on")), lines.join("\n"));
  });
});

Deno.test("a query that a busy handler misses is answered", async () => {
  const release = Promise.withResolvers<void>();
  await using agent = await start({ handlers: { "query:slow": () => release.promise } });
  for (let i = 0; i < 1_024; i++) agent.query("slow", null, { timeoutMs: 5_000 }).close();
  assert.deepEqual(await answers(agent, "slow"), ["Error: the handler is busy"]);
  release.resolve();
});
