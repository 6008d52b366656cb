/**
 * The key commands and `get-coordinate` (docs/spec/agent.md 3).
 *
 * @module
 */

import assert from "node:assert/strict";
import { KeyOperationError, QueryError } from "../../../cluster/serf/mod.ts";
import { RpcServer } from "../../../server/rpc/server.ts";
import { loopback } from "../../support/loopback.ts";
import { FakeBackend, keyReport } from "../../support/rpc/backend.ts";
import { Peer, type Plain } from "../../support/rpc/peer.ts";

const HOST = loopback();

async function withPeer(
  use: (stage: { backend: FakeBackend; peer: Peer }) => Promise<void>,
): Promise<void> {
  const backend = new FakeBackend();
  await using server = RpcServer.listen(backend, { address: `${HOST}:0` });
  using peer = await Peer.ready(server.address);
  await use({ backend, peer });
}

const ok = (seq: number): Plain => ({ Error: "", Seq: seq });
const CHANGES = { "install-key": "installKey", "use-key": "useKey", "remove-key": "removeKey" };
const KEY = "fr8k1mf3k+C6xQoJU+GC00rd0CcYNsUPsboxZZB1i6k=";

Deno.test("a change of keys answers with what the nodes said, and no list of keys", async () => {
  await withPeer(async ({ backend, peer }) => {
    for (const [i, [command, method]] of Object.entries(CHANGES).entries()) {
      await peer.request(command, { Key: KEY });
      assert.deepEqual(await peer.take(2), [ok(2 + i), {
        Keys: null,
        Messages: {},
        NumErr: 0,
        NumNodes: 2,
        NumResp: 2,
      }]);
      assert.deepEqual(backend.calls.at(-1), [method, KEY]);
    }
  });
});

Deno.test("the list of keys is a map, also when it is empty", async () => {
  await withPeer(async ({ backend, peer }) => {
    backend.on.listKeys = () => keyReport({ keys: { [KEY]: 2 }, messages: { b: "a note" } });
    await peer.request("list-keys");
    assert.deepEqual(await peer.take(2), [ok(2), {
      Keys: { [KEY]: 2 },
      Messages: { b: "a note" },
      NumErr: 0,
      NumNodes: 2,
      NumResp: 2,
    }]);
    delete backend.on.listKeys;
    await peer.request("list-keys");
    const [, body] = await peer.take(2) as [Plain, Record<string, Plain>];
    assert.deepEqual(body.Keys, {});
  });
});

Deno.test("a key operation that failed has an error and a body with what did arrive", async () => {
  await withPeer(async ({ backend, peer }) => {
    const report = keyReport({
      numErr: 1,
      messages: { b: "no luck" },
      keys: { [KEY]: 1 },
    });
    const fail = () => {
      throw new KeyOperationError("1/2 nodes reported failure", report);
    };
    Object.assign(backend.on, {
      installKey: fail,
      useKey: fail,
      removeKey: fail,
      listKeys: fail,
    });
    for (const [i, command] of [...Object.keys(CHANGES), "list-keys"].entries()) {
      await peer.request(command, command === "list-keys" ? undefined : { Key: KEY });
      assert.deepEqual(await peer.take(2), [
        { Error: "1/2 nodes reported failure", Seq: 2 + i },
        {
          Keys: command === "list-keys" ? { [KEY]: 1 } : null,
          Messages: { b: "no luck" },
          NumErr: 1,
          NumNodes: 2,
          NumResp: 2,
        },
      ]);
    }
  });
});

Deno.test("a key operation that asked nobody has an error and a body of zeros", async () => {
  await withPeer(async ({ backend, peer }) => {
    backend.on.useKey = () => {
      throw new QueryError("Feature not supported");
    };
    await peer.request("use-key", { Key: KEY });
    assert.deepEqual(await peer.take(2), [{ Error: "Feature not supported", Seq: 2 }, {
      Keys: null,
      Messages: {},
      NumErr: 0,
      NumNodes: 0,
      NumResp: 0,
    }]);
  });
});

Deno.test("a coordinate is eight bytes for each number, and nil when it is not known", async () => {
  await withPeer(async ({ backend, peer }) => {
    backend.on.coordinate = (node) =>
      node !== "b"
        ? undefined
        : { vec: [1, -2, 0, 0, 0, 0, 0, 3.5], error: 1.5, adjustment: 0, height: 1e-5 };
    peer.keep();
    await peer.request("get-coordinate", { Node: "b" });
    assert.deepEqual(await peer.take(2), [ok(2), {
      Coord: { Adjustment: 0, Error: 1.5, Height: 1e-5, Vec: [1, -2, 0, 0, 0, 0, 0, 3.5] },
      Ok: true,
    }]);
    assert.equal(peer.kept().filter((byte) => byte === 0xcb).length >= 11, true);
    peer.keep();
    await peer.request("get-coordinate", { Node: "x" });
    await peer.take(2);
    // The bytes of docs/spec/agent.md 8.
    const unknown =
      "82a5436f6f726484aa41646a7573746d656e74cb0000000000000000a54572726f72cb0000000" +
      "000000000a6486569676874cb0000000000000000a3566563c0a24f6bc2";
    assert.ok(peer.kept().toHex().endsWith(unknown));
  });
});
