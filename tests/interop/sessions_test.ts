/**
 * A client of another make lives the life of a session.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loopback } from "../support/loopback.ts";
import { REJECTED } from "../../protocol/sessions/mod.ts";
import { Model } from "../support/sessions/model.ts";
import { startScriptedServer } from "../support/sessions/scripted_server.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { livePythonSession } from "../support/sessions/python.ts";

const HOST = loopback();
const hosts = [loopback(), loopback(), loopback()];

Deno.test("a client in Python, made from the vectors, lives a session's life", async () => {
  const model = new Model();
  await using leader = startScriptedServer(HOST, { model });
  await using follower = startScriptedServer(HOST, {
    script(message, connection) {
      if (!("nonce" in message)) return false;
      const { nonce } = message;
      const leader = "é".repeat(40);
      connection.send({ kind: "sessionRejected", reason: REJECTED.notLeader, nonce, leader });
      connection.close();
      return true;
    },
  });
  if (!await livePythonSession([follower.address, leader.address])) return;
  assert.equal(model.executed.length, 5, "each of five commands once");
  assert.equal(model.sessions.size, 0);
});

Deno.test("a client in Python is sent to the leader by three servers, and goes on when that is killed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_python_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const leader = await cluster.leader() ?? assert.fail("nobody leads");
    const others = cluster.servers.filter((server) => server !== leader);
    const addresses = [...others, leader].map(({ place }) => `${place.hostname}:7375`);
    if (!await livePythonSession(addresses, () => cluster.kill(leader))) return;
    assert.equal(cluster.kills, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
