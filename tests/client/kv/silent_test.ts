/**
 * A client with several addresses, behind the first of which nobody says anything.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KvClient } from "../../../client/mod.ts";
import { startScriptedPort } from "../../support/kv/scripted_port.ts";
import { serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

/** Less than the time that a client has for an agent. */
const SOON_MS = 5_000;

/** A port where the system accepts connections, and nobody reads. */
function silence(): { address: string } & Disposable {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  return { address: `${HOST}:${port}`, [Symbol.dispose]: () => listener.close() };
}

Deno.test("an agent that says nothing holds nobody up who has another address, neither a client nor a watch", async () => {
  using silent = silence();
  using alsoSilent = silence();
  await using stage = serve(HOST);
  const { hostname, port } = stage.port.address;
  const address = `${silent.address},${alsoSilent.address},${hostname}:${port}`;
  const begun = performance.now();
  await using client = await KvClient.connect({ address });
  await client.set("k", 1);
  await using watch = await client.watch("k", { initial: true });
  for await (const { kind } of watch) if (kind === "synced") break;
  assert.ok(performance.now() - begun < SOON_MS);
  await assert.rejects(
    KvClient.connect({ address: `${silent.address},${alsoSilent.address}`, timeoutMs: 200 }),
    /200|time|answer/i,
  );
  const signal = AbortSignal.timeout(50);
  await assert.rejects(KvClient.connect({ address: silent.address, signal }), {
    name: "TimeoutError",
  });
});

Deno.test("an agent that falls silent is left, by a client and by its watch, which goes on elsewhere", async () => {
  let isSilent = false;
  const idle = '{"status":"ok","result":{"limits":{"idle_ms":600}}}\n';
  await using first = startScriptedPort(HOST, ({ action }) => {
    if (isSilent) return "";
    if (action === "WATCH") return '{"status":"ok","result":{"watch":1,"rev":1}}\n';
    return action === "HELLO" ? idle : '{"status":"ok","result":"PONG"}\n';
  });
  await using stage = serve(HOST);
  const { hostname, port } = stage.port.address;
  const address = `${first.address},${hostname}:${port}`;
  const reasons: string[] = [];
  const onStatus = (_: string, reason?: Error): void => {
    if (reason !== undefined) reasons.push((reason.cause as Error).message);
  };
  await using client = await KvClient.connect({ address, reconnect: { onStatus } });
  await using other = await KvClient.connect({ address: `${hostname}:${port}` });
  await other.set("k", 1);
  await using watch = await client.watch("k");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.deepEqual(reasons, [], "it gives signs of life");
  isSilent = true;
  await other.set("k", 2);
  for await (const { rev } of watch) {
    assert.equal(rev, 2);
    break;
  }
  await client.set("k", 3);
  assert.deepEqual([...new Set(reasons)], ["Agent said nothing for 200 ms"]);
});
