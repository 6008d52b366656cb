/**
 * The dialects of RPC clients in the wild, one test for each of their habits (docs/spec/agent.md 10), as bytes on a socket of an agent.
 *
 * @module
 */

import assert from "node:assert/strict";
import { hostToAddr } from "../../../protocol/ip.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { loopback } from "../../support/loopback.ts";
import { Peer, type Plain, request } from "../../support/rpc/peer.ts";
import { bin, float64, header, raw, success, text, wire } from "../../support/rpc/wire.ts";

const HOST = loopback();

type Bodies = Record<string, Plain>;

async function withAgent(
  use: (stage: { agent: Agent; peer: Peer }) => Promise<void>,
  bind = `${HOST}:0`,
): Promise<void> {
  await using agent = await Agent.start({ nodeName: "a", bind, profile: "local" });
  const server = agent.listenRpc(`${HOST}:0`);
  using peer = await Peer.ready(server.address);
  await use({ agent, peer });
}

/** Sends bytes and checks that exactly these others come back. */
async function exchange(peer: Peer, sent: Uint8Array, expected: Uint8Array): Promise<void> {
  peer.keep();
  await peer.send(sent);
  assert.equal((await peer.keptAll(expected.length)).toHex(), expected.toHex());
}

/** The name and payload of the next user event of a stream. */
async function nextEvent(peer: Peer): Promise<[Plain, Plain]> {
  for (;;) {
    const { Name, Payload } = await peer.next() as Bodies;
    if (Name !== undefined) return [Name, Payload ?? null];
  }
}

const bytesOf = (value: string) => new TextEncoder().encode(value);

Deno.test("1: a Seq of 0, 2^53+1 or 2^64-1 comes back exactly, in responses and in records", async () => {
  await withAgent(async ({ agent, peer }) => {
    let ltime = 0;
    for (const seq of ["00", "cf0020000000000001", "cfffffffffffffffff"]) {
      await exchange(
        peer,
        wire(header("stream", seq), "81", text("Type"), text("user")),
        success(seq),
      );
      peer.keep();
      agent.event("e", null, { coalesce: false });
      assert.deepEqual((await peer.take(2))[1], {
        Coalesce: false,
        Event: "user",
        LTime: ++ltime,
        Name: "e",
        Payload: null,
      });
      assert.ok(peer.kept().toHex().startsWith(success(seq).toHex()));
      await exchange(peer, wire(header("stop", "01"), "81", text("Stop"), seq), success("01"));
    }
  });
});

Deno.test("2a: map keys and texts may be bin", async () => {
  await withAgent(async ({ peer }) => {
    await peer.ask("stream", { Type: "user" });
    await exchange(
      peer,
      wire(
        ...["82", bin("Command"), bin("event"), bin("Seq"), "05"],
        ...["83", bin("Name"), bin("deploy"), bin("Payload"), bin("v1"), bin("Coalesce"), "c2"],
      ),
      wire(success("02"), eventRecord("deploy", "c4027631"), success("05")),
    );
  });
});

Deno.test("2b: byte values may be str, and a list of small numbers", async () => {
  await withAgent(async ({ peer }) => {
    await peer.ask("stream", { Type: "user" });
    for (const payload of [text("v1"), wire("92 76 31"), wire("d9 02 76 31"), bin("v1")]) {
      await peer.send(
        wire(header("event", "05"), "82", text("Name"), text("n"), text("Payload"), payload),
      );
      assert.deepEqual(await nextEvent(peer), ["n", bytesOf("v1")]);
      assert.deepEqual(await peer.next(), { Error: "", Seq: 5 });
    }
  });
});

Deno.test("2c: structures may be lists of their fields in Go's order, short or long", async () => {
  await withAgent(async ({ peer }) => {
    await peer.ask("stream", { Type: "user" });
    const bodies: [Uint8Array, [string, Uint8Array | null]][] = [
      [wire("91", text("n1")), ["n1", null]],
      [wire("93", text("n2"), bin("v"), "c2"), ["n2", bytesOf("v")]],
      [wire("94", text("n3"), bin("v"), "c2", "81 01 02"), ["n3", bytesOf("v")]],
    ];
    for (const [body, expected] of bodies) {
      await peer.send(wire("92", text("event"), "07", body));
      assert.deepEqual(await nextEvent(peer), expected);
      assert.deepEqual(await peer.next(), { Error: "", Seq: 7 });
    }
  });
});

