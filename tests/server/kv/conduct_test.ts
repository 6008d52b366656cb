/**
 * What the log tells of clients and their requests.
 *
 * @module
 */

import assert from "node:assert/strict";
import { accessOf } from "../../support/kv/access.ts";
import { brief, serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

/** The lines from DEBUG on, without times and ports. */
function linesOf({ log }: Stage): string[] {
  return log.lines("DEBUG").map((line) =>
    line.replace(/^\S+ \S+ \[(\w+)\] agent.kv: /, "$1 ").replace(/127\.\d+\.\d+\.\d+:\d+/, "A")
      .replace(/\b\d+(?:\.\d+)?(?:ms|s)\b|\b\d+ ms/, "T")
  );
}

Deno.test("the log tells when clients come and go, and what came of each request if it is to, without keys and values", async () => {
  const access = await accessOf([{ name: "app", read: ["^"], write: ["^"] }]);
  await using stage = serve(HOST, { access, logsRequests: true });
  {
    using client = await stage.client();
    const requests = [
      { action: "AUTH", token: "app-token" },
      { action: "SET", key: "secret-key", value: "secret-value" },
      { action: "get", key: "none" },
      { action: "SET", key: "secret-key", value: 1, nx: true },
      { action: "KEYS" },
      { action: "secret-action" },
      { action: "QUIT" },
    ];
    await client.all(requests);
    await client.rest();
  }
  await until(() => stage.port.size === 0);
  stage.port.logsRequests = false;
  {
    using client = await stage.client();
    assert.equal(brief(await client.ask({ action: "PING" })), '"PONG"');
  }
  await until(() => stage.port.size === 0);
  assert.deepEqual(linesOf(stage), [
    "DEBUG Accepted client: A",
    "DEBUG A: AUTH: ok, T",
    "DEBUG A: SET: ok, T",
    "DEBUG A: GET: 404 KEY_NOT_FOUND, T",
    "DEBUG A: SET: 409 CONDITION_FAILED, T",
    "DEBUG A: KEYS: ok, T",
    "WARN A: 405 UNKNOWN_ACTION",
    "DEBUG A: QUIT: ok, T",
    "DEBUG Closed client: A of 'app' after T: requests 7, failures 3",
    "DEBUG Accepted client: A",
    "DEBUG Closed client: A after T: requests 1, failures 0",
  ]);
});

Deno.test("the log tells why a connection was ended here", async () => {
  const stage = serve(HOST, { idleLimitMs: 100 });
  using idle = await stage.client();
  await idle.rest();
  await until(() => stage.port.size === 0);
  using last = await stage.client();
  await last.ask({ action: "PING" });
  await stage.port.close();
  const ends = linesOf(stage).filter((line) => line.startsWith("DEBUG Closed"));
  assert.deepEqual(ends, [
    "DEBUG Closed client: A after T (IDLE_TIMEOUT): requests 0, failures 0",
    "DEBUG Closed client: A after T (SHUTTING_DOWN): requests 1, failures 0",
  ]);
});
