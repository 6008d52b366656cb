/**
 * docs/RPC.md is true: its conversation is held with an agent, and it names every command.
 *
 * @module
 */

import assert from "node:assert/strict";
import { COMMANDS, IpcError } from "../../protocol/ipc/mod.ts";
import { Agent } from "../../server/agent/agent.ts";
import { loopback } from "../support/loopback.ts";
import { Peer } from "../support/rpc/peer.ts";

const HOST = loopback();

const page = await Deno.readTextFile(new URL("../../docs/RPC.md", import.meta.url));

/** Hexadecimal digits and texts in quotes as bytes. */
function bytesOf(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [, quoted, hex] of text.matchAll(/"([^"]*)"|([0-9a-f]+)/g)) {
    if (quoted !== undefined) bytes.push(...new TextEncoder().encode(JSON.parse(`"${quoted}"`)));
    else bytes.push(...Uint8Array.fromHex(hex ?? ""));
  }
  return new Uint8Array(bytes);
}

/** The conversation as what is sent and what comes back, by turns. */
function conversation(): [sent: Uint8Array, received: Uint8Array][] {
  const block = /```conversation\n(.*?)```/s.exec(page)?.[1] ?? assert.fail("No conversation");
  return block.trim().split("\n\n").map((turn) => {
    const side = (mark: string) =>
      bytesOf(
        turn.split("\n").filter((line) => line.startsWith(mark)).map((line) => line.slice(1))
          .join(" "),
      );
    return [side(">"), side("<")];
  });
}

Deno.test("the conversation of docs/RPC.md is what an agent says", async () => {
  await using agent = await Agent.start({
    nodeName: "web-1",
    bind: `${HOST}:0`,
    profile: "local",
  });
  using peer = await Peer.connect(agent.listenRpc(`${HOST}:0`).address);
  const turns = conversation();
  assert.equal(turns.length, 7);
  for (const [sent, received] of turns) {
    peer.keep();
    await peer.send(sent);
    const got = await peer.keptAll(received.length);
    assert.equal(got.toHex(), received.toHex(), new TextDecoder().decode(got));
  }
  assert.deepEqual(await peer.rest(), [], "the agent closes the connection");
});

Deno.test("docs/RPC.md tells which commands have bodies, and every fixed error", () => {
  for (const [name, { request, response, bodyOnError }] of Object.entries(COMMANDS)) {
    const row = new RegExp(`^\\| \\[${name}\\]\\(#[^)]*\\) *\\|([^|]*)\\|([^|]*)\\|`, "m").exec(
      page,
    );
    assert.ok(row !== null, name);
    const onError = bodyOnError || name === "members-filtered";
    assert.equal(row[1]?.trim(), request === null ? "" : "yes", name);
    const expected = response === null ? "" : onError ? "yes, on error" : "yes";
    assert.equal(row[2]?.trim(), expected, name);
  }
  for (const text of Object.values(IpcError)) assert.ok(page.includes(`\`${text}\``), text);
});
