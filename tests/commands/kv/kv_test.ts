/**
 * `skein kv` in this process, with a port of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { NO_LEADER } from "../../../server/replica/service.ts";
import { serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

/** Runs a command line and shows exit code, standard output and standard error. */
async function run(...argv: string[]): Promise<[number, string, string]> {
  const terminal = recordingTerminal();
  return [await dispatch(argv, terminal), terminal.stdout, terminal.stderr];
}

/** Runs an action of `kv` at a stage. */
function at({ port: { address } }: Stage) {
  return (action: string, ...rest: string[]) =>
    run("kv", action, `-kv-addr=${address.hostname}:${address.port}`, ...rest);
}

Deno.test("values are set, got, counted and deleted", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  assert.deepEqual(await kv("set", "greeting", "hello"), [0, "Revision 1\n", ""]);
  assert.deepEqual(await kv("get", "greeting"), [0, "hello\n", ""]);
  assert.deepEqual(await kv("get", "^global^greeting"), [0, "hello\n", ""]);
  assert.deepEqual(await kv("set", "-namespace=app", "k", "-5"), [0, "Revision 2\n", ""]);
  assert.deepEqual(await kv("get", "app^k"), [0, "-5\n", ""]);
  assert.deepEqual(await kv("set", "-json", "list", '[1, "a", {"b": null}]'), [
    0,
    "Revision 3\n",
    "",
  ]);
  assert.deepEqual(await kv("get", "-consistency", "stale", "list"), [
    0,
    '[1,"a",{"b":null}]\n',
    "",
  ]);
  assert.deepEqual(await kv("incr", "n"), [0, "1\n", ""]);
  assert.deepEqual(await kv("incr", "n", "-3"), [0, "-2\n", ""]);
  assert.deepEqual(await kv("del", "-tree", "^global"), [0, "Deleted 3 values\n", ""]);
  assert.deepEqual(await kv("del", "-if-exists", "n"), [0, "Deleted 0 values\n", ""]);
  assert.deepEqual(await kv("del", "app^k"), [0, "Deleted 1 value\n", ""]);
});

Deno.test("keys are listed, all pages of them, with values, levels and limits", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  await kv("set", "^app^a", "one\ntwo");
  await kv("set", "-json", "^app^a^b", "[1]");
  await kv("set", "^app^ab", "x");
  await kv("set", "g", "y");
  const keys = async (...rest: string[]) => {
    const [code, stdout, stderr] = await kv("keys", ...rest);
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout;
  };
  assert.equal(await keys(), "global^g\n");
  assert.equal(await keys("^app"), "app^a\napp^a^b\napp^ab\n");
  assert.equal(await keys("^"), "app^a\napp^a^b\napp^ab\nglobal^g\n");
  assert.equal(await keys("-namespace=app", "a"), "app^a^b\n");
  assert.equal(await keys("-depth=1", "^app"), "app^a\napp^ab\n");
  assert.equal(await keys("-limit", "2", "^app"), "app^a\napp^a^b\n");
  assert.equal(await keys("-after=app^a", "-consistency=stale", "^app"), "app^a^b\napp^ab\n");
  assert.equal(await keys("-values", "-depth=1", "^app"), 'app^a\t"one\\ntwo"\napp^ab\t"x"\n');
  assert.equal(await keys("-format=json", "^app^a"), '{"key":"app^a^b"}\n');
  assert.equal(
    await keys("-format=json", "-values", "^app^a"),
    '{"key":"app^a^b","value":[1],"rev":2}\n',
  );
  assert.equal(await keys("^none"), "");

  const many = Array.from({ length: 2_500 }, (_, i) => `many^${String(i).padStart(4, "0")}`);
  using client = await stage.client();
  await client.all(many.map((key) => ({ action: "SET", key, value: 0 })));
  assert.equal(await keys("^many"), `${many.join("\n")}\n`);
  assert.equal(await keys("-limit=1500", "^many"), `${many.slice(0, 1_500).join("\n")}\n`);
});

