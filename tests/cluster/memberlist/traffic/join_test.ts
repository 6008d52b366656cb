import assert from "node:assert/strict";
import type { JoinError } from "../../../../cluster/memberlist/core/errors.ts";
import type { Memberlist } from "../../../../cluster/memberlist/memberlist.ts";
import { JoinAddressError, parseJoinAddress } from "../../../../cluster/memberlist/traffic/join.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { FakeNetwork, PORT } from "../../../support/memberlist/fake_network.ts";
import { startNode } from "../../../support/memberlist/fakes.ts";

Deno.test("addresses to join are read as the Go agent reads them", () => {
  const read = (text: string) => {
    const { name, host, port } = parseJoinAddress(text, PORT);
    return [name, host, port];
  };
  assert.deepEqual(read("10.0.0.1"), ["", "10.0.0.1", PORT]);
  assert.deepEqual(read("10.0.0.1:80"), ["", "10.0.0.1", 80]);
  assert.deepEqual(read("host"), ["", "host", PORT]);
  assert.deepEqual(read("n/host:80"), ["n", "host", 80]);
  assert.deepEqual(read("n/[::1]:80"), ["n", "::1", 80]);
  assert.deepEqual(read("[::1]"), ["", "::1", PORT]);
  assert.deepEqual(read("fd00::1"), ["", "fd00::1", PORT]);
  assert.deepEqual(read("a/b/c:80"), ["a", "b/c", 80]);
  assert.deepEqual(read(""), ["", "", PORT]);
  assert.deepEqual(read("h:0"), ["", "h", 0]);
});

Deno.test("addresses that cannot be read are refused in the words of the Go agent", () => {
  const refusal = (text: string) => {
    try {
      parseJoinAddress(text, PORT);
    } catch (error) {
      assert.ok(error instanceof JoinAddressError);
      return error.message;
    }
    return "accepted";
  };
  assert.equal(refusal("/10.0.0.1"), "empty node name provided");
  assert.equal(refusal("h:xx"), 'strconv.ParseUint: parsing "xx": invalid syntax');
  assert.equal(refusal("h:-1"), 'strconv.ParseUint: parsing "-1": invalid syntax');
  assert.equal(refusal("h:"), 'strconv.ParseUint: parsing "": invalid syntax');
  assert.equal(refusal("h:65536"), 'strconv.ParseUint: parsing "65536": value out of range');
  assert.equal(refusal("[::1"), "address [::1: missing ']' in address");
  assert.equal(refusal("[::1]x"), "address [::1]x: missing port in address");
  assert.equal(refusal("[::1]:1:2"), "address [::1]:1:2: too many colons in address");
});

function network() {
  const clock = new ManualClock();
  return { clock, network: new FakeNetwork(clock) };
}

/** Lets time pass until `promise` is settled; returns its value or its error. */
async function outcome<T>(clock: ManualClock, promise: Promise<T>): Promise<T | Error> {
  let result: T | Error | undefined;
  promise.then((value) => result = value, (error) => result = error);
  await clock.until(() => result !== undefined, 60_000, "the end of the join");
  return result as T | Error;
}

Deno.test("a join tries every address and counts the successes, the own address too", async () => {
  const { clock, network: net } = network();
  const a = startNode(net, "a", "10.0.0.1");
  const names = { twice: ["10.0.0.1", "10.0.0.9", "10.0.0.1"] };
  const b = startNode(net, "b", "10.0.0.2", { names });
  const addresses = ["10.0.0.1", "10.0.0.9", "a/10.0.0.1:7946", "10.0.0.2", "twice", "/x"];
  assert.equal(await outcome(clock, b.list.join(addresses)), 5);
  assert.deepEqual(a.list.members().map(({ name }) => name).sort(), ["a", "b"]);
  assert.deepEqual(b.list.members().map(({ name }) => name).sort(), ["a", "b"]);
  assert.equal(await outcome(clock, b.list.join([])), 0);
  await Promise.all([a.list.shutdown(), b.list.shutdown()]);
  assert.ok(a.transport.isIdle && b.transport.isIdle);
});

Deno.test("a join without any success lists every reason in the text of the Go agent", async () => {
  const { clock, network: net } = network();
  const { list, log } = startNode(net, "a", "10.0.0.1");
  const one = await outcome(clock, list.join(["10.0.0.9:80"]));
  assert.ok(one instanceof Error);
  assert.equal(one.name, "JoinError");
  assert.equal(
    one.message,
    "1 error occurred:\n" +
      "\t* failed to join 10.0.0.9:80: dial tcp 10.0.0.9:80: connect: connection refused\n\n",
  );
  log.length = 0;
  const many = await outcome(
    clock,
    list.join(["/x", "h:xx", "nohost", "300.1.1.1", "0x0a010203:80", "::g", "", "n/"]),
  );
  assert.ok(many instanceof Error);
  assert.equal(
    many.message,
    "8 errors occurred:\n" +
      "\t* failed to resolve /x: empty node name provided\n" +
      '\t* failed to resolve h:xx: strconv.ParseUint: parsing "xx": invalid syntax\n' +
      "\t* failed to resolve nohost: lookup nohost: no such host\n" +
      "\t* failed to resolve 300.1.1.1: lookup 300.1.1.1: no such host\n" +
      "\t* failed to resolve 0x0a010203:80: lookup 0x0a010203: no such host\n" +
      "\t* failed to resolve ::g: lookup ::g: no such host\n" +
      "\t* failed to resolve : lookup : no such host\n" +
      "\t* failed to resolve n/: lookup : no such host\n\n",
  );
  assert.equal(log[0], "warn failed to resolve /x: empty node name provided");
  await list.shutdown();
});

