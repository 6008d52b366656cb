/**
 * Addresses of the configuration.
 *
 * @module
 */

import assert from "node:assert/strict";
import { planBind, resolveAddress } from "../../../server/config/addresses.ts";

Deno.test("resolveAddress() takes hosts, ports and IPv6 in brackets; the port defaults to 7946", async () => {
  const addresses: Record<string, { host: string; port: number }> = {
    "127.0.0.1": { host: "127.0.0.1", port: 7946 },
    "127.0.0.1:1": { host: "127.0.0.1", port: 1 },
    "127.0.0.1:": { host: "127.0.0.1", port: 0 },
    ":9": { host: "0.0.0.0", port: 9 },
    "[::1]": { host: "::1", port: 7946 },
    "[0:0::0]": { host: "::", port: 7946 },
    "[fd00::2]:80": { host: "fd00::2", port: 80 },
    "localhost:80": { host: "127.0.0.1", port: 80 },
  };
  for (const [text, address] of Object.entries(addresses)) {
    assert.deepEqual(await resolveAddress("bind", text), address, text);
  }
});

Deno.test("resolveAddress() refuses what Go refuses, with Go's words", async () => {
  const wrong: Record<string, string> = {
    "::1": "address ::1: too many colons in address",
    "[::1": "address [::1: missing ']' in address",
    "127.0.0.1:xx": "address tcp/xx: unknown port",
    "127.0.0.1:99999": "address 99999: invalid port",
    "127.0.0.1:-1": "address -1: invalid port",
    "no.such.host.invalid:80": "lookup no.such.host.invalid: no such host",
    ...Object.fromEntries(
      ["010", "10.258", "127.1", "0x0a010203", "0x7f.1", "1.2.3.4.5", "256.1.1.1"].map((host) => [
        host,
        `lookup ${host}: no such host`,
      ]),
    ),
  };
  for (const [text, reason] of Object.entries(wrong)) {
    await assert.rejects(resolveAddress("bind", text), {
      name: "ConfigError",
      message: `Invalid bind address: ${reason}`,
    });
  }
});

Deno.test("planBind() takes the address of an interface, or insists that it is one", () => {
  const any = { host: "0.0.0.0", port: 5 };
  assert.deepEqual(planBind(any, ""), { bind: any });
  assert.deepEqual(planBind(any, "lo"), {
    bind: { host: "127.0.0.1", port: 5 },
    notice: "Using interface 'lo' address '127.0.0.1'",
  });
  const own = { host: "127.0.0.1", port: 5 };
  assert.deepEqual(planBind(own, "lo"), { bind: own });
  assert.throws(() => planBind({ host: "127.0.0.5", port: 5 }, "lo"), {
    message: "Interface 'lo' has no '127.0.0.5' address",
  });
  assert.throws(() => planBind(any, "nope0"), /Invalid network interface/);
});
