/**
 * A program that runs an agent and plants a fault in it: `faulty_agent.ts FAULT FLAGS`, the flags as JSON.
 *
 * @module
 */

import type { ConfigInput } from "../../../server/config/load.ts";
import { runAgent } from "../../../server/run/run.ts";

/** What can be planted, by name. Each is an error that nobody catches. */
const FAULTS: Readonly<Record<string, () => void>> = {
  timer: () => void setTimeout(() => fail("planted in a timer")),
  rejection: () => void Promise.reject(new TypeError("planted in a promise")),
  thrown: () => void setTimeout(() => fail("", Object.create(null))),
  // It goes on while the agent ends, far more often than it may be told.
  storm: () => void setInterval(() => fail("planted in a storm"), 1),
};

function fail(text: string, thrown: unknown = new TypeError(text)): never {
  throw thrown;
}

if (import.meta.main) {
  const [fault = "", flags = "{}"] = Deno.args;
  const plant = FAULTS[fault];
  let isPlanted = false;
  const exitCode = await runAgent({ configPaths: [], flags: JSON.parse(flags) as ConfigInput }, {
    print(text) {
      console.log(text);
      if (isPlanted || !text.includes("EventMemberJoin: observer")) return;
      isPlanted = true;
      plant?.();
    },
    printError: (text) => console.error(text),
  });
  Deno.exit(exitCode);
}