Deno.test("3: whole floats are numbers: Timeout, Seq, Stop, ID, RelayFactor", async () => {
  await withAgent(async ({ peer }) => {
    await exchange(
      peer,
      wire(header("stream", float64(7)), "81", text("Type"), text("query")),
      success("07"),
    );
    await exchange(
      peer,
      wire(
        ...[header("query", float64(8)), "83", text("Name"), text("q")],
        ...[text("Timeout"), float64(3e9), text("RelayFactor"), "ca 00000000"],
      ),
      wire(
        success("07"),
        ...["85", text("Event"), text("query"), text("ID"), "01", text("LTime"), "01"],
        ...[text("Name"), text("q"), text("Payload"), "c0"],
        success("08"),
      ),
    );
    peer.keep();
    await peer.send(
      wire(header("respond", float64(9)), "82", text("ID"), float64(1), text("Payload"), bin("x")),
    );
    assert.deepEqual(await peer.next(), { Error: "", Seq: 9 });
    assert.deepEqual(await peer.take(4), [
      ...[{ Error: "", Seq: 8 }, { From: "a", Payload: bytesOf("x"), Type: "response" }],
      ...[{ Error: "", Seq: 8 }, { From: "", Payload: null, Type: "done" }],
    ]);
    await exchange(
      peer,
      wire(header("stop", float64(10)), "81", text("Stop"), float64(7)),
      success("0a"),
    );
    const { body } = await stats(peer);
    assert.equal((body.rpc as Bodies).streams, "0");
  });
});

Deno.test("4: a nil where a header is due is skipped, whatever came before", async () => {
  await withAgent(async ({ peer }) => {
    await exchange(
      peer,
      wire(
        ...["c0", header("stop", "05"), "81", text("Stop"), "00", "c0c0c0"],
        ...[header("stop", "06"), "c0", header("stop", "07"), "c0"],
      ),
      wire(success("05"), success("06"), success("07")),
    );
    await peer.send(wire(header("members", "08"), "c0", header("members", "09"), "c0"));
    const seqs = (await peer.take(4) as Bodies[]).map(({ Seq }) => Seq);
    assert.deepEqual(seqs, [8, undefined, 9, undefined]);
  });
});

Deno.test("5: a payload may be nil or missing, and an empty one is not nil", async () => {
  await withAgent(async ({ peer }) => {
    await peer.ask("stream", { Type: "*" });
    const name = [text("Name"), text("e")];
    const cases: [Uint8Array, string][] = [
      [wire("81", ...name), "c0"],
      [wire("82", ...name, text("Payload"), "c0"), "c0"],
      [wire("82", ...name, text("Payload"), "c400"), "c400"],
    ];
    for (const [body, payload] of cases) {
      peer.keep();
      await peer.send(wire(header("event", "05"), body));
      await peer.take(3);
      const record = wire(text("Payload"), payload, success("05")).toHex();
      assert.ok(peer.kept().toHex().endsWith(record), payload);
    }
    await peer.send(wire(header("query", "06"), "82", ...name, text("Timeout"), "d0ff"));
    assert.equal((await peer.take(2) as Bodies[])[1]?.Payload, null);
  });
});

Deno.test("6: a body follows the error of a join and of a key operation", async () => {
  await withAgent(async ({ peer }) => {
    await peer.request("join", { Existing: ["/"], Replay: false });
    const [error, body] = await peer.take(2) as Bodies[];
    assert.match(String(error?.Error), /^1 error occurred:\n\t\* .*empty node name provided\n\n$/);
    assert.deepEqual(body, { Num: 0 });
    for (const command of ["install-key", "use-key", "remove-key", "list-keys"]) {
      await peer.request(command, command === "list-keys" ? undefined : { Key: "AAAA" });
      const [header, body] = await peer.take(2) as Bodies[];
      assert.equal(header?.Error, "1/1 nodes reported failure", command);
      assert.deepEqual([body?.NumNodes, body?.NumErr, body?.NumResp], [1, 1, 1]);
      assert.deepEqual(Object.keys(body?.Messages ?? {}), ["a"]);
    }
  });
});

Deno.test("7a: several requests may come in one packet", async () => {
  await withAgent(async ({ peer }) => {
    const count = 200;
    const requests = Array.from({ length: count }, (_, i) => [
      request("members", 3 * i),
      request("get-coordinate", 3 * i + 1, { Node: "nobody" }),
      request("stop", 3 * i + 2, { Stop: 0 }),
    ]);
    await peer.send(...requests.flat());
    const values = await peer.take(5 * count) as Bodies[];
    const seqs = values.filter(({ Error }) => Error === "").map(({ Seq }) => Seq);
    assert.deepEqual(seqs, Array.from({ length: 3 * count }, (_, i) => i));
  });
});

