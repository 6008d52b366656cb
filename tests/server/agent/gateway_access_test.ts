/**
 * A gateway whose clients have to show who they are.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KvClient, KvError } from "../../../client/mod.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { ConfigError } from "../../../server/config/error.ts";
import { tokensText } from "../../support/kv/access.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

Deno.test("an agent that keeps no state asks its own clients who they are, and reads its tokens file again", async () => {
  await using stack = new AsyncDisposableStack();
  const tokensFile = await Deno.makeTempFile({ prefix: "skein-tokens-" });
  stack.defer(() => Deno.remove(tokensFile));
  await Deno.writeTextFile(tokensFile, await tokensText([{ name: "app", subscribe: ["^"] }]));
  const agent = stack.use(
    await Agent.start({
      bind: `${HOST}:0`,
      peerAddr: `${HOST}:0`,
      kvAddr: `${HOST}:0`,
      kv: { tokensFile },
    }),
  );
  const address = agent.state?.addresses.kvAddr ?? "";
  const isReason = (reason: string) => (error: unknown): boolean =>
    error instanceof KvError && error.reason === reason;
  await using stranger = await KvClient.connect({ address });
  await assert.rejects(stranger.get("k"), isReason("AUTH_REQUIRED"));
  await using app = await KvClient.connect({ address, token: "app-token" });
  await assert.rejects(app.get("k"), isReason("FORBIDDEN"));
  await assert.rejects(app.publish("news", 1), isReason("FORBIDDEN"));
  await assert.rejects(app.watch("k", { tree: true }), isReason("FORBIDDEN"));

  await Deno.writeTextFile(tokensFile, "[");
  await assert.rejects(agent.state?.reread() ?? Promise.resolve(), ConfigError);
  await Deno.writeTextFile(tokensFile, "[]");
  const files = await agent.state?.reread();
  assert.deepEqual(files?.changed, ["kv.tokens_file"]);
  files?.apply();
  assert.match(String((await app.closed)?.cause), /Agent says AUTH_REQUIRED and closes/);
});
