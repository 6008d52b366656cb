/**
 * `skein topic` in this process, with a port of its own: what is done with topics, but for their messages.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import type { CommandError } from "../../../commands/shell/failure.ts";
import { told as explained } from "../../../commands/topics/servers.ts";
import { SEGMENT_BYTES } from "../../../cluster/machine/topics/limits.ts";
import { accessOf } from "../../support/kv/access.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";
import { serveTopics } from "../../support/topics/stage.ts";
import { addressOf, run, topicAt } from "../../support/topics/command.ts";

const HOST = loopback();

Deno.test("topics are created, listed, described and deleted", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  assert.deepEqual(await topic("list"), [0, "There are no topics\n", ""]);
  assert.deepEqual(await topic("create", "-partitions=3", "orders"), [0, "Created\n", ""]);
  assert.deepEqual(await topic("create", "-partitions", "3", "orders"), [
    0,
    "Was there already\n",
    "",
  ]);
  assert.deepEqual(await topic("create", "orders"), [
    1,
    "",
    "Error: The topic is there with another number of partitions\n",
  ]);
  assert.deepEqual(await topic("create", "a"), [0, "Created\n", ""]);
  assert.deepEqual(await topic("list"), [
    0,
    "Topic   Partitions\na       1\norders  3\n",
    "",
  ]);
  assert.deepEqual(await topic("describe", "a"), [
    0,
    `Topic            a
Id               2
Retention        168h0m0s
Retention bytes  none
Segment bytes    67108864
Segment time     1h0m0s
Dedupe           2m0s

Partition  Start  End  Messages  Bytes
0          0      0    0         0
`,
    "",
  ]);
  assert.deepEqual(await topic("delete", "a"), [0, "Deleted\n", ""]);
  assert.deepEqual(await topic("delete", "a"), [1, "", "Error: There is no such topic\n"]);
  assert.deepEqual(await topic("delete", "-if-exists", "a"), [0, "Was not there\n", ""]);
  assert.deepEqual(await topic("describe", "a"), [1, "", "Error: There is no such topic\n"]);
});

Deno.test("a topic is given how long its messages are kept, and another time later", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await topic("create", "-retention=24h", "-retention-bytes=10GiB", "-segment-time=10m", "t");
  assert.deepEqual(
    await topic("alter", "-retention=none", "-segment-bytes=1MiB", "-dedupe=none", "t"),
    [
      0,
      "Retention        none\nRetention bytes  10737418240\nSegment bytes    1048576\nSegment time     10m0s\n" +
      "Dedupe           none\n",
      "",
    ],
  );
  const [, described] = await topic("describe", "-format=json", "t");
  assert.deepEqual(JSON.parse(described), {
    topic: "t",
    id: 1,
    retention_ms: null,
    retention_bytes: 10_737_418_240,
    segment_bytes: 1_048_576,
    segment_ms: 600_000,
    dedupe_ms: null,
    partitions: [{ partition: 0, start: 0, end: 0, bytes: 0 }],
  });
  assert.deepEqual(await topic("alter", "t"), [
    1,
    "Nothing to change: expected one of -retention, -retention-bytes, -segment-bytes, -segment-time, -dedupe\n",
    "",
  ]);
});

Deno.test("what flags may say of times, sizes and numbers is what servers take", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  const { least, most } = SEGMENT_BYTES;
  for (const good of [`${least}`, `${least / 1_024}k`, "64MiB", "1g", `${most}b`, "32mb"]) {
    assert.deepEqual((await topic("create", `-segment-bytes=${good}`, "t"))[0], 0, good);
  }
  const wrong: [flag: string, expected: string][] = [
    [`-segment-bytes=${least - 1}`, "4KiB to 1GiB"],
    [`-segment-bytes=${most + 1}`, "4KiB to 1GiB"],
    ["-segment-bytes=none", "a number of bytes, such as 65536, 64KiB or 10GiB"],
    ["-retention-bytes=0", "a number of bytes, such as 65536, 64KiB or 10GiB"],
    ["-retention-bytes=1.5k", "a number of bytes, such as 65536, 64KiB or 10GiB"],
    ["-retention=7d", "a time from 1s on, such as 168h for 7 days"],
    ["-retention=999ms", "a time from 1s on, such as 168h for 7 days"],
    ["-segment-time=none", "a time from 1s on, such as 168h for 7 days"],
    ["-dedupe=999ms", "a time from 1s on, such as 168h for 7 days"],
    ["-partitions=0", "a whole number from 1 to 1024"],
    ["-partitions=1025", "a whole number from 1 to 1024"],
  ];
  for (const [flag, expected] of wrong) {
    const [, name, value] = /^-(.*?)=(.*)$/.exec(flag) ?? [];
    assert.deepEqual(await topic("create", flag, "u"), [
      1,
      "",
      `invalid value "${value}" for flag -${name}: expected ${expected}\n`,
    ]);
  }
});

Deno.test("where partitions begin and end is told, and how far behind groups are", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await topic("create", "-partitions=2", "t");
  await using input = await lines(5);
  await topic("produce", "-partition=1", `-file=${input.path}`, "t");
  assert.deepEqual(await topic("offsets", "t"), [
    0,
    "Topic  Partition  Start  End\nt      0          0      0\nt      1          0      5\n",
    "",
  ]);
  assert.deepEqual((await topic("consume", "-g=g", "-n=2", "-partition=1", "t"))[1], "1\n2\n");
  assert.deepEqual(await topic("offsets", "-g=g", "t"), [
    0,
    "Topic  Partition  Start  End  Committed  Lag\n" +
    "t      0          0      0    -          -\nt      1          0      5    2          3\n",
    "",
  ]);
  assert.deepEqual(await topic("trim", "-partition=1", "t", "4"), [
    0,
    "Partition  Start\n1          4\n",
    "",
  ]);
  const [, json] = await topic("offsets", "-g=g", "-format=json");
  assert.deepEqual(JSON.parse(json), [
    { topic: "t", partition: 1, start: 4, end: 5, committed: 2, lag: 1 },
  ]);
  assert.deepEqual(await topic("trim", "t", "1"), [
    1,
    "",
    "Error: 't' has 2 partitions: -partition says which\n",
  ]);
  assert.deepEqual(await topic("trim", "t", "latest"), [
    0,
    "Partition  Start\n0          0\n1          5\n",
    "",
  ]);
  assert.deepEqual(await topic("trim", "t", "-1"), [
    1,
    "",
    "Expected an offset or 'latest', got '-1'\n",
  ]);
  assert.deepEqual(await topic("offsets", "-g=none"), [
    0,
    "The group has committed nothing\n",
    "",
  ]);
  assert.deepEqual(await topic("offsets"), [1, "A topic or a group must be specified\n", ""]);
});

Deno.test("with -format=json everything is JSON, failures too", async () => {
  await using stage = serveTopics(HOST);
  const topic = async (action: string, ...rest: string[]): Promise<unknown> => {
    const [code, stdout, stderr] = await topicAt(addressOf(stage))(action, "-format=json", ...rest);
    assert.equal(stderr, "");
    return [code, JSON.parse(stdout)];
  };
  assert.deepEqual(await topic("create", "t"), [0, { topic: "t", partitions: 1, created: true }]);
  assert.deepEqual(await topic("create", "t"), [0, { topic: "t", partitions: 1, created: false }]);
  assert.deepEqual(await topic("list"), [0, [{ topic: "t", partitions: 1 }]]);
  assert.deepEqual(await topic("offsets", "t"), [
    0,
    [{ topic: "t", partition: 0, start: 0, end: 0 }],
  ]);
  assert.deepEqual(await topic("trim", "t", "0"), [0, [{ topic: "t", partition: 0, start: 0 }]]);
  assert.deepEqual(await topic("delete", "t"), [0, { topic: "t", deleted: true }]);
  assert.deepEqual(await topic("delete", "t"), [1, { error: "Error: There is no such topic" }]);
  assert.deepEqual(await topic("consume", "t"), [1, { error: "Error: There is no such topic" }]);
  assert.deepEqual(await topic("create", "a/b"), [
    1,
    { error: "Error: 'a/b' is no name of a topic" },
  ]);
});

Deno.test("servers that are not there, and tokens that they do not know, are told", async () => {
  const [code, stdout, stderr] = await run("topic", "list", `-topics-addr=${HOST}:1`);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^Error connecting to the servers: dial tcp .*:1: .*connection refused\n$/);
  await using stage = serveTopics(HOST);
  await using secret = await lines(1);
  const flag = `-kv-auth-file=${secret.path}`;
  assert.deepEqual(await topicAt(addressOf(stage))("list", flag), [
    1,
    "",
    "Error connecting to the servers: The token is wrong\n",
  ]);
});

Deno.test("a person is told what to do about mistakes", async () => {
  await using stage = serveTopics(HOST);
  const address = addressOf(stage);
  await topicAt(address)("create", "t");
  const closing = Deno.listen({ hostname: HOST, port: 0 });
  const closed = (async () => {
    for await (const conn of closing) conn.close();
  })();
  const other = `${HOST}:${(closing.addr as Deno.NetAddr).port}`;
  const told = async (address: string, ...rest: string[]): Promise<string> => {
    const terminal = recordingTerminal({ interactive: true });
    const [action = "", ...args] = rest;
    assert.equal(
      await dispatch(["topic", action, `-topics-addr=${address}`, ...args], terminal),
      1,
    );
    return terminal.stderr.trimEnd().split("\n").at(-1) ?? "";
  };
  assert.match(await told(other, "list"), /^Is that the topics address of a server/);
  assert.match(await told(other, "list", "-kv-tls"), /^The server speaks no TLS/);
  assert.match(await told(HOST, "list"), /is host:port; the port is 9092/);
  assert.match(await told(address, "describe", "none"), /'skein topic list'/);
  assert.match(await told(address, "create", "a/b"), /1 to 249 letters/);
  assert.match(await told(address, "create", "-partitions=2", "t"), /'skein topic describe TOPIC'/);
  assert.match(await told(address, "trim", "t", "9"), /'skein topic offsets TOPIC'/);
  closing.close();
  await closed;
  const late = explained("Error", Promise.reject(new Error("late: No server is known to lead")));
  await assert.rejects(late, (error: CommandError) => /^A majority/.test(error.hint ?? ""));
});

Deno.test("a token lets its owner do what its entry says", async () => {
  const entries = [
    { name: "producer", publish: ["orders"] },
    { name: "maker", write: ["^"] },
  ];
  await using stage = serveTopics(HOST, { access: await accessOf(entries) });
  await using producer = await fileOf("producer-token\n");
  await using maker = await fileOf("maker-token");
  const topic = topicAt(addressOf(stage));
  await using input = await lines(2);
  const file = `-file=${input.path}`;
  assert.deepEqual(await topic("list"), [
    1,
    "",
    "Error connecting to the servers: Say who you are, with a token\n",
  ]);
  const as = (one: { path: string }) => `-kv-auth-file=${one.path}`;
  assert.deepEqual(await topic("create", as(maker), "orders"), [0, "Created\n", ""]);
  assert.deepEqual(await topic("produce", as(producer), file, "orders"), [
    0,
    "Produced 2 messages\n",
    "",
  ]);
  assert.deepEqual(await topic("consume", as(producer), "orders"), [
    1,
    "",
    "Error: The token does not allow that\n",
  ]);
  assert.deepEqual(await topic("produce", as(producer), file, "others"), [
    1,
    "",
    "Error: The token does not allow that: 0 of 2 messages are acknowledged\n",
  ]);
});

Deno.test("of several servers one that is there is enough", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(`${HOST}:1,${addressOf(stage)}`);
  assert.deepEqual(await topic("create", "t"), [0, "Created\n", ""]);
});

Deno.test("what other programs call an action is known", async () => {
  const asked = async (name: string) => (await run("topic", name))[2];
  assert.equal(await asked("purge"), "Unknown action 'purge', did you mean 'trim'?\n");
  assert.equal(await asked("sub"), "Unknown action 'sub', did you mean 'consume'?\n");
  assert.equal(await asked("prodcue"), "Unknown action 'prodcue', did you mean 'produce'?\n");
});

/** A file that goes with its user. */
async function fileOf(text: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** A file with the lines 1, 2 and so on. */
function lines(count: number): Promise<AsyncDisposable & { readonly path: string }> {
  return fileOf(Array.from({ length: count }, (_, i) => `${i + 1}\n`).join(""));
}
