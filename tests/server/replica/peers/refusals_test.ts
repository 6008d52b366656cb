/**
 * Whom a server does not talk to, and what happens to whoever tries.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import { frameOf } from "../../../../server/replica/peers/frames.ts";
import { MEMBER_CONNECTIONS } from "../../../../server/replica/peers/limits.ts";
import { loopback } from "../../../support/loopback.ts";
import { LinkServer, type LinkServerChanges, small } from "../../../support/replica/link_server.ts";
import { Relay } from "../../../support/replica/relay.ts";
import { helloFrame, PREAMBLE, Stranger } from "../../../support/replica/stranger.ts";
import { until } from "../../../support/rpc/peer.ts";

const HOST = loopback();
const ring = (...bytes: number[]) =>
  new Keyring(bytes.map((byte) => new Uint8Array(32).fill(byte)));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Lets `a` try to talk to `b`, and gives what both have logged. */
async function refusal(
  one: LinkServerChanges,
  other: LinkServerChanges,
): Promise<[string, string]> {
  await using a = await LinkServer.start(HOST, "a", one);
  await using b = await LinkServer.start(HOST, "b", other);
  a.knows(b).tell(b, 1);
  await until(() => a.lines.length > 0);
  assert.deepEqual(b.heard, []);
  assert.deepEqual(a.greeted, []);
  assert.deepEqual([...a.unexpected, ...b.unexpected], []);
  return [a.lines.join("\n"), b.lines.join("\n")];
}

Deno.test("servers of two clusters do not talk", async () => {
  const [a, b] = await refusal({ clusterId: "1".repeat(32) }, { clusterId: "2".repeat(32) });
  assert.match(
    a,
    /No connection to .*: It refuses: It belongs to cluster '1{32}', this server to '2{32}'$/,
  );
  assert.match(b, /Refused a connection from 127.*: It belongs to cluster '1{32}'/);
});

Deno.test("a server without a cluster talks to one with, unless somebody minds", async () => {
  await using a = await LinkServer.start(HOST, "a", { clusterId: "" });
  await using b = await LinkServer.start(HOST, "b");
  await a.knows(b).reach(b);
  await b.knows(a).reach(a);
  const accepts = () => "It is not wanted";
  const [told, logged] = await refusal({ clusterId: "" }, { accepts });
  assert.match(told, /It refuses: It is not wanted$/);
  assert.match(logged, /It is not wanted$/);
  const [minds] = await refusal({ accepts }, {});
  assert.match(minds, /It is not wanted$/);
});

Deno.test("a server that is not the one that was expected is not talked to", async () => {
  await using a = await LinkServer.start(HOST, "a");
  await using b = await LinkServer.start(HOST, "b");
  a.links.locate("d".repeat(32), b.address);
  a.links.send("d".repeat(32), small(1));
  await until(() => a.logged(/It refuses: It wants 'd{32}', this is 'b{32}'/));
  a.links.locate(a.id, a.address);
  a.links.send(a.id, small(1));
  await until(() => a.logged(/It refuses: It has the id of this server/));
  assert.deepEqual([...a.heard, ...b.heard], []);
});

Deno.test("a server without the keys is not talked to", async () => {
  const [wrong, refused] = await refusal({ keyring: ring(1) }, { keyring: ring(2) });
  assert.match(wrong, /no installed keys could decrypt the message/);
  assert.match(refused, /no installed keys could decrypt the message/);
  const [open] = await refusal({}, { keyring: ring(2) });
  assert.match(open, /It has encryption keys, here are none/);
  const [sealed, sealedTo] = await refusal({ keyring: ring(1) }, {});
  assert.match(sealed, /It has no encryption keys, here are some/);
  assert.match(sealedTo, /It has encryption keys, here are none/);
});

Deno.test("an unknown version is refused with a reason", async () => {
  await using b = await LinkServer.start(HOST, "b");
  using stranger = await Stranger.connect(b.address);
  const preamble = PREAMBLE.slice();
  preamble[4] = 9;
  await stranger.send(preamble);
  const answer = await stranger.rest();
  assert.deepEqual(answer.subarray(0, 6), PREAMBLE.subarray(0, 6));
  assert.match(text(answer.subarray(22)), /It speaks version 9, here it is 1$/);
  assert.equal(b.links.counts.refused, 1);
});

