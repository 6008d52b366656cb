import assert from "node:assert/strict";
import { memberlistConfig } from "../../../../cluster/memberlist/mod.ts";
import {
  KeyManager,
  type KeyOptions,
  type KeyProgress,
} from "../../../../cluster/serf/keys/key_manager.ts";
import { KeyOperationError, type KeyReport } from "../../../../cluster/serf/keys/report.ts";
import {
  decodeMessage,
  encodeMessage,
  KeyRequest,
  KeyResponse,
  MessageType,
  Query,
} from "../../../../cluster/serf/model/messages.ts";
import { settle } from "../../../support/manual_clock.ts";
import {
  type Fixture,
  fixture,
  hex,
  node,
  responseMessage,
  unhex,
} from "../../../support/serf/fixture.ts";
import { captured, key, manyKeys, withKeys } from "../../../support/serf/key_ring.ts";

const OK = { Result: true, Message: "", Keys: null, PrimaryKey: "" };

/** Agent `a` with keys, in a cluster with `b` and `c`. */
function cluster(keys = [key(1)]): { f: Fixture; manager: KeyManager } {
  const { f } = withKeys(keys, { numAlive: 3 });
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyJoin(node("c"));
  return { f, manager: new KeyManager(f.core) };
}

/** Everything queued for gossip that is a query. */
function queries(f: Fixture): Query[] {
  return f.gossip().filter(([type]) => type === MessageType.query).map((message) =>
    decodeMessage(Query, message)
  );
}

/** The one query that is queued. */
async function asked(f: Fixture): Promise<Query> {
  await settle();
  const found = queries(f);
  assert.equal(found.length, 1);
  return found[0] as Query;
}

/** Lets an answer arrive. */
function answer(f: Fixture, { LTime, ID }: Query, From: string, body: unknown): void {
  const Payload = body instanceof Uint8Array
    ? body
    : encodeMessage(MessageType.keyResponse, KeyResponse, {
      ...OK,
      ...body as Partial<KeyResponse>,
    });
  f.delegate.notifyMessage(responseMessage({ LTime, ID, From, Payload }));
}

/** The error that an operation rejects with. */
async function failure(operation: Promise<KeyReport>): Promise<KeyOperationError> {
  const error = await operation.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof KeyOperationError, String(error));
  return error;
}

Deno.test("an installation asks with the captured bytes, apart from the port", async () => {
  const golden =
    "048ba441646472a47f000001a746696c74657273c0a5466c61677300a24944ce716b4386a54c54696d6505a44e616d65b15f" +
    "736572665f696e7374616c6c2d6b6579a75061796c6f6164da00290781a34b6579da00201ef63cb9b45932069f50e5aface6" +
    "9dc0e72455ad70377416028e3a15529b54dfa4506f7274cd1f0aab52656c6179466163746f7200aa536f757263654e6f6465" +
    "a161a754696d656f7574ce5f5e1000";
  const f = fixture({ config: { queryTimeoutMult: 8 } });
  f.core.queryClock.witness(4n);
  f.draws.push(1_902_855_046 / 2 ** 31);
  const { Key } = decodeMessage(KeyRequest, decodeMessage(Query, unhex(golden)).Payload!);
  const installed = new KeyManager(f.core).install(Key!.toBase64());
  await settle();
  assert.deepEqual(f.gossip().map(hex), [golden]);
  await f.clock.advance(1_600);
  assert.equal((await failure(installed)).message, "0/1 nodes reported success");
});

Deno.test("the other operations ask what the captured queries ask, never without a body", async () => {
  const sample = decodeMessage(Query, unhex(captured("internal-query/use-key")));
  const operations: [
    ask: (manager: KeyManager) => Promise<KeyReport>,
    name: string,
    payload: string,
  ][] = [
    [(m) => m.use("AAECAwQFBgcICQoLDA0ODw=="), sample.Name, hex(sample.Payload!)],
    [(m) => m.remove("AAECAwQFBgcICQoLDA0ODw=="), "_serf_remove-key", hex(sample.Payload!)],
    [(m) => m.install(""), "_serf_install-key", "0781a34b6579a0"],
    [(m) => m.list(), "_serf_list-keys", "0781a34b6579a0"],
  ];
  for (const [ask, name, payload] of operations) {
    const { f, manager } = cluster();
    const done = ask(manager);
    const query = await asked(f);
    assert.deepEqual([query.Name, hex(query.Payload!)], [name, payload]);
    assert.deepEqual([query.Flags, query.RelayFactor, query.Timeout], [0, 0, 3_200_000_000n]);
    for (const from of ["a", "b", "c"]) answer(f, query, from, {});
    await done;
  }
});

Deno.test("an operation is done when every node has confirmed it, and tells how far it is", async () => {
  const { f, manager } = cluster();
  const progress: KeyProgress[] = [];
  const options: KeyOptions = { relayFactor: 2, onProgress: (step) => progress.push(step) };
  const done = manager.install(key(2).toBase64(), options);
  const query = await asked(f);
  assert.equal(query.RelayFactor, 2);
  for (const from of ["a", "b", "c"]) answer(f, query, from, {});
  assert.deepEqual(await done, {
    messages: {},
    numNodes: 3,
    numResp: 3,
    numErr: 0,
    keys: {},
    primaryKeys: { "": 3 },
  });
  assert.deepEqual(progress, [1, 2, 3].map((responded) => ({ responded, of: 3 })));
});

