/**
 * Scripts of a real agent: configured, changed while it runs, and ended with it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent } from "../../../server/agent/agent.ts";
import { ConfigError } from "../../../server/config/load.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

function start(eventHandlers: string[]): Promise<Agent> {
  return Agent.start({
    nodeName: "a",
    bind: `${HOST}:0`,
    profile: "local",
    tags: { role: "web", dc: "eu" },
    eventHandlers,
  });
}

/** A folder that is removed at the end. */
function folder(): { path: string; read(): string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "skein-scripts-" });
  return {
    path,
    read: () => {
      try {
        return Deno.readTextFileSync(`${path}/out`);
      } catch {
        return "";
      }
    },
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

Deno.test("an agent runs its scripts on events of members, users and queries", async () => {
  using dir = folder();
  const out = `${dir.path}/out`;
  await using agent = await start([
    `member-join=echo "$SERF_EVENT $SERF_SELF_ROLE $SERF_TAG_DC $(cut -f 1,3)" >> ${out}`,
    `user:deploy=echo "$SERF_USER_EVENT $SERF_USER_LTIME $(cat)" >> ${out}`,
    "query:load=echo up $(cat)",
  ]);
  assert.deepEqual(agent.stats().event_handlers, {
    "member-join:": `echo "$SERF_EVENT $SERF_SELF_ROLE $SERF_TAG_DC $(cut -f 1,3)" >> ${out}`,
    "user:deploy": `echo "$SERF_USER_EVENT $SERF_USER_LTIME $(cat)" >> ${out}`,
    "query:load": "echo up $(cat)",
  });
  await eventually("the own join", () => dir.read() === "member-join web eu a\tweb\n");
  agent.event("deploy", new TextEncoder().encode("v1"), { coalesce: false });
  await eventually("the event", () => dir.read().endsWith("\ndeploy 1 v1\n"));
  const query = agent.query("load", new TextEncoder().encode("now"), {});
  const answers: string[] = [];
  for await (const { from, payload } of query.answers) {
    answers.push(`${from}: ${new TextDecoder().decode(payload ?? undefined)}`);
  }
  assert.deepEqual(answers, ["a: up now\n"]);
});

Deno.test("changed scripts run from the next event on; a wrong list changes nothing", async () => {
  using dir = folder();
  await using agent = await start([]);
  await agent.reloadHandlers([`user=echo one >> ${dir.path}/out`]);
  agent.event("x", null, { coalesce: false });
  await eventually("the first script", () => dir.read() === "one\n");
  await assert.rejects(agent.reloadHandlers(["nonsense=true"]), ConfigError);
  await agent.reloadHandlers([`user=echo two >> ${dir.path}/out`]);
  agent.event("x", null, { coalesce: false });
  await eventually("the second script", () => dir.read() === "one\ntwo\n");
  await agent.reloadHandlers([]);
  agent.event("x", null, { coalesce: false });
  assert.deepEqual(agent.stats().event_handlers, {}, "stats show what the agent started with");
});

Deno.test("an agent that ends takes its running scripts with it", async () => {
  using dir = folder();
  const agent = await start([`user=echo $$ >> ${dir.path}/out; sleep 60`]);
  agent.event("x", null, { coalesce: false });
  await eventually("the script", () => dir.read() !== "");
  const started = performance.now();
  await agent.shutdown();
  assert.ok(performance.now() - started < 10_000);
  const pid = Number(dir.read());
  assert.throws(() => Deno.kill(pid, "SIGCONT"), Deno.errors.NotFound);
});

Deno.test("a wrong script ends the start", async () => {
  await assert.rejects(
    start(["nonsense=true"]),
    /Invalid event script: Event 'nonsense' invoking 'true'/,
  );
});
