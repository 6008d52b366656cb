/**
 * An agent without the cluster's key, or with another one, stays outside, whichever kinds the two are.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Program, skein } from "../support/agents.ts";
import { startNode } from "../support/interop/cluster.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const KEY = ["-encrypt=T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s="];
const OTHER_KEY = ["-encrypt=R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg="];

goTest("agents whose keys differ do not become one cluster", async (go) => {
  const pairs: [Program, Program][] = [[skein, go], [go, skein], [skein, skein]];
  const keys = [[[], KEY], [KEY, []], [OTHER_KEY, KEY]] as const;
  for (const [joinerKind, targetKind] of pairs) {
    await Promise.all(keys.map(async ([joinerKey, targetKey]) => {
      await using joiner = await startNode(joinerKind, "joiner", HOST, { flags: joinerKey });
      await using target = await startNode(targetKind, "target", HOST, { flags: targetKey });
      const request = { Existing: [target.agent.gossip], Replay: false };
      const { error } = await joiner.rpc.call("join", request);
      assert.match(error, /^1 error occurred:\n\t\* [Ff]ailed to join /);
      assert.ok(error.includes(`ailed to join ${HOST}`), error);
      for (const { rpc, name } of [joiner, target]) {
        assert.deepEqual((await rpc.members()).map(({ Name }) => Name), [name]);
      }
    }));
  }
});
