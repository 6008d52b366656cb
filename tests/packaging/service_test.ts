/**
 * A service manager and a container runtime stop an agent so that it leaves its cluster.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { skein } from "../support/agents.ts";
import { allShow, join as joins, startNode } from "../support/interop/cluster.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const UNIT = await Deno.readTextFile(join(ROOT, "packaging", "skein.service"));
const CONTAINERFILE = await Deno.readTextFile(join(ROOT, "Containerfile"));
const ANALYZE = "/usr/bin/systemd-analyze";

/** The most that a leave takes, twice `broadcast_timeout` and LEAVE_EXTRA_MS, and then closing, SHUTDOWN_LIMIT_MS. */
const LEAVE_SECONDS = 2 * 5 + 2 + 3;

for (
  const [what, signal] of [
    ["the systemd unit", setting("KillSignal")],
    ["the container", /^STOPSIGNAL (\w+)$/m.exec(CONTAINERFILE)?.[1] ?? ""],
  ] as const
) {
  Deno.test(`${what} stops an agent so that it leaves`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(join(folder, "agent.json"), `{ "tags": { "from": "file" } }`);
      const [, command = "", ...flags] = setting("ExecStart").split(" ");
      assert.equal(command, "agent");
      assert.deepEqual(flags, ["-config-dir=/etc/skein"]);
      await using stopped = await startNode(skein, "s1", HOST, {
        flags: [`-config-dir=${folder}`],
      });
      await using other = await startNode(skein, "s2", HOST);
      await joins(stopped, other);
      await allShow([stopped, other], { s1: "alive", s2: "alive" });
      const asked = performance.now();
      stopped.agent.kill(signal as Deno.Signal);
      assert.equal(await stopped.agent.exited, 0);
      assert.ok(performance.now() - asked < 1_000 * Number(setting("TimeoutStopSec")));
      await allShow([other], { s1: "left", s2: "alive" });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("the unit signals the agent alone, and waits longer than a leave can take", () => {
  assert.equal(setting("KillMode"), "mixed");
  assert.ok(Number(setting("TimeoutStopSec")) > LEAVE_SECONDS);
  assert.equal(setting("ExecReload"), "/bin/kill -HUP $MAINPID");
  assert.equal(setting("Restart"), "on-failure");
});

Deno.test({
  name: "systemd finds nothing wrong with the unit",
  ignore: !existsSync(ANALYZE),
  async fn() {
    const verify = async (unit: string): Promise<string> => {
      const folder = await Deno.makeTempDir();
      try {
        const path = join(folder, "skein.service");
        await Deno.writeTextFile(path, unit);
        const command = new Deno.Command(ANALYZE, { args: ["verify", path], stdin: "null" });
        const lines = new TextDecoder().decode((await command.output()).stderr).split("\n");
        // Not what it says of other units of this machine.
        return lines.filter((line) => line.includes("skein.service")).join("\n");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    };
    // A program that exists on this machine.
    const unit = UNIT.replace("/usr/local/bin/skein", Deno.execPath());
    assert.equal(await verify(unit), "");
    assert.match(await verify(unit.replace("KillMode=mixed", "KillMode=mixd")), /kill mode/);
  },
});

/** The value of a setting of the unit. */
function setting(name: string): string {
  const values = [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value]) => value);
  assert.equal(values.length, 1, `${name} in packaging/skein.service`);
  return values[0] ?? "";
}
