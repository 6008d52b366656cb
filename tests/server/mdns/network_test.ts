/**
 * Multicast DNS on a network of its own: `in_namespace.ts` runs in a network namespace of Linux, where two ends of a
 * virtual cable are all there is. Nothing is ever sent on a real interface.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";

/** The network: both IP versions, no wait for duplicate addresses, a default route for the system's choice. */
const NETWORK = [
  "set -e",
  "for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f 2>/dev/null || true; done",
  "ip link set lo up",
  "ip link add veth0 type veth peer name veth1",
  ...[1, 2, 3].map((i) => `ip addr add 10.15.0.${i}/24 dev veth0`),
  "ip -6 addr add fd15::1/64 dev veth0 nodad",
  "ip link set veth0 up",
  "ip link set veth1 up",
  "ip route add default via 10.15.0.254 dev veth0",
].join("\n");

/** Runs a command with a network of its own; as another user than root, in a user namespace as well. */
function isolated(script: string): Deno.Command {
  const flags = Deno.uid() === 0 ? "-n" : "-rn";
  return new Deno.Command("unshare", {
    args: [flags, "sh", "-c", `${NETWORK}\n${script}`],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function whyImpossible(): string | undefined {
  if (Deno.build.os !== "linux") return "only Linux has network namespaces";
  try {
    const { success, stderr } = isolated("true").outputSync();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return (error as Error).message;
  }
}

const problem = whyImpossible();
if (problem !== undefined) {
  const notice =
    `\n!!! SKIPPED, no network namespace on this machine (${problem}): multicast DNS\n\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(notice));
}

Deno.test({
  name: "agents find each other by multicast DNS, also agents of another kind",
  ignore: problem !== undefined,
  fn: async () => {
    const inner = join(
      import.meta.dirname ?? ".",
      "..",
      "..",
      "support",
      "mdns",
      "in_namespace.ts",
    );
    // In the namespace there is no registry.
    const cached = await new Deno.Command(Deno.execPath(), { args: ["cache", "-q", inner] })
      .output();
    assert.ok(cached.success, new TextDecoder().decode(cached.stderr));
    const command = `exec "${Deno.execPath()}" test -A --no-check --cached-only "${inner}"`;
    const { code, stdout, stderr } = await isolated(command).output();
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    assert.equal(code, 0, text(stdout) + text(stderr));
    assert.match(text(stdout), /\| [1-9]\d* passed \| 0 failed/);
  },
});