Deno.test("the names one level below a key are listed, all pages of them", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  const names = Array.from({ length: 1_200 }, (_, i) => `n${String(i).padStart(4, "0")}`);
  using client = await stage.client();
  await client.all(names.map((name) => ({ action: "SET", key: `^app^${name}^deep`, value: 0 })));
  await kv("set", "g", "y");
  const children = async (...rest: string[]) => {
    const [code, stdout, stderr] = await kv("children", ...rest);
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout;
  };
  assert.equal(await children("^app"), `${names.join("\n")}\n`);
  assert.equal(await children("-limit=1100", "^app"), `${names.slice(0, 1_100).join("\n")}\n`);
  assert.equal(await children("-after=n1198", "-consistency=stale", "^app"), "n1199\n");
  assert.equal(await children("^"), "app\nglobal\n");
  assert.equal(await children(), "g\n");
  assert.equal(await children("-namespace=app", "n0007"), "deep\n");
  assert.equal(await children("-format=json", "^app^n0007"), '{"name":"deep"}\n');
  assert.equal(await children("g"), "");
});

Deno.test("a text comes out as it is, blanks and line ends too", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  await kv("set", "k", "  two \n lines\n\n");
  assert.deepEqual(await kv("get", "k"), [0, "  two \n lines\n\n\n", ""]);
});

Deno.test("with -format=json everything is JSON", async () => {
  await using stage = serve(HOST);
  const kv = async (action: string, ...rest: string[]) => {
    const [code, stdout] = await at(stage)(action, "-format=json", ...rest);
    return [code, JSON.parse(stdout)];
  };
  assert.deepEqual(await kv("set", "k", "v"), [0, { key: "k", rev: 1 }]);
  assert.deepEqual(await kv("get", "k"), [0, { key: "k", value: "v", rev: 1 }]);
  assert.deepEqual(await kv("incr", "n", "4"), [0, { key: "n", value: 4 }]);
  assert.deepEqual(await kv("del", "k"), [0, { key: "k", deleted: 1 }]);
  assert.deepEqual(await kv("get", "k"), [1, { error: "'k' has no value" }]);
  assert.deepEqual(await kv("get", "a^^b"), [1, { error: "Error: 'key': not a key" }]);
});

Deno.test("failures go to standard error, and the exit code is 1", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  await kv("set", "k", "v");
  const failures: [argv: [string, ...string[]], text: string][] = [
    [["get", "none"], "'none' has no value"],
    [["del", "none"], "'none' has no value"],
    [["get", "a^^b"], "Error: 'key': not a key"],
    [["set", "-nx", "k", "w"], "Error: The condition does not hold"],
    [["set", "-if-rev=7", "k", "w"], "Error: The condition does not hold"],
    [["del", "-if-rev=7", "k"], "Error: The condition does not hold"],
    [["incr", "k"], "Error: The value is not an integer"],
    [["incr", "k", "much"], "Expected a whole number to add, got 'much'"],
    [["set", "-json", "k", "{"], "The value is not JSON"],
    [["keys", "a^"], "Error: 'prefix': not a key"],
    [["keys", "-after=x^y", "^app"], "Error: 'after': missing or wrong"],
    [["gte", "k"], "Unknown action 'gte', did you mean 'get'?"],
    [["put", "k", "v"], "Unknown action 'put', did you mean 'set'?"],
    [["DELETE", "k"], "Unknown action 'DELETE', did you mean 'del'?"],
    [["Watch", "k"], "Unknown action 'Watch', did you mean 'watch'?"],
    [["children", "-after=x^y", "^app"], "Error: 'after': missing or wrong"],
    [
      ["walk"],
      "Unknown action 'walk', expected one of get, set, del, incr, keys, children, ttl, expire, persist, txn, watch, pub, sub, lock, token",
    ],
  ];
  for (const [argv, text] of failures) {
    assert.deepEqual(await kv(...argv), [1, "", `${text}\n`], argv.join(" "));
  }
  stage.state.failure = NO_LEADER;
  assert.deepEqual(await kv("set", "k", "v"), [1, "", "Error: No leader\n"]);
  const refused = "dial tcp 127.0.0.1:1: connect: connection refused";
  assert.deepEqual(await run("kv", "get", "-kv-addr=127.0.0.1:1", "k"), [
    1,
    "",
    `Error connecting to the agent: ${refused}\n`,
  ]);
});

