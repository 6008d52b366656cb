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
import { livePythonSession } from "../support/sessions/python.ts";

const HOST = loopback();

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
