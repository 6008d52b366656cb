/**
 * The words for what fails in the network, and addresses as text.
 *
 * @module
 */

import assert from "node:assert/strict";
import { splitGoAddress } from "../../../server/config/addresses.ts";
import { listenProblem, plainHost, reasonOf } from "../../../server/net/problems.ts";

Deno.test("listenProblem() says why an address cannot be listened on", () => {
  const reason = (address: string): string => {
    try {
      const { host, port } = splitGoAddress(address);
      Deno.listen({ hostname: host, port }).close();
    } catch (error) {
      return listenProblem(address, error);
    }
    return "";
  };
  assert.equal(reason("127.0.6.11"), "listen tcp: address 127.0.6.11: missing port in address");
  assert.equal(reason("127.0.6.11:99999"), "listen tcp: address 99999: invalid port");
  assert.equal(reason("no.such.invalid:1"), "listen tcp: lookup no.such.invalid: no such host");
  assert.equal(reason("no such:1"), "listen tcp: lookup no such: no such host");
  assert.equal(
    reason("192.0.2.77:7373"),
    "listen tcp 192.0.2.77:7373: bind: cannot assign requested address",
  );
});

Deno.test("listenProblem() takes no failure of another kind for a name without address", () => {
  const denied = new Deno.errors.NotCapable('Requires net access to "127.0.6.11:1"');
  assert.equal(
    listenProblem("127.0.6.11:1", denied),
    'listen tcp: Requires net access to "127.0.6.11:1"',
  );
});

Deno.test("reasonOf() goes by the code of an error and not by its text", () => {
  const refused = Object.assign(new Error("any text"), { code: "ECONNREFUSED" });
  assert.equal(reasonOf("connect", refused), "connect: connection refused");
  assert.equal(
    reasonOf("connect", new Error("connection refused, or so")),
    "connection refused, or so",
  );
  assert.equal(reasonOf("read", "no error"), "no error");
});

Deno.test("a mapped IPv4 address is written in dots", () => {
  assert.equal(plainHost("::FFFF:127.0.0.1"), "127.0.0.1");
  assert.equal(plainHost("::1"), "::1");
});
