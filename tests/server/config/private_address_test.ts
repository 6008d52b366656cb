import assert from "node:assert/strict";
import {
  bestOf,
  defaultRoute4,
  defaultRoute6,
  type InterfaceAddress,
} from "../../../server/config/private_address.ts";

/** `NAME ADDRESS/LENGTH`. */
function own(...texts: string[]): InterfaceAddress[] {
  return texts.map((text) => {
    const [name = "", cidr = ""] = text.split(" ");
    const address = cidr.replace(/\/.*/, "");
    return { name, cidr, address, family: address.includes(":") ? "IPv6" : "IPv4" };
  });
}

function best(addresses: InterfaceAddress[], defaultInterface?: string, down: string[] = []) {
  return bestOf(addresses, { defaultInterface, isUp: (name) => !down.includes(name) });
}

Deno.test("of private addresses the default route's comes first, then IPv4, then the largest network", () => {
  const docker = "docker0 172.17.0.1/16";
  const card = "eth0 10.1.2.3/24";
  assert.equal(best(own("lo 127.0.0.1/8", docker, card), "eth0"), "10.1.2.3");
  assert.equal(best(own("lo 127.0.0.1/8", docker, card)), "172.17.0.1");
  assert.equal(best(own(docker, card), "eth0", ["eth0"]), "172.17.0.1");
  assert.equal(best(own(docker, card), undefined, ["docker0"]), "10.1.2.3");
  assert.equal(best(own("eth0 fd00::1/64", docker), "eth0"), "fd00::1");
  assert.equal(best(own("eth0 fd00::1/64", docker)), "172.17.0.1");
  assert.equal(best(own("eth0 fd00::1/64", "eth0 10.9.0.1/24"), "eth0"), "10.9.0.1");
  assert.equal(best(own("a 10.0.0.1/24", "b 10.1.0.1/8", "c 10.2.0.1/8")), "10.1.0.1");
});

Deno.test("only addresses that others can reach in a private network count", () => {
  const possible = ["10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "198.18.0.1", "fd00::1"];
  for (const address of possible) assert.equal(best(own(`e ${address}/24`)), address);
  const none = [
    "8.8.8.8",
    "127.0.0.1",
    "169.254.0.1",
    "172.32.0.1",
    "::1",
    "fe80::1",
    "2001:db8::1",
  ];
  assert.equal(best(own(...none.map((address) => `e ${address}/24`))), undefined);
  assert.equal(best([]), undefined);
});

Deno.test("the default route is the one with the least metric that is no refusal", () => {
  const four = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
wlan0\t00000000\t0102010A\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0102010A\t0003\t0\t0\t100\t00000000\t0\t0\t0
none\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0002010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`;
  assert.equal(defaultRoute4(four), "eth0");
  assert.equal(defaultRoute4(""), undefined);
  const zero = "0".repeat(32);
  const six = `fd000099${"0".repeat(24)} 40 ${zero} 00 ${zero} 00000100 1 0 00000001    eth0
${zero} 00 ${zero} 00 fd0000990000000000000000000000fe 00000400 1 0 00000003    eth1
${zero} 00 ${zero} 00 ${zero} ffffffff 1 0 00200200       lo
`;
  assert.equal(defaultRoute6(six), "eth1");
  assert.equal(defaultRoute6(""), undefined);
});
