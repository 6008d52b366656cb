/**
 * Replays what HashiCorp's command line 0.9.4 printed about keys: against clusters of real `serf` agents and of skein's.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type AgentProcess,
  eventually,
  freePort,
  type Program,
  skein,
  startAgent,
} from "../support/agents.ts";
import { run } from "../support/e2e/cli.ts";
import { moved, replay, type Sample, samplesOf, title } from "../support/e2e/samples.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

goTest("samples about keys against serf's agents", (serf) => replayKeys(serf, HOST));
Deno.test("samples about keys against skein's agents", () => replayKeys(skein, HOST));

/** The captured keys: of the first cluster from the start, and the one that is installed later. */
const FIRST = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
const SECOND = "fr8k1mf3k+C6xQoJU+GC00rd0CcYNsUPsboxZZB1i6k=";

/** What one member says while another is dead and nobody has noticed. */
const ONE_DEAD = "one node dead but not yet detected";

/** Samples of a cluster of two, of which only the first has both keys. */
const OF_TWO = ["partial", "partial failure", "after partial use"];

async function replayKeys(program: Program, host: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Promise.all([ofThree(program, host, folder), ofTwo(program, host, folder)]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function ofThree(program: Program, host: string, folder: string): Promise<void> {
  const start = starter(program, host, folder);
  await using k1 = await start("k1", [FIRST]);
  await using k2 = await start("k2", [FIRST], `-join=${k1.gossip}`);
  await using k3 = await start("k3", [FIRST], `-join=${k1.gossip}`);
  await sees(k1, 3);
  await sees(k2, 3);
  await sees(k3, 3);
  const samples = samplesOf("keys").filter(({ note }) => !OF_TWO.includes(note));
  const failures: string[] = [];
  for (const sample of samples.filter(({ note }) => note !== ONE_DEAD)) {
    if (sample.args.join() === `keys,-remove,${FIRST}` && sample.note === "") {
      // Captured after the second key had become the primary one.
      const use = ["keys", `-rpc-addr=${k1.rpc}`, "-use", SECOND];
      assert.equal((await run(use)).code, 0);
    }
    await collect(failures, sample, program, k1);
  }
  k3.kill("SIGKILL");
  const dead = samples.filter(({ note }) => note === ONE_DEAD);
  assert.equal(dead.length, 2);
  await Promise.all(dead.map((sample) => collect(failures, sample, program, k1)));
  assert.deepEqual(failures, []);
}

async function ofTwo(program: Program, host: string, folder: string): Promise<void> {
  const start = starter(program, host, folder);
  await using k4 = await start("k4", [FIRST, SECOND]);
  await using k5 = await start("k5", [FIRST], `-join=${k4.gossip}`);
  await sees(k4, 2);
  await sees(k5, 2);
  const failures: string[] = [];
  for (const sample of samplesOf("keys").filter(({ note }) => OF_TWO.includes(note))) {
    const first: string[] = [];
    await collect(first, sample, program, k4);
    // The other one may hear of a key, and answer, before all is encrypted with that key, which it has not; then it does no more.
    const hasHeard = sample.note === "partial failure" &&
      /1\/2 nodes reported failure/.test(`${first}`);
    if (hasHeard) await collect(failures, sample, program, k4);
    else failures.push(...first);
  }
  assert.deepEqual(failures, []);
}

async function collect(
  failures: string[],
  sample: Sample,
  program: Program,
  agent: AgentProcess,
): Promise<void> {
  const addresses = new Map(["19380", "19383"].map((port) => [`127.0.0.1:${port}`, agent.rpc]));
  try {
    await replay(moved(sample, addresses), program);
  } catch (error) {
    failures.push(`${title(sample)}: ${(error as Error).message}`);
  }
}

/** Starts agents with a keyring file each. The timing is that of the capture: a death is found out after seconds. */
function starter(program: Program, host: string, folder: string) {
  return async (name: string, keys: string[], ...flags: string[]): Promise<AgentProcess> => {
    const file = `${folder}/${name}.json`;
    await Deno.writeTextFile(file, JSON.stringify(keys));
    const bindPort = await freePort(host);
    return await startAgent(program, {
      name,
      host,
      bindPort,
      flags: ["-profile=lan", `-keyring-file=${file}`, ...flags],
    });
  };
}

async function sees(agent: AgentProcess, count: number): Promise<void> {
  await eventually(`${agent.name} sees ${count}`, async () => {
    const { stdout } = await run(["members", `-rpc-addr=${agent.rpc}`, "-status=alive"]);
    return stdout.trim().split("\n").length === count;
  });
}