Deno.test("a list counts the nodes of each key; a note is no failure", async () => {
  const { f, manager } = cluster();
  const done = manager.list();
  const query = await asked(f);
  answer(f, query, "a", { Keys: ["k1", "k2"], PrimaryKey: "k1" });
  answer(f, query, "b", { Keys: ["k1"], PrimaryKey: "k1", Message: "truncated" });
  answer(f, query, "c", { Keys: ["k2", "__proto__"], PrimaryKey: "k2" });
  const { messages, keys, primaryKeys, numErr } = await done;
  assert.deepEqual([messages, numErr], [{ b: "truncated" }, 0]);
  assert.deepEqual(Object.entries(keys), [["k1", 2], ["k2", 2], ["__proto__", 1]]);
  assert.deepEqual(primaryKeys, { k1: 2, k2: 1 });
});

Deno.test("nodes that fail are counted and quoted, the answers of all are kept", async () => {
  const { f, manager } = cluster();
  const done = manager.use(key(2).toBase64());
  const query = await asked(f);
  answer(f, query, "a", {});
  answer(f, query, "b", { Result: false, Message: "requested key is not in the keyring" });
  answer(f, query, "c", { Result: false });
  const { message, report } = await failure(done);
  assert.equal(message, "2/3 nodes reported failure");
  assert.deepEqual(report.messages, { b: "requested key is not in the keyring", c: "" });
  assert.deepEqual([report.numNodes, report.numResp, report.numErr], [3, 3, 2]);
});

Deno.test("answers that are none count as failures", async () => {
  const { f, manager } = cluster();
  const done = manager.list();
  const query = await asked(f);
  answer(f, query, "a", unhex("0102ff"));
  answer(f, query, "b", unhex("08c1"));
  answer(f, query, "c", new Uint8Array(0));
  const { report } = await failure(done);
  assert.deepEqual(report.messages, {
    a: "Invalid key query response type: [1 2 255]",
    b: "Failed to decode key query response: [8 193]",
    c: "Invalid key query response type: []",
  });
  assert.equal(report.numErr, 3);
});

Deno.test("silent nodes make an operation fail at the deadline", async () => {
  const { f, manager } = cluster();
  const done = manager.install(key(2).toBase64());
  const query = await asked(f);
  answer(f, query, "a", {});
  await f.clock.advance(3_200);
  const { message, report } = await failure(done);
  assert.equal(message, "1/3 nodes reported success");
  assert.deepEqual([report.numResp, report.numErr], [1, 0]);
});

Deno.test("a key that is no base64 is refused before anyone is asked", async () => {
  const { f, manager } = cluster();
  const { message, report, cause } = await failure(manager.install("badkey"));
  assert.equal(message, "illegal base64 data at input byte 4");
  assert.deepEqual(report, {
    messages: {},
    numNodes: 0,
    numResp: 0,
    numErr: 0,
    keys: {},
    primaryKeys: {},
  });
  assert.equal((cause as Error).name, "Base64Error");
  assert.deepEqual(queries(f), []);
});

Deno.test("where no query can be sent, no key can be changed", async () => {
  const memberlist = memberlistConfig("a", node("a"), "lan");
  const old = fixture({ config: { memberlist, protocolVersion: 3 } });
  const { message, report } = await failure(new KeyManager(old.core).list());
  assert.deepEqual([message, report.numNodes], ["Feature not supported", 0]);
  const long = await failure(cluster().manager.install(new Uint8Array(1_200).toBase64()));
  assert.equal(long.message, "query exceeds limit of 1024 bytes");
});

Deno.test("changes wait for each other and for lists, lists run side by side", async () => {
  const { f, manager } = cluster();
  const operations = [
    manager.list(),
    manager.list(),
    manager.install(key(2).toBase64()),
    manager.use(key(2).toBase64()),
    manager.list(),
  ];
  const rounds: string[][] = [];
  for (let i = 0; i < 4; i++) {
    await settle();
    const running = queries(f);
    rounds.push(running.map(({ Name }) => Name.replace("_serf_", "")));
    for (const query of running) for (const from of ["a", "b", "c"]) answer(f, query, from, {});
  }
  assert.deepEqual(rounds, [["list-keys", "list-keys"], ["install-key"], ["use-key"], [
    "list-keys",
  ]]);
  await Promise.all(operations);
});

Deno.test("an operation that fails does not hold up the next", async () => {
  const { f, manager } = cluster();
  const first = failure(manager.install(key(2).toBase64()));
  const second = manager.list();
  await f.clock.advance(3_200);
  await first;
  f.gossip();
  await f.clock.advance(3_200);
  assert.equal((await failure(second)).message, "0/3 nodes reported success");
});

Deno.test("the number of operations that wait is bounded", async () => {
  const { f, manager } = cluster();
  const waiting = Array.from({ length: 256 }, () => failure(manager.list()));
  assert.equal((await failure(manager.list())).message, "Already 256 key operations wait");
  await settle();
  f.core.timers.close();
  f.core.running.close();
  await Promise.all(waiting);
});

Deno.test("keys that end Serf 0.9.4 are asked for under a name that Go agents do not know", async () => {
  const { f, manager } = cluster(manyKeys(32));
  const done = manager.list();
  const query = await asked(f);
  assert.equal(query.Name, "_serf_skein-list-keys");
  answer(f, query, "a", { Keys: ["k"], PrimaryKey: "k" });
  answer(f, query, "b", { Keys: ["k"], PrimaryKey: "k" });
  await f.clock.advance(3_200);
  const { message, report } = await failure(done);
  assert.equal(message, "2/3 nodes reported success");
  assert.deepEqual(report.messages, {
    c: "No answer: a Serf 0.9.4 agent ends when it lists 32 keys, so only skein agents were asked",
  });
  assert.deepEqual(report.keys, { k: 2 });

  const all = cluster(manyKeys(32));
  const complete = all.manager.list();
  const again = await asked(all.f);
  for (const from of ["a", "b", "c"]) answer(all.f, again, from, { Keys: ["k"] });
  assert.deepEqual((await complete).messages, {});
});
