/**
 * `skein session` against agents in this process: one that keeps state, and one that does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { CLOSED } from "../../../protocol/sessions/mod.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";
import { oneServer } from "../../support/sessions/server.ts";

const HOST = loopback();

function client(agent: Agent): (...args: string[]) => Promise<[code: number, output: string]> {
  const { port } = agent.listenRpc(`${HOST}:0`).address;
  return async (...args) => {
    const terminal = recordingTerminal();
    const code = await dispatch(["session", `-rpc-addr=${HOST}:${port}`, ...args], terminal);
    assert.equal(terminal.stderr, "");
    return [code, terminal.stdout];
  };
}

Deno.test("sessions are listed, shown and ended, as text and as JSON", async () => {
  await using server = await oneServer();
  const session = client(server.agent);
  assert.deepEqual(await session("list"), [0, "There are no sessions\n"]);
  assert.deepEqual(await session("list", "-format=json"), [0, "[]\n"]);
  const [first, second] = [await server.open(), await server.open()];
  const ids = [await first.create([["worker", "v2"], ["a", "b"]]), await second.create()] as const;
  await first.command(1, { action: "WATCH", key: "n" });
  await first.request(2, { action: "SET", key: "n", value: 1 }, 1);
  await first.result(2);
  await first.next("serverRequest");
  await second.close();

  const [code, text] = await session("list");
  assert.equal(code, 0);
  assert.match(text, /^Id +Created +Connected +Last request +Watches +Pending +Capabilities\n/);
  const row = (id: string, rest: string): RegExp =>
    new RegExp(`^${id.slice(0, 12)} +20\\d\\d-[^ ]*Z +${rest}$`, "m");
  assert.match(text, row(ids[0], "yes +2 +1 +1 +worker=v2,a=b"));
  assert.match(text, row(ids[1], "no +0 +0 +0 +worker=v2"));
  const listed = JSON.parse((await session("list", "-format=json"))[1]);
  assert.deepEqual(listed.map(({ id }: { id: string }) => id), ids.toSorted());

  const shown = JSON.parse((await session("-format=json", "show", ids[0].slice(0, 7)))[1]);
  assert.deepEqual({ ...shown, created_at: 0, pending_bytes: 0, answer_bytes: 0 }, {
    id: ids[0],
    created_at: 0,
    connected: true,
    capabilities: { worker: "v2", a: "b" },
    floor: 1,
    highest_request: 2,
    answers: 2,
    answer_bytes: 0,
    last_server_request: 1,
    pending: 1,
    pending_bytes: 0,
    watches: 1,
  });
  assert.match((await session("show", ids[0]))[1], /\nNot acknowledged +1, \d+ bytes\n/);

  assert.deepEqual(await session("end", ids[0]), [0, "Ended\n"]);
  assert.equal(await first.closed(), CLOSED.sessionExpired);
  assert.deepEqual(await session("show", ids[0]), [
    1,
    `Error: session show: No session '${ids[0]}'\n`,
  ]);
  assert.equal(JSON.parse((await session("list", "-format=json"))[1]).length, 1);
});

Deno.test("what is no session, or no action, is told", async () => {
  await using server = await oneServer();
  const session = client(server.agent);
  for (const name of ["x", "abc", "ABCD", "0".repeat(33)]) {
    assert.deepEqual(await session("end", name), [
      1,
      `Error: session end: No session '${name}'\n`,
    ]);
  }
  assert.match((await session("show"))[1], /^The id of a session must be specified\n/);
  assert.match(
    (await session("kill"))[1],
    /^Unknown action 'kill', expected one of list, show, end/,
  );
  const { state } = server.agent;
  await assert.rejects(state?.administerSessions("kill") ?? Promise.resolve(), /Unknown action/);
  await assert.rejects(state?.administerSessions("list", "x") ?? Promise.resolve(), /No session/);
});

Deno.test("more sessions than a page are listed", async () => {
  await using server = await oneServer();
  const clients = [];
  for (let i = 0; i < 501; i++) {
    const one = await server.open();
    await one.create();
    clients.push(one);
  }
  const session = client(server.agent);
  const listed: { id: string }[] = JSON.parse((await session("list", "-format=json"))[1]);
  assert.equal(new Set(listed.map(({ id }) => id)).size, 501);
});

Deno.test("an agent that keeps no state says so", async () => {
  await using agent = await Agent.start({ bind: `${HOST}:0` });
  assert.deepEqual(await client(agent)("list"), [
    1,
    "Error: session list: This agent keeps no state: only one that was started with -server or " +
    "-dev does\n",
  ]);
});