Deno.test("7b: one request may come byte by byte", async () => {
  await withAgent(async ({ peer }) => {
    await peer.ask("stream", { Type: "user:slow" });
    const payload = "x".repeat(300);
    for (const byte of request("event", 9, { Name: "slow", Payload: payload })) {
      await peer.send(new Uint8Array([byte]));
    }
    assert.deepEqual(await nextEvent(peer), ["slow", bytesOf(payload)]);
    assert.deepEqual(await peer.next(), { Error: "", Seq: 9 });
  });
});

Deno.test("8: Addr is bin, 4 bytes for IPv4 as in a Go agent's captures, 16 for IPv6", async () => {
  const addrOf = async (peer: Peer): Promise<string> => {
    peer.keep();
    await peer.request("members");
    await peer.take(2);
    const start = text("Addr").toHex();
    const hex = peer.kept().toHex();
    return hex.slice(hex.indexOf(start) + start.length, hex.indexOf(text("DelegateCur").toHex()));
  };
  await withAgent(async ({ peer }) => {
    assert.equal(await addrOf(peer), `c404${hostToAddr(HOST).toHex()}`);
  });
  await withAgent(async ({ peer }) => {
    assert.equal(await addrOf(peer), `c410${"00".repeat(15)}01`);
  }, "[::1]:0");
});

Deno.test("9: no body has a Seq at its top", async () => {
  await withAgent(async ({ peer }) => {
    const bodies: Bodies[] = [];
    const requests: [string, Record<string, string | number>?][] = [
      ["members"],
      ["members-filtered", { Name: "a" }],
      ["join", {}],
      ["stats"],
      ["get-coordinate", { Node: "a" }],
      ["list-keys"],
      ["install-key", { Key: "!" }],
    ];
    for (const [command, body] of requests) {
      await peer.request(command, body);
      bodies.push((await peer.take(2))[1] as Bodies);
    }
    await peer.request("stream", { Type: "*" });
    await peer.next();
    const asked: [string, Record<string, string | number>, number][] = [
      ["event", { Name: "x" }, 3],
      ["query", { Name: "x", Timeout: 1_000_000 }, 5],
      ["query", { Name: "_serf_ping", RequestAck: 1 }, 5],
    ];
    for (const [command, body, count] of asked) {
      await peer.request(command, body);
      bodies.push(...(await peer.take(count) as Bodies[]).filter((value) => !("Error" in value)));
    }
    await peer.request("monitor", { LogLevel: "TRACE" });
    bodies.push((await peer.take(3))[2] as Bodies);
    assert.equal(bodies.length, requests.length + 6);
    assert.ok(bodies.every((body) => !("Seq" in body)));
  });
});

Deno.test("10: done has an empty From, acks and responses have none that is empty", async () => {
  await withAgent(async ({ peer }) => {
    await peer.request("query", { Name: "_serf_ping", RequestAck: 1 });
    const [, , ack, , done] = await peer.take(5) as Bodies[];
    assert.deepEqual(ack, { From: "a", Payload: null, Type: "ack" });
    assert.deepEqual(done, { From: "", Payload: null, Type: "done" });
  });
});

Deno.test("11: a bad pattern is an error, and the connection goes on", async () => {
  await withAgent(async ({ peer }) => {
    await peer.request("members-filtered", { Name: "[a" });
    const [error, body] = await peer.take(2) as Bodies[];
    assert.match(String(error?.Error), /^Failed to compile regex: /);
    assert.deepEqual(body, { Members: [] });
    assert.deepEqual(await peer.ask("stop", {}), { Error: "", Seq: 3 });
  });
});

Deno.test("12: raw of any length is taken for texts and bytes, and never sent for bytes", async () => {
  await withAgent(async ({ peer }) => {
    await peer.ask("stream", { Type: "user" });
    const name = "n".repeat(40);
    const payload = new Uint8Array(60).fill(0xff);
    await exchange(
      peer,
      wire(
        ...["82", raw("Command"), raw("event"), raw("Seq"), "05"],
        ...["82", raw("Name"), raw(name), raw("Payload"), raw(payload)],
      ),
      wire(
        success("02"),
        eventRecord(wire("d928", bytesOf(name)), wire("c43c", payload)),
        success("05"),
      ),
    );
  });
});

/** The body of a record about a user event, the first of its agent. */
function eventRecord(name: string | Uint8Array, payload: string | Uint8Array): Uint8Array {
  return wire(
    ...["85", text("Coalesce"), "c2", text("Event"), text("user"), text("LTime"), "01"],
    ...[text("Name"), typeof name === "string" ? text(name) : name, text("Payload"), payload],
  );
}

async function stats(peer: Peer): Promise<{ body: Bodies }> {
  await peer.request("stats");
  const [, body] = await peer.take(2) as Bodies[];
  return { body: body ?? {} };
}
