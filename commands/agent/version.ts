/**
 * `skein version` (docs/spec/agent.md 7.16).
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import type { Command } from "../shell/command.ts";
import { wantsJson } from "../shell/failure.ts";
import { goJson } from "../shell/format/gojson.ts";
import { formatFlag } from "../shell/output.ts";

/** Serf's protocol versions that skein speaks and understands (docs/spec/agent.md 7.16). */
const PROTOCOL = { current: 5, min: 2 } as const;

/** Prints the version of skein and the Serf protocol versions that it speaks. Arguments are ignored, as Serf does. */
export const command: Command = {
  help: "",
  flags: { format: formatFlag },
  async run(argv, terminal) {
    const { version } = project;
    const { current, min } = PROTOCOL;
    await terminal.out(
      wantsJson(argv)
        ? goJson({ version, protocol: PROTOCOL })
        : `${version}\nAgent Protocol: ${current} (Understands back to: ${min})`,
    );
    return 0;
  },
};
