import assert from "node:assert/strict";
import { decodeMessage, encodeQuery, encodeResponse } from "../../../server/mdns/packets.ts";
import { addressesIn } from "../../../server/mdns/search.ts";
import { answersTo, isUsableClusterName, serviceName } from "../../../server/mdns/service.ts";

const service = {
  cluster: "demo",
  node: "web.1",
  hostname: "box",
  addr: new Uint8Array([10, 15, 0, 1]),
  port: 7946,
};
const fields = (name: string, type: string): string[] =>
  answersTo(service, { name, type }).map((answer) => `${answer.type} ${answer.name}`);

const all = [
  "PTR _serf_demo._tcp.local",
  "SRV web.1._serf_demo._tcp.local",
  "A box",
  "TXT web.1._serf_demo._tcp.local",
];

Deno.test("an agent answers for its cluster, its instance and its host, in Serf's order", () => {
  assert.deepEqual(fields("_serf_demo._tcp.local", "PTR"), all);
  assert.deepEqual(fields("_serf_demo._tcp.local.", "ANY"), all);
  assert.deepEqual(fields("_serf_demo._tcp.local", "A"), []);
  assert.deepEqual(fields("_serf_other._tcp.local", "PTR"), []);
  assert.deepEqual(fields("_services._dns-sd._udp.local", "PTR"), [
    "PTR _services._dns-sd._udp.local",
  ]);
  const instance = "web.1._serf_demo._tcp.local";
  assert.deepEqual(fields(instance, "ANY"), all.slice(1));
  assert.deepEqual(fields(instance, "SRV"), all.slice(1, 3));
  assert.deepEqual(fields(instance, "TXT"), all.slice(3));
  assert.deepEqual(fields(instance, "A"), ["A box"]);
  assert.deepEqual(fields(instance, "AAAA"), []);
  assert.deepEqual(fields("box", "A"), ["A box"]);
  assert.deepEqual(fields("box", "ANY"), []);
});

Deno.test("the values of an answer are those of Serf", () => {
  const answers = answersTo(service, { name: serviceName("demo"), type: "PTR" });
  assert.deepEqual(answers.map(({ data }) => data), [
    "web.1._serf_demo._tcp.local",
    { priority: 10, weight: 1, port: 7946, target: "box" },
    "10.15.0.1",
    ["Serf 'demo' cluster"],
  ]);
  assert.ok(answers.every(({ ttl }) => ttl === 120));
});

Deno.test("an answer survives the way and names where the agent gossips", () => {
  const question = { name: serviceName("demo"), type: "PTR" };
  const bytes = encodeResponse(answersTo(service, question));
  const message = decodeMessage(bytes);
  assert.deepEqual([message?.id, message?.isResponse, message?.questions], [0, true, []]);
  assert.equal(bytes[2], 0x84, "an authoritative answer");
  assert.deepEqual(addressesIn(bytes, "demo"), [{ host: "10.15.0.1", port: 7946 }]);
  assert.deepEqual(addressesIn(bytes, "other"), []);
  const v6 = { ...service, addr: new Uint8Array([0xfd, ...Array(14).fill(0), 1]) };
  assert.deepEqual(addressesIn(encodeResponse(answersTo(v6, question)), "demo"), [
    { host: "fd00::1", port: 7946 },
  ]);
});

Deno.test("an answer to a plain DNS client repeats what was asked", () => {
  const query = encodeQuery(serviceName("demo"), "PTR");
  query[1] = 77;
  const asked = decodeMessage(query);
  assert.equal(asked?.isResponse, false);
  const answer = decodeMessage(encodeResponse([], asked));
  assert.equal(answer?.id, 77);
  assert.deepEqual(answer?.questions.map(({ name, type }) => [name, type]), [
    ["_serf_demo._tcp.local", "PTR"],
  ]);
});

Deno.test("incomplete answers and answers about others name nobody", () => {
  const answers = answersTo(service, { name: serviceName("demo"), type: "PTR" });
  for (const missing of ["PTR", "SRV", "A"]) {
    const bytes = encodeResponse(answers.filter(({ type }) => type !== missing));
    assert.deepEqual(addressesIn(bytes, "demo"), [], missing);
  }
  const stranger = answers.map((answer) =>
    answer.type === "PTR" ? { ...answer, data: "printer._ipp._tcp.local" } : answer
  );
  assert.deepEqual(addressesIn(encodeResponse(stranger), "demo"), []);
  assert.deepEqual(addressesIn(encodeQuery(serviceName("demo"), "PTR"), "demo"), []);
});

Deno.test("names that fit no label are cut or refused", () => {
  const long = { ...service, node: `${"ü".repeat(50)}.x` };
  const [pointer] = answersTo(long, { name: serviceName("demo"), type: "PTR" });
  assert.equal(pointer?.data, `${"ü".repeat(31)}.x._serf_demo._tcp.local`);
  assert.deepEqual(
    addressesIn(
      encodeResponse(answersTo(long, { name: serviceName("demo"), type: "PTR" })),
      "demo",
    ).length,
    1,
  );
  const latin1 = { ...service, node: "caf\udce9" };
  const answers = answersTo(latin1, { name: serviceName("demo"), type: "PTR" });
  assert.equal(answers[0]?.data, "caf\\xe9._serf_demo._tcp.local");
  assert.equal(addressesIn(encodeResponse(answers), "demo").length, 1);
  assert.ok(!isUsableClusterName("caf\udce9"));
  const longest = Array.from("abcdefgh", (char) => char.repeat(32)).join(".");
  const [cut] = answersTo({ ...service, node: longest }, {
    name: serviceName("demo"),
    type: "PTR",
  });
  assert.equal(cut?.data, `${longest.slice(0, 120)}._serf_demo._tcp.local`);
  for (
    const usable of ["x".repeat(57), "eu.prod", "two words", `${"y".repeat(49)}.${"z".repeat(50)}`]
  ) {
    assert.ok(isUsableClusterName(usable), usable);
  }
  for (const unusable of ["x".repeat(58), "a..b", "a.", `${"y".repeat(50)}.${"z".repeat(50)}`]) {
    assert.ok(!isUsableClusterName(unusable), unusable);
  }
});

Deno.test("packets that are broken, too large or of another kind are ignored", () => {
  const good = encodeResponse(answersTo(service, { name: serviceName("demo"), type: "PTR" }));
  assert.equal(decodeMessage(new Uint8Array(9_001)), undefined);
  assert.equal(decodeMessage(new Uint8Array(11)), undefined);
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = good.slice();
    bytes[at] = value;
    return bytes;
  };
  assert.equal(decodeMessage(changed(2, 0x94)), undefined, "another operation");
  assert.equal(decodeMessage(changed(3, 3)), undefined, "an error");
  assert.equal(decodeMessage(changed(6, 0xff)), undefined, "65,284 answers promised");
  for (let length = 0; length < good.length; length++) {
    assert.deepEqual(addressesIn(good.subarray(0, length), "demo"), []);
  }
  let seed = 15;
  const next = (): number => seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  for (let round = 0; round < 5_000; round++) {
    const bytes = changed(next() % good.length, next() & 0xff);
    for (const { host } of addressesIn(bytes, "demo")) assert.ok(host.length > 0);
  }
});
