/**
 * The topics port of an agent: its tokens, its certificate, its options.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../../support/agents.ts";
import { tokensText } from "../../support/kv/access.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../support/net/certificate.ts";
import { folder, Servers } from "../../support/replica/agents.ts";
import { fetching, isRefused, producing, RawTopics } from "../../support/topics/raw_client.ts";

const ALL = { name: "all", write: ["^"], publish: ["^"], subscribe: ["^"] };
const READER = { name: "reader", subscribe: ["t"] };

Deno.test("the port has the tokens and the certificate of the key-value port, and hears of others", async () => {
  await using dir = await folder();
  const tokensFile = join(dir.path, "tokens.json");
  const [tlsCert, tlsKey] = [join(dir.path, "cert.pem"), join(dir.path, "key.pem")];
  const write = async (entries: Parameters<typeof tokensText>[0]): Promise<void> => {
    await Deno.writeTextFile(tokensFile, await tokensText(entries), { mode: 0o600 });
  };
  await write([ALL, READER]);
  await Deno.writeTextFile(tlsCert, CERTIFICATE);
  await Deno.writeTextFile(tlsKey, PRIVATE_KEY);
  await using servers = new Servers(dir.path, {
    bootstrapExpect: 1,
    kvAddr: "none",
    sessionAddr: "none",
    kv: { tokensFile, tlsCert, tlsKey },
    topics: { autoCreate: false, maxConnections: 3 },
  });
  const agent = await servers.start("a");
  const open = async (name: string) => {
    const client = await RawTopics.open(agent, CERTIFICATE);
    await client.done("hello", { client: "c", token: `${name}-token` });
    return client;
  };
  using all = await open("all");
  using reader = await open("reader");
  await eventually("it leads", async () => {
    const answer = await all.ask("produce", producing("t", ["a"]));
    // No topic is made by it.
    return isRefused(answer) && answer.code === 8;
  });
  await all.done("createTopic", { topic: "t", partitions: 1, replicationFactor: 1 });
  await all.done("produce", producing("t", ["a"]));
  assert.equal((await reader.done("fetch", fetching("t", 0))).messages.count, 1);
  assert.equal(await reader.refused("produce", producing("t", ["b"])), 41);
  using third = await RawTopics.open(agent, CERTIFICATE);
  assert.equal(await third.refused("listTopics", {}), 40);
  await write([ALL]);
  const files = await agent.state?.reread();
  assert.deepEqual(files?.changed, ["kv.tokens_file"]);
  files?.apply();
  assert.deepEqual(await reader.end(), []);
  await all.done("produce", producing("t", ["c"]));
  assert.equal(
    (await agent.state?.administer("status") as { topics_addr: string }).topics_addr,
    agent.state?.addresses.topicsAddr,
  );
});