Deno.test("wrong command lines are told before anybody is asked", async () => {
  const refused: [argv: string[], text: RegExp][] = [
    [
      ["kv"],
      /^An action must be specified: get, set, del, incr, keys, children, ttl, expire, persist, txn, watch, pub, sub, lock, token\n$/,
    ],
    [["kv", "get"], /^One key must be specified\n$/],
    [["kv", "get", "a", "b"], /^One key must be specified\n$/],
    [["kv", "set", "a"], /^A key and a value must be specified\n$/],
    [["kv", "sub"], /^At least one channel must be specified\n$/],
    [["kv", "pub"], /^A channel must be specified\n$/],
    [["kv", "incr"], /^A key must be specified\n$/],
    [["kv", "get", "-nx", "k"], /^flag provided but not defined: -nx\n/],
    [
      ["kv", "set", "-if-rev=-1", "k", "v"],
      /^invalid value "-1" for flag -if-rev: expected a revision: a whole number from 0 on\n$/,
    ],
    [
      ["kv", "get", "-consistency=fresh", "k"],
      /^invalid value "fresh" for flag -consistency: expected linearizable, lease or stale\n$/,
    ],
    [
      ["kv", "keys", "-depth=17"],
      /^invalid value "17" for flag -depth: expected a whole number from 1 to 16\n$/,
    ],
    [
      ["kv", "children", "-limit=all"],
      /^invalid value "all" for flag -limit: expected a whole number from 1 on\n$/,
    ],
    [
      ["kv", "set", "-nx=maybe", "k", "v"],
      /^invalid boolean value "maybe" for -nx: expected true or false\n$/,
    ],
    [["kv", "children", "a", "b"], /^At most one key can be specified\n$/],
    [["kv", "get", "-format=xml", "k"], /^Encoding error: Invalid output format "xml"\n$/],
  ];
  for (const [argv, text] of refused) {
    const [code, stdout, stderr] = await run(...argv);
    assert.equal(code, 1, argv.join(" "));
    assert.match(stdout + stderr, text, argv.join(" "));
  }
});

Deno.test("flags stand before the action or after it", async () => {
  await using stage = serve(HOST);
  const { hostname, port } = stage.port.address;
  const address = `${hostname}:${port}`;
  const lines = [
    ["kv", "-kv-addr", address, "set", "-nx", "a", "1"],
    ["-kv-addr", address, "kv", "set", "b", "2"],
    ["kv", "set", "--kv-addr", address, "--", "-c", "get"],
    ["kv", "-json", "-kv-addr", address, "set", "set", "3"],
  ];
  for (const line of lines) assert.equal((await run(...line))[0], 0, line.join(" "));
  const kv = at(stage);
  assert.deepEqual(await kv("get", "--", "-c"), [0, "get\n", ""]);
  assert.deepEqual(await kv("get", "set"), [0, "3\n", ""]);
});

Deno.test("help is about all actions, or about one", async () => {
  const [code, stdout, all] = await run("kv", "-h");
  assert.deepEqual([code, stdout], [0, ""]);
  assert.match(
    all,
    /^Usage: skein kv ACTION \[options\] \[KEY\] \[VALUE\]\n/,
  );
  assert.match((await run("kv", "set", "-h"))[2], /^Usage: skein kv set \[options\] KEY VALUE\n/);
  assert.equal((await run("kv", "fly", "-h"))[2], all);
  assert.deepEqual(await run("help", "kv"), [0, all, ""]);
});

