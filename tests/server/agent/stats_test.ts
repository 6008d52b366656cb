/**
 * The figures of an agent.
 *
 * @module
 */

import assert from "node:assert/strict";
import { AgentStats } from "../../../server/agent/stats.ts";
import { DEFAULT_AGENT_CONFIG } from "../../../server/config/load.ts";

Deno.test("each agent has figures of its own, those of the process too", () => {
  const serf = { stats: () => ({ members: "1" }), tags: () => ({ role: "web" }) };
  const stats = (nodeName: string): AgentStats =>
    new AgentStats({ config: { ...DEFAULT_AGENT_CONFIG, nodeName }, serf: serf as never });
  const [a, b] = [stats("a"), stats("b")];
  const groups = a.groups();
  assert.deepEqual(Object.keys(groups), ["agent", "runtime", "serf", "tags", "event_handlers"]);
  assert.deepEqual(groups.agent, { name: "a" });
  assert.equal(a.groups().runtime, groups.runtime, "asked for once");
  assert.deepEqual(b.groups().runtime, groups.runtime);
  assert.notEqual(b.groups().runtime, groups.runtime, "and by each agent");
});
