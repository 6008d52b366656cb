import assert from "node:assert/strict";
import { join } from "node:path";
import { Agent } from "../../../server/agent/agent.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = `${loopback()}:0`;
const [OLD, NEW] = [1, 2].map((byte) => new Uint8Array(32).fill(byte).toBase64()) as [
  string,
  string,
];

function start(nodeName: string, keyringFile: string): Promise<Agent> {
  return Agent.start({ nodeName, bind: HOST, profile: "local", keyringFile });
}

async function meet(...[first, ...others]: [Agent, ...Agent[]]): Promise<void> {
  for (const agent of others) await agent.join([place(first)]);
  const all = [first, ...others];
  const complete = ({ serf }: Agent): boolean =>
    serf.members().filter(({ status }) => status === "alive").length === all.length;
  await eventually("all know each other", () => all.every(complete));
}

function place({ address }: Agent): string {
  return `${address.host}:${address.port}`;
}

Deno.test("a rotation is in the keyring files when it is confirmed, and outlives a restart", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const [one, two] = [join(directory, "one.json"), join(directory, "two.json")];
    for (const path of [one, two]) await Deno.writeTextFile(path, JSON.stringify([OLD]));
    await using first = await start("first", one);
    {
      await using second = await start("second", two);
      await meet(first, second);
      await first.serf.keys.install(NEW);
      assert.deepEqual(await Promise.all([one, two].map(keysIn)), [[OLD, NEW], [OLD, NEW]]);
      await second.serf.keys.use(NEW);
      assert.deepEqual(await Promise.all([one, two].map(keysIn)), [[NEW, OLD], [NEW, OLD]]);
      await first.serf.keys.remove(OLD);
      assert.deepEqual(await Promise.all([one, two].map(keysIn)), [[NEW], [NEW]]);
      await second.leave();
    }
    await using again = await start("second", two);
    await meet(first, again);
    const { keys, primaryKeys } = await again.serf.keys.list();
    assert.deepEqual([keys, primaryKeys], [{ [NEW]: 2 }, { [NEW]: 2 }]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a keyring file that cannot be written fails the change with its reason", async () => {
  const directory = await Deno.makeTempDir();
  const path = join(directory, "keyring.json");
  await Deno.writeTextFile(path, JSON.stringify([OLD]));
  await using agent = await start("alone", path);
  await Deno.remove(directory, { recursive: true });
  await assert.rejects(agent.serf.keys.install(NEW), (error: Error & { report?: unknown }) => {
    assert.equal(error.message, "1/1 nodes reported failure");
    assert.deepEqual(error.report, {
      messages: { alone: "Failed to write keyring file: no such file or directory" },
      numNodes: 1,
      numResp: 1,
      numErr: 1,
      keys: {},
      primaryKeys: { "": 1 },
    });
    return true;
  });
  assert.deepEqual((await agent.serf.keys.list()).keys, { [OLD]: 1 });
});

Deno.test("a key and a keyring file together are refused", async () => {
  await assert.rejects(
    Agent.start({ nodeName: "both", bind: HOST, keyringFile: "keyring.json", encryptKey: OLD }),
    {
      message: "Failed to setup the Serf agent: Encryption key not allowed while using a keyring",
    },
  );
});

async function keysIn(path: string): Promise<string[]> {
  return JSON.parse(await Deno.readTextFile(path));
}