Deno.test("messages are published and printed, as text and as JSON", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  const hearing = [
    kv("sub", "-count=2", "news^*", "a"),
    kv("sub", "-count=2", "-format=json", "a", "news^**"),
  ];
  await until(() => stage.pubsub.figures.subscribers === 2);
  assert.deepEqual(await kv("pub", "news^x", "one\ntwo"), [0, "Went to 2\n", ""]);
  assert.deepEqual(await kv("pub", "-json", "-format=json", "^a", '{"b": [1]}'), [
    0,
    '{\n  "channel": "^a",\n  "reached": 2\n}\n',
    "",
  ]);
  const [text, json] = await Promise.all(hearing);
  assert.deepEqual(text, [0, 'news^x\t"one\\ntwo"\na\t{"b":[1]}\n', ""]);
  const told = { from: "skein kv", node: "alpha", seq: 1 };
  assert.deepEqual(json?.[1].trim().split("\n").map((line) => JSON.parse(line)), [
    { channel: "news^x", message: "one\ntwo", ...told, pattern: "news^**" },
    { channel: "a", message: { b: [1] }, ...told },
  ]);
  assert.deepEqual(await kv("pub", "nobody", "x"), [0, "Went to 0\n", ""]);
});

Deno.test("failures of publishing and subscribing go to standard error, with exit code 1", async () => {
  const stage = serve(HOST);
  const kv = at(stage);
  const failed = async (...argv: [string, ...string[]]) => {
    const [code, stdout, stderr] = await kv(...argv);
    assert.deepEqual([code, stdout], [1, ""]);
    return stderr;
  };
  assert.match(await failed("pub", "a^*", "x"), /'channel': not a key/);
  assert.match(await failed("pub", "$sys^a", "x"), /reserved/);
  assert.match(await failed("pub", "-json", "a", "{"), /The message is not JSON/);
  assert.match(await failed("sub", "a", "$sys"), /reserved/);
  const hearing = failed("sub", "-once", "a");
  await until(() => stage.pubsub.figures.subscribers === 1);
  await stage.port.close();
  assert.match(await hearing, /The agent went away/);
});

Deno.test("changes are printed, as text and as JSON, and what cannot be watched is told", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  await kv("set", "^w^a", "old");
  assert.deepEqual(await kv("watch", "-initial", "-count=1", "^w^a"), [0, '"old"\n', ""]);
  const watching = [
    kv("watch", "-tree", "-count=2", "^w"),
    kv("watch", "-old", "-format=json", "-count=2", "-namespace=w", "a"),
  ];
  await until(() => stage.state.watches.figures.watches === 2);
  await kv("set", "-json", "^w^a", '{"x":1}');
  await kv("del", "^w^a");
  assert.deepEqual(await Promise.all(watching), [
    [0, 'w^a\t{"x":1}\nw^a\t\n', ""],
    [
      0,
      '{"key":"w^a","kind":"set","created":false,"value":{"x":1},"old":"old","rev":2}\n' +
      '{"key":"w^a","kind":"del","old":{"x":1},"rev":3}\n',
      "",
    ],
  ]);
  assert.deepEqual(await kv("watch", "a^"), [1, "", "Error: 'key': not a key\n"]);
  assert.deepEqual(
    await kv("watch", "-initial", "-from-rev=3", "a"),
    [1, "", "-initial and -from-rev exclude each other\n"],
  );
});

Deno.test("changes and messages that nobody reads are printed no more", async () => {
  await using stage = serve(HOST);
  const { address: { hostname, port } } = stage.port;
  const kv = at(stage);
  const unread = (...argv: string[]): Promise<number> => {
    const [action = "", ...rest] = argv;
    const terminal = recordingTerminal({ broken: true });
    return dispatch(["kv", action, `-kv-addr=${hostname}:${port}`, ...rest], terminal);
  };
  const ends = Promise.all([unread("watch", "k"), unread("sub", "c")]);
  await until(() =>
    stage.state.watches.figures.watches === 1 && stage.pubsub.figures.subscriptions === 1
  );
  await kv("set", "k", "v");
  await kv("pub", "c", "m");
  assert.deepEqual(await ends, [141, 141]);
});