Deno.test("whoever does not begin as a server does gets no answer", async () => {
  await using b = await LinkServer.start(HOST, "b");
  using stranger = await Stranger.connect(b.address);
  await stranger.send(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: here\r\n\r\n"));
  assert.equal((await stranger.rest()).length, 0);
  assert.ok(b.logged(/It does not begin as a server does/));
});

Deno.test("a hello may come byte by byte, and frames in any pieces", async () => {
  await using b = await LinkServer.start(HOST, "b");
  using stranger = await Stranger.connect(b.address);
  const ping = frameOf(2, new Uint8Array(0));
  for (const byte of [...PREAMBLE, ...helloFrame(b.id), ...ping]) {
    await stranger.send(Uint8Array.of(byte));
  }
  let answer = "";
  while (!answer.endsWith("0000000103")) answer += (await stranger.next()).toHex();
  assert.deepEqual(b.greeted, [{ id: "f".repeat(32), name: "f" }]);
});

Deno.test("a stranger's claims cost nothing", async () => {
  await using b = await LinkServer.start(HOST, "b");
  const huge = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
  using early = await Stranger.connect(b.address);
  await early.send(PREAMBLE, huge);
  assert.match(text(await early.rest()), /Block claims 4294967295 bytes, wanted 1 to 1024$/);
  using late = await Stranger.connect(b.address);
  await late.send(PREAMBLE, helloFrame(b.id));
  await until(() => b.greeted.length === 1);
  await late.send(huge);
  assert.match(text(await late.rest()), /Block claims 4294967295 bytes, wanted 1 to 1677/);
});

Deno.test("what no server says ends the connection with a reason", async () => {
  const said: [Uint8Array, RegExp][] = [
    [frameOf(4, Uint8Array.of(77)), /Message has the unknown type 77$/],
    [frameOf(5, Uint8Array.of(1)), /Request has no number$/],
    [frameOf(200, Uint8Array.of(1)), /frame of channel 200$/],
    [frameOf(0, Uint8Array.of(1)), /frame of channel 0$/],
    [new Uint8Array(4), /Block claims 0 bytes/],
  ];
  await using b = await LinkServer.start(HOST, "b");
  for (const [bytes, reason] of said) {
    using stranger = await Stranger.connect(b.address);
    await stranger.send(PREAMBLE, helloFrame(b.id));
    await until(() => b.links.status().length === 1);
    await stranger.send(bytes);
    assert.match(text(await stranger.rest()), reason);
    stranger[Symbol.dispose]();
    await until(() => b.links.status().length === 0);
  }
  assert.deepEqual([b.links.counts.refused, b.unexpected.length], [said.length, 0]);
  assert.equal(b.lines.length, 1, "one line a second and source");
});

Deno.test("silent strangers are closed, and a flood of them keeps no server out", async () => {
  const admission = { strangers: 20, strangerMs: 300 };
  await using b = await LinkServer.start(HOST, "b", { admission });
  const flood: Stranger[] = [];
  try {
    for (let i = 0; i < 60; i++) flood.push(await Stranger.connect(b.address));
    await using a = await LinkServer.start(HOST, "a");
    await a.knows(b).reach(b);
    for (const stranger of flood) assert.equal((await stranger.rest()).length, 0);
    await a.reach(b, 2);
  } finally {
    for (const stranger of flood) stranger[Symbol.dispose]();
  }
});

Deno.test("however many gateways come, servers find room", async () => {
  await using stack = new AsyncDisposableStack();
  const connections = MEMBER_CONNECTIONS + 2;
  const b = stack.use(await LinkServer.start(HOST, "b", { admission: { connections } }));
  const visit = async (id: string, port = 0): Promise<LinkServer> => {
    const gateway = stack.use(await LinkServer.start(HOST, id, { isVisitor: true, port }));
    const answer = gateway.knows(b).links.request(b.id, Uint8Array.of(1), 5_000);
    await answer.catch((error) => assert.match(error.message, /It refuses/));
    return gateway;
  };
  const one = await visit("1");
  await visit("2");
  const three = await visit("3");
  assert.ok(three.logged(/No connection to .*: It refuses: It has room for 2 gateways$/));
  await using a = await LinkServer.start(HOST, "a");
  await a.knows(b).reach(b);
  // One that comes again takes the place of its own.
  const again = await visit("1");
  await until(() => b.greeted.filter(({ id }) => id === again.id).length === 2);
  assert.deepEqual(again.lines, []);
  await Promise.all([one.close(), again.close()]);
  await until(() => b.lost.filter((id) => id === again.id).length === 3);
  const four = await visit("4");
  assert.deepEqual(four.lines, []);
  assert.deepEqual(b.unexpected, []);
});

for (const keyring of [undefined, ring(5)]) {
  const how = keyring === undefined ? "in the open" : "sealed";

  Deno.test(`bytes of another connection do nothing when they are sent again, ${how}`, async () => {
    await using a = await LinkServer.start(HOST, "a", { keyring });
    await using b = await LinkServer.start(HOST, "b", { keyring });
    await using relay = new Relay(HOST, b.address);
    a.links.locate(b.id, relay.address);
    await a.reach(b, 1);
    using stranger = await Stranger.connect(b.address);
    await stranger.send(...relay.sent[0] as Uint8Array[]);
    if (keyring === undefined) return await until(() => b.numbers(a).length === 2);
    await stranger.rest();
    assert.deepEqual(b.numbers(a), [1]);
    assert.ok(b.logged(/no installed keys could decrypt the message/));
  });

  Deno.test(`a connection may be cut anywhere, and into single bytes, ${how}`, async () => {
    const timings = { beatMs: 40, pauseMs: { first: 1, longest: 5 } };
    await using a = await LinkServer.start(HOST, "a", { keyring, timings });
    await using b = await LinkServer.start(HOST, "b", { keyring });
    await using relay = new Relay(HOST, b.address);
    a.links.locate(b.id, relay.address);
    relay.bend = (chunk) => [...chunk].map((byte) => Uint8Array.of(byte));
    await a.reach(b, 1);
    relay.bend = (chunk) => [chunk.subarray(0, chunk.length >> 1)];
    for (let i = 2; i < 10; i++) {
      a.tell(b, i);
      relay.hangUp();
    }
    relay.bend = (chunk) => [chunk];
    relay.hangUp();
    await until(() => {
      a.tell(b, 100);
      return b.numbers(a).includes(100);
    });
    assert.deepEqual([...a.unexpected, ...b.unexpected], []);
  });
}

Deno.test("a block that is repeated, left out or changed ends a sealed connection", async () => {
  const keyring = ring(5);
  const timings = { pauseMs: { first: 1, longest: 5 } };
  await using a = await LinkServer.start(HOST, "a", { keyring, timings });
  await using b = await LinkServer.start(HOST, "b", { keyring });
  await using relay = new Relay(HOST, b.address);
  a.links.locate(b.id, relay.address);
  const bends: ((chunk: Uint8Array) => Uint8Array[])[] = [
    (chunk) => [chunk, chunk],
    (chunk) => [chunk.map((byte, i) => i === chunk.length - 1 ? byte ^ 1 : byte)],
  ];
  let refused = 0;
  for (const bend of bends) {
    await until(() => {
      a.tell(b, 1);
      return a.links.status()[0]?.isConnected === true;
    });
    await until(() => a.links.status()[0]?.queuedBytes === 0);
    const before = b.greeted.length;
    relay.bend = (chunk) => {
      relay.bend = (chunk) => [chunk];
      return bend(chunk);
    };
    await until(() => {
      a.tell(b, 2);
      return b.greeted.length > before;
    });
    assert.equal(b.links.counts.refused, ++refused);
  }
  await a.reach(b, 3);
});

Deno.test("a network that is cut without a word is noticed, and left for another connection", async () => {
  const timings = { beatMs: 40, pauseMs: { first: 1, longest: 5 } };
  await using a = await LinkServer.start(HOST, "a", { timings });
  await using b = await LinkServer.start(HOST, "b", { timings });
  await using relay = new Relay(HOST, b.address);
  a.links.locate(b.id, relay.address);
  await a.reach(b, 1);
  relay.isCut = true;
  const lost = a.links.request(b.id, Uint8Array.of(1), 60_000);
  await assert.rejects(lost, /It gave no sign of life/);
  await until(() => b.links.status().length === 0);
  relay.isCut = false;
  relay.hangUp();
  await until(() => {
    a.tell(b, 2);
    return b.numbers(a).includes(2);
  });
});

Deno.test("a second connection of a server takes the place of the first", async () => {
  await using b = await LinkServer.start(HOST, "b");
  using first = await Stranger.connect(b.address);
  await first.send(PREAMBLE, helloFrame(b.id));
  await until(() => b.greeted.length === 1);
  using bulk = await Stranger.connect(b.address);
  await bulk.send(PREAMBLE, helloFrame(b.id, { lane: "bulk" }));
  using second = await Stranger.connect(b.address);
  await second.send(PREAMBLE, helloFrame(b.id));
  await first.rest();
  for (const still of [second, bulk]) {
    await still.send(frameOf(4, Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 1)));
  }
  await until(() => b.heard.length === 2);
});
