import assert from "node:assert/strict";
import { AddressError, addrToHost, hostToAddr, isIpAddress, sameIp } from "../../protocol/ip.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex);

/** Texts in their one right form and their bytes. */
const ADDRESSES: [text: string, hex: string][] = [
  ["0.0.0.0", "00000000"],
  ["127.0.0.1", "7f000001"],
  ["255.255.255.255", "ffffffff"],
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000000000001"],
  ["1::", "00010000000000000000000000000000"],
  ["fe80::1:0:0:2", "fe800000000000000001000000000002"],
  ["2001:db8::1", "20010db8000000000000000000000001"],
  // RFC 5952 4.2.2: a single zero group is not shortened; 4.2.3: the longest run, the first of two.
  ["2001:db8:0:1:1:1:1:1", "20010db8000000010001000100010001"],
  ["2001:0:0:1::1", "20010000000000010000000000000001"],
  ["2001:db8::1:0:0:1", "20010db8000000000001000000000001"],
  ["2001:db8:1::1:0:0", "20010db8000100000000000100000000"],
  ["0:2:3:4:5:6:7:8", "00000002000300040005000600070008"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
  ["a:b:c:d:e:f::", "000a000b000c000d000e000f00000000"],
];

Deno.test("addrToHost() and hostToAddr() agree on the canonical text", () => {
  for (const [text, hex] of ADDRESSES) {
    assert.equal(addrToHost(bytes(hex)), text);
    assert.equal(hostToAddr(text).toHex(), hex);
  }
});

Deno.test("addrToHost() writes a mapped IPv4 address dotted, hostToAddr() reads it as 4 bytes", () => {
  assert.equal(addrToHost(bytes("00000000000000000000ffff0a000001")), "10.0.0.1");
  assert.equal(hostToAddr("::ffff:10.0.0.1").toHex(), "0a000001");
  assert.equal(hostToAddr("::ffff:a00:1").toHex(), "0a000001");
  // One bit off the mapping prefix is plain IPv6.
  assert.equal(addrToHost(bytes("00000000000000000000fffe0a000001")), "::fffe:a00:1");
});

Deno.test("addrToHost() never throws and never makes an address of a wrong length", () => {
  assert.equal(addrToHost(new Uint8Array(0)), "?");
  assert.equal(addrToHost(bytes("0a00ff")), "?0a00ff");
  for (let length = 0; length < 20; length++) {
    const addr = new Uint8Array(length);
    assert.equal(addrToHost(addr).startsWith("?"), !isIpAddress(addr));
  }
});

Deno.test("hostToAddr() reads every spelling of IPv6", () => {
  assert.equal(hostToAddr("2001:DB8:0::0001").toHex(), "20010db8000000000000000000000001");
  assert.equal(hostToAddr("64:ff9b::192.0.2.33").toHex(), "0064ff9b0000000000000000c0000221");
  assert.equal(hostToAddr("1:2:3:4:5:6:1.2.3.4").toHex(), "00010002000300040005000601020304");
  assert.equal(hostToAddr("::2:3:4:5:6:7:8").toHex(), "00000002000300040005000600070008");
});

Deno.test("hostToAddr() refuses what is not an IP address", () => {
  const wrong = [
    ..."localhost| |1.2.3|1.2.3.4.5|1.2.3.256|1.2.3.04|1.2.3.-4|1.2.3.4 |1.2.3.4/8".split("|"),
    ...":|:::|1:2|1::2::3|12345::|g::|::1%eth0|[::1]|1:2:3:4:5:6:7:8:9".split("|"),
    ...":1:2:3:4:5:6:7:8|1:2:3:4:5:6:7:|1.2.3.4::|1:2:3:4:5:6:7:8::|::1.2.3|::1.2.3.4:5".split("|"),
    "",
  ];
  for (const text of wrong) assert.throws(() => hostToAddr(text), AddressError, text);
});

Deno.test("equalBytes() compares bytes, sameIp() addresses", () => {
  const plain = bytes("0a000001");
  const mapped = bytes("00000000000000000000ffff0a000001");
  assert.equal(sameIp(plain, mapped), true);
  assert.equal(sameIp(plain, bytes("0a000002")), false);
  assert.equal(sameIp(plain, bytes("0a0000")), false);
});
