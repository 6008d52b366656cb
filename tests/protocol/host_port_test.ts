import assert from "node:assert/strict";
import { joinHostPort, portNumber, splitHostPort } from "../../protocol/host_port.ts";

Deno.test("splitHostPort() and joinHostPort() are each other's inverse", () => {
  const cases: [string, string, number][] = [
    ["127.0.0.1:7946", "127.0.0.1", 7946],
    ["example.org:0", "example.org", 0],
    [":65535", "", 65535],
    ["[::1]:7373", "::1", 7373],
  ];
  for (const [text, host, port] of cases) {
    assert.deepEqual(splitHostPort(text), { host, port: String(port) });
    assert.equal(joinHostPort(host, port), text);
  }
  assert.deepEqual(splitHostPort("host:http"), { host: "host", port: "http" });
  assert.deepEqual(splitHostPort("[host]:"), { host: "host", port: "" });
});

Deno.test("splitHostPort() names the fault that Go's serf names", () => {
  // Seen with `serf members -rpc-addr=...`.
  const faults: [text: string, fault: string][] = [
    ["", "missing port in address"],
    ["h", "missing port in address"],
    ["[::1]", "missing port in address"],
    ["[::1]x", "missing port in address"],
    ["[::1]x:1", "missing port in address"],
    ["[abc", "missing port in address"],
    ["::1", "too many colons in address"],
    ["a:b:c", "too many colons in address"],
    ["[::1]:1:2", "too many colons in address"],
    ["[::1", "missing ']' in address"],
    ["a[b:1", "unexpected '[' in address"],
    ["[a[b]:1", "unexpected '[' in address"],
    ["a]b:1", "unexpected ']' in address"],
  ];
  for (const [text, fault] of faults) assert.equal(splitHostPort(text), fault, text);
});

Deno.test("portNumber() takes signs and nothing, and no names", () => {
  const ports: [text: string, port: number | string][] = [
    ["0", 0],
    ["", 0],
    ["+80", 80],
    ["065535", 65535],
    ["65536", "invalid port"],
    ["-1", "invalid port"],
    ["http", "unknown port"],
    ["0x50", "unknown port"],
    ["1 ", "unknown port"],
  ];
  for (const [text, port] of ports) assert.equal(portNumber(text), port, text);
});
