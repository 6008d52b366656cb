/**
 * What `skein agent` does about errors that nobody expected: a line with the stack, a leave, exit code 70.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent } from "../../../server/agent/agent.ts";
import type { ConfigInput } from "../../../server/config/load.ts";
import { loopback } from "../../support/loopback.ts";
import { until, withPatience } from "../../support/rpc/peer.ts";
import { ready, Running } from "../../support/run/running.ts";

const HOST = loopback();

const PROGRAM = new URL("../../support/run/faulty_agent.ts", import.meta.url).pathname;

/** What others saw of an agent that ended by a fault, and what it printed. */
interface Sight {
  readonly code: number;
  readonly status: string | undefined;
  readonly out: string;
  readonly err: string;
}

/** Runs an agent in a process of its own, with a fault in it, beside one that watches it. */
async function planted(fault: string, flags: ConfigInput = {}): Promise<Sight> {
  await using observer = await Agent.start({
    nodeName: "observer",
    bind: `${HOST}:0`,
    profile: "local",
  });
  const { host, port } = observer.address;
  const all = {
    node_name: "faulty",
    bind: `${HOST}:0`,
    rpc_addr: `${HOST}:0`,
    profile: "local",
    start_join: [`${host}:${port}`],
    ...flags,
  };
  const { code, stdout, stderr } = await withPatience(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", PROGRAM, fault, JSON.stringify(all)],
      stdin: "null",
    }).output(),
  );
  const status = (): string | undefined =>
    observer.members().find(({ name }) => name === "faulty")?.status;
  await until(() => status() !== "alive" && status() !== "leaving");
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, status: status(), out: out ?? "", err: err ?? "" };
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

for (const [fault, text] of [["timer", "planted in a timer"], ["rejection", "in a promise"]]) {
  Deno.test(`an error that nobody caught in a ${fault} is one line with its stack, and a leave`, async () => {
    const { code, status, out, err } = await planted(String(fault));
    assert.equal(code, 70, out + err);
    assert.equal(status, "left");
    assert.match(
      out,
      new RegExp(`\\[ERR\\] agent: Unexpected error: TypeError: .*${text}\\n +at .*faulty_agent`),
    );
    assert.equal(count(out, /Unexpected error/g), 1);
    assert.match(out, /requesting graceful leave from Serf[^]*shutdown complete/);
    assert.equal(err, "");
  });
}

Deno.test("as JSON an error that nobody caught is one object", async () => {
  const { code, status, out } = await planted("timer", { log_format: "json" });
  assert.equal(code, 70);
  assert.equal(status, "left");
  const lines = out.trim().split("\n").map((line) => JSON.parse(line));
  const [told, ...more] = lines.filter(({ message }) => message.startsWith("Unexpected error"));
  assert.equal(told.level, "ERR");
  assert.match(told.message, /TypeError: planted in a timer\n +at /);
  assert.deepEqual(more, []);
});

Deno.test("a storm of errors is few lines and does not keep the agent from leaving", async () => {
  const { code, status, out } = await planted("storm");
  assert.equal(code, 70);
  assert.equal(status, "left");
  const told = count(out, /Unexpected error/g);
  assert.ok(told >= 1 && told <= 12, `${told} lines`);
  assert.match(out, /\(\d+ more not logged\)/);
});

Deno.test("what is no error, and cannot be made a text, is told all the same", async () => {
  const { code, status, out } = await planted("thrown");
  assert.equal(code, 70);
  assert.equal(status, "left");
  assert.match(out, /Unexpected error: A value without a text was thrown/);
});

Deno.test("an error before there is a log goes to standard error, and the agent does not go on", async () => {
  const running = new Running({});
  running.throw(new TypeError("too early"));
  running.throw(new TypeError("and again"));
  assert.equal(await withPatience(running.exit), 70);
  assert.match(running.errors, /^Unexpected error: TypeError: too early\n +at /);
  assert.ok(!running.errors.includes("and again"));
  assert.ok(!running.output.includes("Serf agent running!"));
});

Deno.test("an error during a leave does not stop it, but changes the exit code", async () => {
  const running = await ready();
  running.send("SIGINT");
  running.throw(new TypeError("meanwhile"));
  assert.equal(await withPatience(running.exit), 70);
  assert.ok(running.output.includes("Unexpected error: TypeError: meanwhile"));
  assert.ok(running.output.includes("EventMemberLeave: t"));
  assert.deepEqual(running.handled, []);
});

Deno.test("a fault while the first join waits is shown, although the log is not yet", async () => {
  const running = new Running({ start_join: [`${HOST}:1`], broadcast_timeout: "100ms" });
  await running.printed("Joining cluster");
  running.throw(new TypeError("while joining"));
  assert.equal(await withPatience(running.exit), 70);
  assert.ok(running.output.includes("Unexpected error: TypeError: while joining"));
});