Deno.test("an unreachable address costs a join no more than the stream timeout", async () => {
  const { clock, network: net } = network();
  const { list } = startNode(net, "a", "10.0.0.1");
  net.silence("10.0.0.9");
  const before = clock.now();
  const error = await outcome(clock, list.join(["10.0.0.9"]));
  assert.match((error as Error).message, /dial tcp 10\.0\.0\.9:7946: i\/o timeout/);
  assert.equal(clock.now() - before, 10_000);
  await list.shutdown();
});

Deno.test("with required node names a join needs them", async () => {
  const { clock, network: net } = network();
  const overrides = { requireNodeNames: true };
  const a = startNode(net, "a", "10.0.0.1", { overrides });
  const b = startNode(net, "b", "10.0.0.2", { overrides });
  const error = await outcome(clock, b.list.join(["10.0.0.1"]));
  assert.match((error as Error).message, /node names are required by configuration/);
  assert.equal(await outcome(clock, b.list.join(["a/10.0.0.1"])), 1);
  await clock.advance(5_000);
  assert.deepEqual(a.list.members().length, 2);
  await Promise.all([a.list.shutdown(), b.list.shutdown()]);
});

Deno.test("a join that a shutdown interrupts says so", async () => {
  const { clock, network: net } = network();
  const { list } = startNode(net, "a", "10.0.0.1");
  startNode(net, "b", "10.0.0.2").transport.handlers = { packet: () => {}, stream: () => {} };
  const joining = outcome(clock, list.join(["10.0.0.2"]));
  clock.setTimer(3, () => void list.shutdown());
  assert.equal((await joining as Error).name, "ShutdownError");
  assert.equal((await outcome(clock, list.join(["10.0.0.2"])) as Error).name, "ShutdownError");
});

Deno.test("silent addresses delay neither the others of a join nor another join", async () => {
  const { clock, network: net } = network();
  const { list } = startNode(net, "a", "10.0.0.1");
  const good = startNode(net, "b", "10.0.0.2");
  const other = startNode(net, "c", "10.0.0.3");
  net.silence("10.0.0.8");
  net.silence("10.0.0.9");
  const mixed = list.join(["10.0.0.8", "10.0.0.9", "10.0.0.2"]);
  await clock.until(() => good.list.members().length === 2, 100, "the good address");
  assert.equal(await outcome(clock, list.join(["10.0.0.3"])), 1);
  assert.equal(other.list.members().length, 3);
  assert.ok(clock.now() < 1_000, "the other join did not wait");
  assert.equal(await outcome(clock, mixed), 1);
  assert.ok(clock.now() < 11_000, "both time-outs ran side by side");
  await Promise.all([list.shutdown(), good.list.shutdown(), other.list.shutdown()]);
});

Deno.test("one join has 16 addresses under way, all joins together 64", async () => {
  const { clock, network: net } = network();
  const { list, transport } = startNode(net, "a", "10.0.0.1");
  net.silence("10.0.0.9");
  let dialled = 0;
  const dial = transport.dial.bind(transport);
  transport.dial = (...args) => {
    dialled++;
    return dial(...args);
  };
  const addresses = Array.from({ length: 20 }, (_, i) => `10.0.0.9:${i + 1}`);
  const joins = [list.join(addresses)];
  await clock.advance(1);
  assert.equal(dialled, 16);
  for (let i = 0; i < 4; i++) joins.push(list.join(addresses));
  await clock.advance(1);
  assert.equal(dialled, 64);
  const all = Promise.all(joins.map((join) => join.catch((error: JoinError) => error)));
  const errors = await outcome(clock, all) as JoinError[];
  assert.equal(dialled, 100);
  const expected = addresses.map((to) => `failed to join ${to}: dial tcp ${to}: i/o timeout`);
  for (const error of errors) assert.deepEqual(error.errors.map((e) => e.message), expected);
  await list.shutdown();
});

Deno.test("a join that is cancelled ends at once and begins nothing more", async () => {
  const { clock, network: net } = network();
  const { list, transport } = startNode(net, "a", "10.0.0.1");
  startNode(net, "b", "10.0.0.2").transport.handlers = { packet: () => {}, stream: () => {} };
  const cancel = new AbortController();
  const reason = new Error("enough");
  const addresses = Array.from({ length: 30 }, () => "10.0.0.2");
  clock.setTimer(5, () => cancel.abort(reason));
  assert.equal(await outcome(clock, list.join(addresses, { signal: cancel.signal })), reason);
  assert.ok(clock.now() < 100);
  await clock.advance(1_000);
  assert.ok(transport.isIdle, "every stream is closed");
  assert.equal(await outcome(clock, list.join(["10.0.0.2"], { signal: cancel.signal })), reason);
  await list.shutdown();
});

Deno.test("members of several clusters hear of each other without gossip, those of one are asked once", async () => {
  const { clock, network: net } = network();
  const nodes = ["1", "2", "3"].map((n) => startNode(net, n, `10.0.0.${n}`));
  const [a, b, c] = nodes.map(({ list }) => list) as [Memberlist, Memberlist, Memberlist];
  net.loses = () => true;
  assert.equal(await outcome(clock, a.join(["10.0.0.2", "10.0.0.3"])), 2);
  await clock.until(() => [b, c].every((list) => list.members().length === 3), 100, "the others");
  const late = startNode(net, "4", "10.0.0.4");
  assert.equal(await outcome(clock, late.list.join(["10.0.0.1", "10.0.0.2", "10.0.0.3"])), 3);
  await clock.advance(100);
  const asked = late.log.filter((line) => line.startsWith("debug Initiating push/pull"));
  assert.equal(asked.length, 3);
  await Promise.all([a, b, c, late.list].map((list) => list.shutdown()));
});
