/**
 * Errors that nobody expected, in the log.
 *
 * @module
 */

import assert from "node:assert/strict";
import { background, guarded } from "../../../server/logging/background.ts";
import { errorOf, isProgramFault, stackOf } from "../../../server/logging/errors.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { guardedClock } from "../../../server/runtime.ts";

Deno.test("stackOf() shows stack, causes and gathered errors, and no text of others forges a line", () => {
  const cause = new RangeError("deep\n2026/01/01 00:00:00 [INFO] agent: forged");
  const text = stackOf(new AggregateError([new TypeError("part")], "whole", { cause }));
  const [title, frame] = text.split("\n");
  assert.equal(title, "AggregateError: whole");
  assert.match(String(frame), /^ {4}at .*unexpected_test\.ts/);
  assert.ok(text.includes("\nCaused by RangeError: deep\\n2026/01/01"));
  assert.ok(text.includes("\nOne of them: TypeError: part\n    at "));
  assert.ok(!/^2026/m.test(text));
});

Deno.test("stackOf() ends, also with circles and endless lists", () => {
  const loop = new Error("loop");
  loop.cause = loop;
  assert.equal([...stackOf(loop).matchAll(/Error: loop/g)].length, 8);
  const many = new AggregateError(Array.from({ length: 1_000 }, () => new Error("one")), "many");
  assert.equal([...stackOf(many).matchAll(/Error: one/g)].length, 7);
});

Deno.test("what is thrown and is no error becomes one", () => {
  assert.equal(errorOf("text").message, "text");
  assert.equal(errorOf(Object.create(null)).message, "A value without a text was thrown");
  const error = new Error("own");
  assert.equal(errorOf(error), error);
});

Deno.test("isProgramFault() tells what the language throws from what the surroundings cause", () => {
  const faults = [
    new TypeError(),
    new RangeError(),
    new ReferenceError(),
    new SyntaxError(),
    "x",
    null,
  ];
  for (const fault of faults) assert.equal(isProgramFault(fault), true, String(fault));
  for (const other of [new Error(), new Deno.errors.NotFound(), new DOMException()]) {
    assert.equal(isProgramFault(other), false, String(other));
  }
});

Deno.test("tasks in the background, callbacks and timers hand their errors to the log", async () => {
  const log = new AgentLog("t");
  const seen: unknown[] = [];
  const twice = Promise.withResolvers<void>();
  const end = log.onUnexpected((error) => {
    seen.push(error);
    if (seen.length === 3) twice.resolve();
  });
  const [a, b, c] = [new TypeError("a"), new TypeError("b"), new TypeError("c")];
  const throws = (error: Error) => (): never => {
    throw error;
  };
  guarded(throws(a), log)();
  background(Promise.reject(b), log);
  background(Promise.resolve(), log);
  guardedClock((error) => log.unexpected(error)).setTimer(0, throws(c));
  await twice.promise;
  assert.deepEqual(seen, [a, b, c]);
  end();
  log.unexpected(a);
  assert.equal(seen.length, 3);
});

Deno.test("a sink that throws does not keep an error from those who end the agent", () => {
  const log = new AgentLog("t");
  const seen: unknown[] = [];
  log.onUnexpected((error) => void seen.push(error));
  log.addSink(() => {
    throw new Error("The sink is broken");
  });
  const error = new TypeError("planted");
  assert.throws(() => log.unexpected(error), /The sink is broken/);
  assert.deepEqual(seen, [error]);
});
