/**
 * Programs with a session, at real servers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { SessionClient } from "../../../client/mod.ts";
import { folder, leaderOf, threeServers } from "../../support/replica/agents.ts";

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
