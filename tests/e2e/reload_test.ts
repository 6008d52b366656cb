/**
 * `reload`: what a person is told when the configuration was taken over, when it is wrong, and when an agent cannot.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent } from "../../server/agent/agent.ts";
import { eventually, runCli, skein, startAgent } from "../support/agents.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

Deno.test("reload tells what was taken over, what waits, and what is wrong", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein-reload-" });
  const path = `${folder}/config.json`;
  const write = (config: unknown) => Deno.writeTextFile(path, JSON.stringify(config));
  try {
    await write({ tags: { build: "1" } });
    await using agent = await startAgent(skein, {
      name: "a",
      host: HOST,
      flags: ["-profile=local", `-config-file=${path}`],
    });
    const reload = (...flags: string[]) => runCli(skein, ["reload", ...flags], agent.rpc);
    assert.deepEqual(await reload(), {
      code: 0,
      stdout: "Configuration reloaded, nothing to apply\n",
      stderr: "",
    });

    await write({ tags: { build: "2" }, log_level: "debug", snapshot_path: `${folder}/s` });
    const { code, stdout } = await reload();
    assert.deepEqual([code, stdout.split("\n")], [0, [
      "Configuration reloaded. Applied: tags, log_level",
      "Changed, but not before a restart: snapshot_path",
      "",
    ]]);
    const members = await runCli(skein, ["members"], agent.rpc);
    assert.match(members.stdout, /^a {2}\S+ {2}alive {2}build=2\n$/);
    const json = await reload("-format=json");
    assert.deepEqual(JSON.parse(json.stdout), { applied: [], restart: ["snapshot_path"] });

    // Two at once take their turns.
    await write({ tags: { build: "3" } });
    const both = await Promise.all([reload(), reload()]);
    assert.deepEqual(both.map(({ code }) => code), [0, 0]);
    assert.equal(both.filter(({ stdout }) => stdout.includes("Applied: tags")).length, 1);

    await write({ log_level: "loud" });
    const wrong = await reload();
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /^Error reloading: Invalid log level: LOUD\. /);
    await eventually("the agent says so, too", () => {
      return agent.output().includes("Failed to reload configs");
    });
    await write({ log_level: "warn" });
    assert.equal((await reload()).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an agent inside another program has nothing to reload, unless the program says what", async () => {
  await using agent = await Agent.start({ bind: `${HOST}:0`, profile: "local" });
  const address = (listener: { address: Deno.NetAddr }) => `${HOST}:${listener.address.port}`;
  const without = await runCli(skein, ["reload"], address(agent.listenRpc(`${HOST}:0`)));
  assert.deepEqual(without, {
    code: 1,
    stdout:
      "Error reloading: This agent was started without a configuration that it could read again\n",
    stderr: "",
  });
  const reload = () => Promise.resolve({ applied: ["ours"], restart: [] });
  const withOne = agent.listenRpc(`${HOST}:0`, { reload });
  assert.deepEqual(await runCli(skein, ["reload"], address(withOne)), {
    code: 0,
    stdout: "Configuration reloaded. Applied: ours\n",
    stderr: "",
  });
});

goTest("serf's agent knows no reload, and says so", async (serf) => {
  await using agent = await startAgent(serf, { name: "g", host: HOST, flags: ["-profile=local"] });
  assert.deepEqual(await runCli(skein, ["reload"], agent.rpc), {
    code: 1,
    stdout: "Error reloading: Unsupported command\n",
    stderr: "",
  });
});
