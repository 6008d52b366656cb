/**
 * Programs with a session, at real servers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { SessionBrokenError, SessionClient } from "../../../client/mod.ts";
import { folder, leaderOf, threeServers } from "../../support/replica/agents.ts";
import { oneServer } from "../../support/sessions/server.ts";

Deno.test("a program finds the leader by any server, and goes on when that hands over", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const others = servers.agents.filter(({ config }) => config.nodeName !== name);
  const [follower] = others;
  const address = follower?.state?.addresses.sessionAddr ?? "";
  await using session = new SessionClient({ address });
  const leaders: (string | undefined)[] = [];
  session.on("leaderChanged", ({ leader }) => leaders.push(leader));
  await session.connect();
  assert.equal(session.leader, name);
  await using watch = await session.kv.watch("n");
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const change of watch) {
      seen.push(change.kind === "set" ? change.value : change.kind);
      if (seen.length === 40) return;
    }
  })();
  for (let i = 1; i <= 20; i++) assert.equal(await session.kv.increment("n"), i);
  const ending = servers.end(name);
  const rest = Array.from({ length: 20 }, () => session.kv.increment("n"));
  assert.deepEqual(await Promise.all(rest), Array.from({ length: 20 }, (_, i) => i + 21));
  await ending;
  await reading;
  assert.deepEqual(seen, Array.from({ length: 40 }, (_, i) => i + 1));
  assert.notEqual(session.leader, name);
});

Deno.test("of two programs with one session none gets the answers of the other", async () => {
  await using server = await oneServer();
  const address = server.agent.state?.addresses.sessionAddr ?? "";
  await using first = new SessionClient({ address });
  await first.connect();
  assert.equal(await first.kv.increment("first", 1_000), 1_000);
  // It was held for dead, and is not: it comes back when the other has taken the session from it.
  await using second = new SessionClient({ address, resume: first.sessionId ?? "" });
  await second.connect();
  assert.equal(await second.kv.increment("second"), 1);
  const outcome = await first.kv.increment("first", 1_000).catch((error: Error) => error);
  assert.ok(outcome instanceof Error, `an answer to something else: ${outcome}`);
  assert.ok(await first.closed instanceof SessionBrokenError);
  assert.equal(await second.kv.increment("second"), 2, "who has it goes on");
  assert.deepEqual((await second.kv.get("first"))?.value, 1_000);
});
