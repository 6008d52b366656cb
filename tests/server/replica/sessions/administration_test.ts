/**
 * How operators name sessions.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createSessionCommand } from "../../../../cluster/machine/mod.ts";
import {
  administerSessions,
  type SessionReport,
  type SessionServer,
} from "../../../../server/replica/sessions/administration.ts";
import { TestLeader } from "../../../support/sessions/leader.ts";

Deno.test("a session is named by its id, or by as much of that as no other one has", async () => {
  const { server, begin } = serverOf(new TestLeader());
  const ids = ["0000", "00010", "abcd0", "abcd1", "abce", "ffff"].map((digits) =>
    digits.padEnd(32, "0")
  );
  for (const id of ids) await begin(id);
  const found = async (text: string): Promise<string> =>
    (await administerSessions(server, "show", text) as SessionReport).id;
  const named = {
    "0000": ids[0],
    "0001": ids[1],
    "00010": ids[1],
    "abcd0": ids[2],
    "abcd1": ids[3],
    "abce": ids[4],
    "ffff": ids[5],
    [ids[3] ?? ""]: ids[3],
  };
  for (const [text, id] of Object.entries(named)) assert.equal(await found(text), id, text);
  await assert.rejects(found("abcd"), /More than one session begins with 'abcd'/);
  for (const text of ["abcf", "abc", "", "fffe", "abcd2", "f".repeat(32)]) {
    await assert.rejects(found(text), new RegExp(`No session '${text}'`));
  }
});

Deno.test("what cannot be done for want of a leader is told so", async () => {
  const leader = new TestLeader();
  const { server } = serverOf(leader);
  const failure = { ok: false, code: 503, reason: "NO_LEADER" } as const;
  const without: SessionServer = {
    sessions: server.sessions,
    propose: (_command, _limit, done) => done(failure),
    query: (_question, _consistency, _limit, done) => done({ result: failure, lagMs: 0 }),
  };
  await assert.rejects(administerSessions(without, "list", ""), /No leader is known/);
});

function serverOf(leader: TestLeader) {
  const server: SessionServer = {
    sessions: leader.sessions,
    propose: (command, limitMs, done) =>
      leader.askHere("command", command, limitMs, (result) => result && done(result)),
    query: (question, _consistency, _limitMs, done) =>
      queueMicrotask(() => done({ result: leader.machine.query(question), lagMs: 0 })),
  };
  const begin = async (id: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const nonce = new Uint8Array(8).fill(1);
    const session = Uint8Array.fromHex(id);
    const command = createSessionCommand({ session, nonce, capabilities: [["x", "1"]] });
    leader.askHere("command", command, 0, resolve);
    await promise;
  };
  return { server, begin };
}
