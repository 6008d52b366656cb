import assert from "node:assert/strict";
import {
  deleteCommand,
  dueQuestion,
  existsQuestion,
  expireCommand,
  getManyQuestion,
  getQuestion,
  incrementCommand,
  persistCommand,
  setCommand,
  setManyCommand,
  type SetOptions,
  sweepCommand,
  transactionCommand,
  ttlQuestion,
} from "../../../../cluster/machine/kv/mod.ts";
import { Machine } from "../../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import { applied, json, path, shown } from "../../../support/machine/fixture.ts";

const MAX = Number.MAX_SAFE_INTEGER;

const newMachine = (): Machine => new Machine(new MemoryStore());
const set = (key: string, value: unknown, options?: SetOptions) =>
  setCommand(path(key), json(value), options);
const incr = (key: string, by: number) => incrementCommand(path(key), by);
const get = (machine: Machine, key: string) => shown(machine.query(getQuestion(path(key))));
const exists = (machine: Machine, key: string) => shown(machine.query(existsQuestion(path(key))));

Deno.test("SET and GET: the value comes back with the revision of its change", () => {
  const machine = newMachine();
  assert.equal(get(machine, "foo"), "404 KEY_NOT_FOUND");
  assert.deepEqual(applied(machine, set("foo", "bar"), set("b", null)), [
    '"OK" rev 1',
    '"OK" rev 2',
  ]);
  assert.equal(get(machine, "foo"), '"bar" rev 1');
  assert.equal(get(machine, "b"), "null rev 2");
  assert.deepEqual(applied(machine, set("foo", { a: [1, "é"] })), ['"OK" rev 3']);
  assert.equal(get(machine, "foo"), '{"a":[1,"é"]} rev 3');
});

Deno.test("SET with conditions: what does not hold changes nothing and tells the revision", () => {
  const machine = newMachine();
  assert.deepEqual(
    applied(
      machine,
      set("k", 1, { xx: true }),
      set("k", 1, { ifRev: 5 }),
      set("k", 1, { nx: true }),
      set("k", 2, { nx: true }),
      set("k", 2, { xx: true }),
      set("k", 3, { ifRev: 1 }),
      set("k", 3, { ifRev: 0 }),
      set("k", 3, { ifRev: 2 }),
      set("k", 4, { xx: true, ifRev: 3 }),
      set("new", 5, { ifRev: 0 }),
      set("k", 6, { nx: true, xx: true }),
    ),
    [
      "409 CONDITION_FAILED rev 0",
      "409 CONDITION_FAILED rev 0",
      '"OK" rev 1',
      "409 CONDITION_FAILED rev 1",
      '"OK" rev 2',
      "409 CONDITION_FAILED rev 2",
      "409 CONDITION_FAILED rev 2",
      '"OK" rev 3',
      '"OK" rev 4',
      '"OK" rev 5',
      "422 INVALID (nx)",
    ],
  );
  assert.equal(get(machine, "k"), "4 rev 4");
});

Deno.test("SET with get: the result is the value before", () => {
  const machine = newMachine();
  assert.deepEqual(
    applied(machine, set("k", "a", { get: true }), set("k", "b", { get: true })),
    ["null rev 1", '"a" rev 2'],
  );
  assert.equal(get(machine, "k"), '"b" rev 2');
});

Deno.test("SET: an empty text and one that is too long are refused", () => {
  const machine = newMachine();
  const longest = new Uint8Array(512 * 1024).fill(0x31);
  assert.deepEqual(
    applied(
      machine,
      setCommand(path("k"), new Uint8Array()),
      setCommand(path("k"), new Uint8Array(512 * 1024 + 1)),
      setCommand(path("k"), longest),
    ),
    ["422 INVALID (value)", "413 VALUE_TOO_LARGE (value)", '"OK" rev 1'],
  );
});

Deno.test("DEL: one value, not its children nor its neighbours", () => {
  const machine = newMachine();
  applied(machine, set("a", 1), set("^global^a^b", 2), set("ab", 3), set("^app^a", 4));
  const del = (options?: Parameters<typeof deleteCommand>[1]) => deleteCommand(path("a"), options);
  assert.deepEqual(
    applied(machine, del({ ifRev: 9 }), del({ ifRev: 1 }), del(), del({ ifExists: true })),
    ["409 CONDITION_FAILED rev 1", "1 rev 5", "404 KEY_NOT_FOUND", "0 rev 5"],
  );
  assert.equal(get(machine, "^global^a^b"), "2 rev 2");
  assert.equal(get(machine, "ab"), "3 rev 3");
  assert.equal(get(machine, "^app^a"), "4 rev 4");
});

Deno.test("DEL with tree: the subtree and nothing beside it", () => {
  const machine = newMachine();
  const tree = (key: string, ifRev?: number) =>
    deleteCommand(path(key), { tree: true, ...(ifRev !== undefined && { ifRev }) });
  applied(machine, ...["a", "a^b", "a^b^c", "a^b^d", "a^bc", "ab"].map((k) => set(`^${k}`, 1)));
  assert.deepEqual(applied(machine, tree("^a^b")), ["3 rev 7"]);
  assert.equal(get(machine, "^a^b^c"), "404 KEY_NOT_FOUND");
  assert.equal(get(machine, "^a^bc"), "1 rev 5");
  // A node without a value counts as revision 0.
  applied(machine, deleteCommand(path("^a")), set("^a^x", 1));
  assert.deepEqual(applied(machine, tree("^a", 3), tree("^a", 0), tree("^a")), [
    "409 CONDITION_FAILED rev 0",
    "2 rev 10",
    "404 KEY_NOT_FOUND",
  ]);
  assert.equal(get(machine, "^ab"), "1 rev 6");
});

