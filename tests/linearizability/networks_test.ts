/**
 * Histories of real servers on networks that are cut and on disks without room: `tests/support/linearizability/real/` has what
 * runs in a network namespace.
 *
 * @module
 */

import { hasGo } from "../support/interop/raft_oracle.ts";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";
import { SEPARATE_SETUP } from "../support/linearizability/real/ground.ts";
import { namespaceTest } from "../support/namespace.ts";

const NAME = "what clients see of servers that are cut off or without room is linearizable";

if (hasGo()) {
  await Judge.prepare();
  namespaceTest(NAME, {
    setup: SEPARATE_SETUP,
    file: "linearizability/real/in_namespace.ts",
  });
} else {
  judgedTest(NAME, () => Promise.resolve());
}
