/**
 * Every command against an agent that wants a token: without one, with a wrong one, with the right one, by both
 * command lines against both agents.
 *
 * @module
 */

import { join } from "node:path";
import { sameFourTimes } from "../support/interop/command_lines.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOSTS = [loopback(), loopback(), loopback(), loopback()] as const;

const COMMANDS = [
  ["members"],
  ["event", "deploy"],
  ["join", "127.0.0.1:1"],
  ["tags", "-set=a=b"],
  ["info"],
  ["query", "load"],
  ["reachability"],
  ["rtt", "one"],
  ["keys", "-list"],
  ["keys", "-install=T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s="],
  ["monitor"],
  ["force-leave", "nobody"],
  ["leave"],
];

goTest("both command lines need the token of both agents", async (serf) => {
  const folder = await Deno.makeTempDir();
  const config = join(folder, "agent.json");
  await Deno.writeTextFile(config, JSON.stringify({ rpc_auth: "secret" }));
  try {
    await sameFourTimes(serf, HOSTS, 29, async ({ start, $ }) => {
      await start("tested", "one", [`-config-file=${config}`]);
      for (const [name = "", ...rest] of COMMANDS) {
        await $(name, ...rest);
        await $(name, "-rpc-auth=wrong", ...rest);
      }
      await $("members", "-rpc-auth=secret");
      await $("event", "-rpc-auth", "secret", "deploy");
      await $("leave", "-rpc-auth=secret");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
