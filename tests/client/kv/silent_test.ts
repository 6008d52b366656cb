/**
 * A client with several addresses, behind the first of which nobody says anything.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KvClient } from "../../../client/mod.ts";
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
