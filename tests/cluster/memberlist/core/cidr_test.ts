import assert from "node:assert/strict";
import { cidrContains, parseCidr } from "../../../../cluster/memberlist/core/cidr.ts";
import { AddressError, hostToAddr } from "../../../../protocol/ip.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex);

Deno.test("cidrContains() tells whether an address lies in a network", () => {
  const cases: [network: string, address: string, inside: boolean][] = [
    ["10.0.0.0/8", "10.255.1.2", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.1.2.3/8", "10.9.9.9", true],
    ["192.168.4.0/22", "192.168.7.255", true],
    ["192.168.4.0/22", "192.168.8.0", false],
    ["127.0.0.1/32", "127.0.0.1", true],
    ["127.0.0.1/32", "127.0.0.2", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "::1", true],
    ["::/0", "8.8.8.8", false],
    ["fd00::/8", "fdff::1", true],
    ["fd00::/8", "fe00::1", false],
    ["::ffff:10.0.0.0/104", "10.1.1.1", true],
    ["::ffff:10.0.0.0/104", "11.1.1.1", false],
    ["::ffff:10.0.0.0/95", "10.0.0.0", false],
    ["::ffff:10.0.0.0/95", "::fffe:10.0.0.0", true],
  ];
  for (const [network, address, inside] of cases) {
    assert.equal(cidrContains(parseCidr(network), hostToAddr(address)), inside, network);
  }
});

Deno.test("cidrContains() matches a mapped IPv4 address and no bytes of a wrong length", () => {
  const cidr = parseCidr("10.0.0.0/8");
  assert.equal(cidrContains(cidr, bytes("00000000000000000000ffff0a000001")), true);
  assert.equal(cidrContains(cidr, bytes("0a0000")), false);
  assert.equal(cidrContains(cidr, new Uint8Array(0)), false);
});

Deno.test("parseCidr() refuses what is not a network", () => {
  for (
    const text
      of "|10.0.0.0|10.0.0.0/|10.0.0.0/33|10.0.0.0/-1|10.0.0.0/08|/8|::/129|x/8|1.2.3.4/8/8".split(
        "|",
      )
  ) {
    assert.throws(() => parseCidr(text), AddressError, text);
  }
});
