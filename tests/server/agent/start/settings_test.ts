/**
 * What a program may leave out of the settings of an agent, and what a plan holds.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent, type AgentSettings } from "../../../../server/agent/agent.ts";
import { planAgent } from "../../../../server/config/plan.ts";
import { ConfigError } from "../../../../server/config/error.ts";
import { completeConfig, DEFAULT_AGENT_CONFIG } from "../../../../server/config/settings.ts";
import { loopback } from "../../../support/loopback.ts";

const HOST = loopback();
const BIND = `${HOST}:0`;

Deno.test("what a program leaves out has its default, also inside a group", async () => {
  const given: AgentSettings = { nodeName: "a", bind: BIND, mdns: { disableIpv6: true } };
  await using agent = await Agent.start(given);
  assert.deepEqual(agent.config, {
    ...DEFAULT_AGENT_CONFIG,
    nodeName: "a",
    bind: BIND,
    mdns: { interface: "", disableIpv4: false, disableIpv6: true },
  });
});

Deno.test("a setting that is undefined has its default, and one that does not exist is refused", async () => {
  assert.equal(completeConfig(JSON.parse("{}")).nodeName, Deno.hostname());
  const absent = { nodeName: "a", profile: undefined } as unknown as AgentSettings;
  assert.equal(completeConfig(absent).profile, "lan");
  const meant = "nodename', did you mean 'nodeName'?";
  for (const [given, told] of [[{ nodename: "a" }, meant], [{ mdns: { x: 1 } }, "mdns.x'"]]) {
    await assert.rejects(
      Agent.start(given as AgentSettings),
      new ConfigError(`Unknown setting '${told}`),
    );
  }
});

Deno.test("settings are checked before an address is looked up, and those of a plan not again", async () => {
  const wrong = { nodeName: "a", bind: `${HOST}:x`, logLevel: "loud" };
  await assert.rejects(Agent.start(wrong), /^ConfigError: Invalid log level: LOUD/);
  const plan = await planAgent(completeConfig({ ...wrong, bind: BIND }));
  await using agent = await Agent.start({ plan, startJoin: [], retryMaxAttempts: 3 });
  const { logLevel, bind, retryMaxAttempts } = agent.config;
  assert.deepEqual([logLevel, bind, retryMaxAttempts], ["loud", BIND, 3]);
});
