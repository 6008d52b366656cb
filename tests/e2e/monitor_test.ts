/**
 * `monitor` from start to end, against a real `serf` agent and against skein's.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type CliResult,
  eventually,
  type Program,
  runCli,
  skein,
  startAgent,
} from "../support/agents.ts";
import { launchArguments, run } from "../support/e2e/cli.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

const LOST = "\nRemote side ended the monitor! This usually means that the\n" +
  "remote side has exited or crashed.\n";

goTest("monitor against serf's agent", (serf) => watch(serf, HOST));
Deno.test("monitor against skein's agent", () => watch(skein, HOST));

async function watch(program: Program, host: string): Promise<void> {
  await using agent = await startAgent(program, { name: "m", host, flags: ["-profile=local"] });
  const env = { SERF_RPC_ADDR: agent.rpc };

  // Log lines and events, until Ctrl-C.
  let shown = "";
  const watched = monitor(agent.rpc, ["-log-level=debug"], (stdout) => {
    shown = stdout;
    return /Name: "mon"\n\tPayload: .*\n/.test(stdout) && /user-event: mon\n/.test(stdout);
  });
  await eventually("the monitor shows the log", () => shown.includes("Serf agent starting"));
  assert.equal((await run(["event", "-coalesce=false", "mon", "pay"], { env })).code, 0);
  const { code, stdout, stderr } = await watched;
  assert.deepEqual([code, stderr], [0, ""], stdout);
  assert.match(
    stdout,
    /^Event Info:\n\tCoalesce: false\n\tEvent: "user"\n\tLTime: \d+\n\tName: "mon"\n\tPayload: \[\]byte\{0x70, 0x61, 0x79\}\n/m,
  );
  assert.match(
    stdout,
    /^\d{4}(?:\/\d\d){2} \d\d(?::\d\d){2} \[INFO\] agent: Serf agent starting$/m,
  );

  // A reader that goes away.
  const unread = new Deno.Command(Deno.execPath(), {
    args: [...launchArguments(), "monitor"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { ...env, SERF_RPC_AUTH: "" },
  }).spawn();
  await unread.stdout.cancel();
  assert.equal(await new Response(unread.stderr).text(), "");
  assert.equal((await unread.status).code, 141);

  // The agent dies.
  shown = "";
  const orphaned = monitor(agent.rpc, [], (stdout) => {
    shown = stdout;
    return false;
  });
  await eventually("the monitor shows the log", () => shown.includes("Serf agent starting"));
  await agent.stop();
  const lost = await orphaned;
  assert.deepEqual([lost.code, lost.stderr], [1, ""]);
  assert(lost.stdout.endsWith(`\n${LOST}`), lost.stdout);
}

function monitor(
  rpc: string,
  flags: readonly string[],
  until: (stdout: string) => boolean,
): Promise<CliResult> {
  return runCli(skein, ["monitor", ...flags], rpc, { until });
}
