/**
 * A keyring of 32 keys of 32 bytes: Serf 0.9.4 ends when it is asked to list so many, a skein agent does not, and does
 * not ask it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join as joinPath } from "node:path";
import { skein } from "../support/agents.ts";
import { allShow, join, startNode } from "../support/interop/cluster.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

/** As many keys, all different, of 32 bytes. */
const KEYS = Array.from({ length: 32 }, (_, i) => new Uint8Array(32).fill(i + 1).toBase64());

goTest("listing 32 keys through a skein agent leaves the Go agents alive", async (go) => {
  const directory = await Deno.makeTempDir();
  try {
    const flags = ["s1", "s2", "g1"].map((name) => {
      const path = joinPath(directory, `${name}.json`);
      Deno.writeTextFileSync(path, JSON.stringify(KEYS));
      return [`-keyring-file=${path}`];
    });
    await using s1 = await startNode(skein, "s1", HOST, { flags: flags[0] ?? [] });
    await using s2 = await startNode(skein, "s2", HOST, { flags: flags[1] ?? [] });
    await using g1 = await startNode(go, "g1", HOST, { flags: flags[2] ?? [] });
    for (const node of [s2, g1]) await join(node, s1);
    await allShow([s1, s2, g1], { s1: "alive", s2: "alive", g1: "alive" });

    const { error, body } = await s1.rpc.call("list-keys");
    assert.equal(error, "2/3 nodes reported success");
    const note = "truncated key list response, showing first 17 of 32 keys";
    assert.deepEqual([body.Messages.s1, body.Messages.s2], [note, note]);
    assert.match(body.Messages.g1, /^No answer: a Serf 0\.9\.4 agent ends when it lists 32 keys/);
    assert.equal(Object.keys(body.Keys).length, 17);
    await allShow([s1, s2, g1], { s1: "alive", s2: "alive", g1: "alive" });

    for (const key of KEYS.slice(19)) await s1.rpc.must("remove-key", { Key: key });
    const { Keys } = await s1.rpc.must("list-keys");
    assert.deepEqual(Keys, Object.fromEntries(KEYS.slice(0, 19).map((key) => [key, 3])));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
