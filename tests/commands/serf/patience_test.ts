/**
 * Commands wait as long as the agent needs: what it does succeeds or fails when it says so, not after some time.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { JoinResponse, KeyResponse } from "../../../protocol/ipc/mod.ts";
import { type FakeRequest, startFakeAgent } from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

const KEYS: KeyResponse = { Messages: {}, Keys: {}, NumNodes: 1, NumErr: 0, NumResp: 1 };

/** Command lines whose work takes other nodes, and how their request succeeds. */
const COMMANDS: readonly [argv: string[], command: string, succeed: (r: FakeRequest) => void][] = [
  [["join", "a", "b"], "join", (request) => request.answer("", JoinResponse, { Num: 2 })],
  [["leave"], "leave", (request) => request.answer()],
  [["force-leave", "x"], "force-leave", (request) => request.answer()],
  [["tags", "-set=a=b"], "tags", (request) => request.answer()],
  ...["install", "use", "remove", "list"].map((name): typeof COMMANDS[number] => [
    ["keys", name === "list" ? "-list" : `-${name}=KEY`],
    name === "list" ? "list-keys" : `${name}-key`,
    (request) => request.answer("", KeyResponse, KEYS),
  ]),
];

Deno.test("no time ends the wait for an agent that waits for others", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    if (request.command !== "members") return false;
    request.answer("cannot tell");
    return true;
  });
  using timers = watchTimers();
  for (const [argv, command, succeed] of COMMANDS) {
    const [name = "", ...args] = argv;
    const done = dispatch([name, `-rpc-addr=${agent.address}`, ...args], recordingTerminal());
    const request = await agent.next(command);
    assert.deepEqual([...timers.running.values()], [], argv.join(" "));
    succeed(request);
    assert.equal(await done, 0, argv.join(" "));
  }
});

Deno.test("a person sees that a join, a leave or a change goes on", async () => {
  await using agent = startFakeAgent(HOST);
  const cases = [
    [["join", "a.example"], "join", /^Joining through a\.example \(/],
    [["join", "a", "b"], "join", /^Joining through 2 addresses \(/],
    [["leave"], "leave", /^Leaving \(/],
    [["tags", "-set=a=b"], "tags", /^Telling the members \(/],
  ] as const;
  for (const [[name, ...args], command, status] of cases) {
    const terminal = recordingTerminal({ interactive: true });
    const shown = Promise.withResolvers<string>();
    const watched = {
      ...terminal,
      status: (text: string | undefined) => text !== undefined && shown.resolve(text),
    };
    const done = dispatch(
      [name, `-rpc-addr=${agent.address}`, ...args],
      watched as typeof terminal,
    );
    const request = await agent.next(command);
    assert.match(await shown.promise, status);
    if (command === "join") request.answer("", JoinResponse, { Num: 2 });
    else request.answer();
    assert.equal(await done, 0);
  }
});

/** Remembers the timers that run, until it is disposed of. */
function watchTimers(): Disposable & { readonly running: ReadonlyMap<unknown, string> } {
  const { setTimeout, clearTimeout } = globalThis;
  const running = new Map<unknown, string>();
  const watched = (handler: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const id = setTimeout(() => {
      running.delete(id);
      handler(...args);
    }, ms);
    running.set(id, `${ms} ms`);
    return id;
  };
  Object.assign(globalThis, {
    setTimeout: watched,
    clearTimeout(id: Parameters<typeof clearTimeout>[0]) {
      running.delete(id);
      clearTimeout(id);
    },
  });
  return {
    running,
    [Symbol.dispose]() {
      Object.assign(globalThis, { setTimeout, clearTimeout });
    },
  };
}