Deno.test("DEL with tree: more values than are read at a time", () => {
  const machine = newMachine();
  applied(machine, ...Array.from({ length: 1_000 }, (_, i) => set(`^a^${i}`, i)), set("^b", 1));
  assert.deepEqual(applied(machine, deleteCommand(path("^a"), { tree: true })), ["1000 rev 1002"]);
  assert.equal(exists(machine, "^a"), '{"value":false,"children":false} rev 0');
  assert.equal(get(machine, "^b"), "1 rev 1001");
});

Deno.test("EXISTS: value and children are told apart", () => {
  const machine = newMachine();
  applied(machine, set("^a", 1), set("^a^b^c", 2), set("^ab", 3));
  assert.equal(exists(machine, "^a"), '{"value":true,"children":true} rev 0');
  assert.equal(exists(machine, "^a^b"), '{"value":false,"children":true} rev 0');
  assert.equal(exists(machine, "^a^b^c"), '{"value":true,"children":false} rev 0');
  assert.equal(exists(machine, "^a^c"), '{"value":false,"children":false} rev 0');
});

Deno.test("INCR and DECR: exact up to ±(2^53-1), and refused beyond", () => {
  const machine = newMachine();
  assert.deepEqual(
    applied(
      machine,
      incr("n", 1),
      incr("n", 41),
      incr("n", -50),
      incr("n", 0),
      incr("n", MAX),
      incr("n", 8),
      incr("n", 1),
      incr("n", MAX),
      incr("n", -MAX),
      incr("n", -MAX),
      incr("n", -1),
    ),
    [
      "1 rev 1",
      "42 rev 2",
      "-8 rev 3",
      "-8 rev 4",
      "9007199254740983 rev 5",
      "9007199254740991 rev 6",
      "409 OVERFLOW",
      "409 OVERFLOW",
      "0 rev 7",
      "-9007199254740991 rev 8",
      "409 OVERFLOW",
    ],
  );
  applied(machine, set("s", "5"), set("f", 1.5), set("i", 7));
  assert.deepEqual(applied(machine, incr("s", 1), incr("f", 1), incr("i", 1)), [
    "409 NOT_INTEGER",
    "409 NOT_INTEGER",
    "8 rev 12",
  ]);
  assert.equal(get(machine, "s"), '"5" rev 9');
});

Deno.test("a path that breaks a rule is refused by every command and question", () => {
  const machine = newMachine();
  const paths = { "a^": "422 BAD_KEY (key)", "$sys^a": "403 RESERVED (key)" };
  for (const [text, wanted] of Object.entries(paths)) {
    const bytes = new TextEncoder().encode(text);
    assert.deepEqual(
      applied(
        machine,
        setCommand(bytes, json(1)),
        deleteCommand(bytes),
        incrementCommand(bytes, 1),
        expireCommand(bytes, 1),
        persistCommand(bytes),
      ),
      Array.from({ length: 5 }, () => wanted),
    );
    assert.equal(shown(machine.query(getQuestion(bytes))), wanted);
    assert.equal(shown(machine.query(existsQuestion(bytes))), wanted);
    assert.equal(shown(machine.query(ttlQuestion(bytes))), wanted);
    assert.equal(
      shown(machine.query(getManyQuestion([bytes]))),
      wanted.replace("(key)", "(keys)"),
    );
  }
});

Deno.test("commands have the bytes that they always had", () => {
  const a = new TextEncoder().encode("a");
  const table: [Uint8Array, string][] = [
    [setCommand(a, json(1)), "010201c4016100c40131"],
    [setCommand(a, json(1), { nx: true }), "010201c4016101c40131"],
    [setCommand(a, json(1), { xx: true, ifRev: 300, get: true }), "010201c401610ecd012cc40131"],
    [deleteCommand(a), "010202c4016100"],
    [deleteCommand(a, { tree: true, ifExists: true, ifRev: 7 }), "010202c401610707"],
    [incrementCommand(a, -1), "010203c40161ff"],
    [setCommand(a, json(1), { ttlMs: 1_000 }), "010201c4016110cd03e8c40131"],
    [setCommand(a, json(1), { keepTtl: true }), "010201c4016120c40131"],
    [incrementCommand(a, 2, 9), "010203c401610209"],
    [expireCommand(a, 300), "010204c40161cd012c"],
    [persistCommand(a), "010205c40161"],
    [sweepCommand(300), "010206cd012ccd03e8"],
    [setManyCommand([{ path: a, text: json(1), ttlMs: 5 }]), "01020701c40161c4013105"],
    [
      transactionCommand({
        conditions: [
          { path: a, rev: 3 },
          { path: a, exists: true },
          { path: a, text: json(1) },
        ],
        then: [{ kind: "command", bytes: deleteCommand(a) }],
        otherwise: [{ kind: "question", bytes: getQuestion(a) }],
      }),
      "01020803" + "c401610003" + "c401610101" + "c4016102c40131" + "0100c407010202c4016100" +
      "0101c406010201c40161",
    ],
    [ttlQuestion(a), "010204c40161"],
    [dueQuestion({ from: 1, to: 300 }), "01020501cd012c"],
    [getManyQuestion([a]), "01020601c40161"],
    [getQuestion(a), "010201c40161"],
    [existsQuestion(a), "010202c40161"],
  ];
  for (const [command, bytes] of table) assert.equal(command.toHex(), bytes);
});
