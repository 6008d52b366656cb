/**
 * `skein topic produce` and `consume` in this process, with a port of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient } from "../../../client/mod.ts";
import { dispatch } from "../../../commands/dispatch.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { CODE } from "../../../protocol/topics/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";
import { addressOf, topicAt } from "../../support/topics/command.ts";
import { serveTopics as serveScript } from "../../support/topics/scripted_server.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();

/** A file that goes with its user. */
async function file(
  content: string | Uint8Array,
): Promise<AsyncDisposable & { readonly flag: string }> {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, typeof content === "string" ? encodeUtf8(content) : content);
  return { flag: `-file=${path}`, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

Deno.test("lines become messages, which are printed as they were", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await using input = await file("hello\n\n  two words \nlast");
  assert.deepEqual(await topic("produce", input.flag, "t"), [0, "Produced 4 messages\n", ""]);
  assert.deepEqual(await topic("consume", "t"), [0, "hello\n\n  two words \nlast\n", ""]);
  await using one = await file("x\n");
  assert.deepEqual(await topic("produce", "-idempotent", "-format=json", one.flag, "t"), [
    0,
    '{\n  "topic": "t",\n  "acknowledged": 1\n}\n',
    "",
  ]);
  assert.deepEqual(await topic("consume", "-o=3", "t"), [0, "last\nx\n", ""]);
  assert.deepEqual(await topic("consume", "-o=latest", "t"), [0, "", ""]);
  assert.deepEqual(await topic("consume", "-n=1", "t"), [0, "hello\n", ""]);
  await using none = await file("");
  assert.deepEqual(await topic("produce", none.flag, "t"), [0, "Produced 0 messages\n", ""]);
});

Deno.test("lines that come again are taken once when they have ids", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await using input = await file("one\ntwo\none\n");
  assert.deepEqual(await topic("produce", "-id-from=line", input.flag, "t"), [
    0,
    "Produced 3 messages, of which 1 had been there before\n",
    "",
  ]);
  const [, json] = await topic("produce", "-id-from=line", "-format=json", input.flag, "t");
  assert.deepEqual(JSON.parse(json), { topic: "t", acknowledged: 3, duplicates: 3 });
  assert.equal((await topic("consume", "t"))[1], "one\ntwo\n");
  await using pairs = await file("7:a\n8:b\n7:c\n");
  await topic("produce", "-id-from=key", "-key-separator=:", pairs.flag, "t");
  assert.equal((await topic("consume", "t"))[1], "one\ntwo\na\nb\n");
  const [code, , stderr] = await topic("produce", "-id-from=key", input.flag, "t");
  assert.deepEqual([code, stderr], [
    1,
    "Error: Id of a message takes 0 bytes, expected 1 to 64: 0 of 3 messages are acknowledged\n",
  ]);
  assert.match((await topic("produce", "-id-from=value", "t"))[2], /expected key or line/);
});

Deno.test("messages have keys, headers and partitions, and JSON shows all of it", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await topic("create", "-partitions=4", "t");
  await using pairs = await file("a: 1\nb: 2\na: 3\n: 4\n");
  await topic("produce", "-key-separator=: ", "-header=h=x=y", "-header=h=", pairs.flag, "t");
  const [, stdout] = await topic("consume", "-format=json", "t");
  const messages = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const [a, b] = [3904355907 % 4, 1908338681 % 4];
  assert.deepEqual(
    messages.filter(({ key }) => key !== "").map(({ timestamp_ms: _, ...rest }) => rest)
      .toSorted((one, other) => one.value.localeCompare(other.value)),
    [[a, 0, "a", "1"], [b, 0, "b", "2"], [a, 1, "a", "3"]].map((
      [partition, offset, key, value],
    ) => ({
      topic: "t",
      partition,
      offset,
      key,
      value,
      headers: [{ name: "h", value: "x=y" }, { name: "h", value: "" }],
    })),
  );
  assert.ok(messages.every(({ timestamp_ms: ms }) => Number.isFinite(ms)));
  assert.deepEqual(
    (await topic("consume", `-partition=${a}`, "-key-separator==", "t"))[1],
    "a=1\na=3\n",
  );
  await using binary = await file(Uint8Array.of(0xff, 0xfe, 0x0a));
  await topic("produce", "-k=\u00e9", "-partition=2", binary.flag, "u2");
  await topic("produce", "-k=k", binary.flag, "u");
  const { value_base64: value, key, headers } = JSON.parse(
    (await topic("consume", "-format=json", "u"))[1],
  );
  assert.deepEqual([value, key, headers], ["//4=", "k", []]);
});

Deno.test("flags that exclude each other, and lines without what they need, are told", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await using input = await file("a:1\nb:2\nc\nd:4\n");
  const produce = (...flags: string[]) => topic("produce", ...flags, input.flag, "t");
  assert.deepEqual(await produce("-k=k", "-key-separator=:"), [
    1,
    "",
    "-k and -key-separator exclude each other\n",
  ]);
  assert.deepEqual(await produce("-key-separator="), [1, "", "-key-separator is empty\n"]);
  assert.deepEqual(await produce("-header=x"), [1, "", "Error: Invalid header: 'x'\n"]);
  assert.deepEqual(await produce("-key-separator=:"), [
    1,
    "",
    "Error: Line 3 has no ':' after its key: 2 of 2 messages are acknowledged\n",
  ]);
  assert.equal((await topic("consume", "t"))[1], "1\n2\n");
  assert.deepEqual(await topic("produce", "-file=/nowhere/x", "t"), [
    1,
    "",
    "Error reading -file '/nowhere/x': no such file or directory\n",
  ]);
  assert.deepEqual(await produce("-partition=7"), [
    1,
    "",
    "Error: The topic has no such partition: 0 of 4 messages are acknowledged\n",
  ]);
  const long = `short\n${"x".repeat(4 * 1024 * 1024 + 1)}\nafter\n`;
  await using lines = await file(long);
  assert.deepEqual(await topic("produce", lines.flag, "u"), [
    1,
    "",
    "Error: Line 2 takes more than 4194304 bytes: 1 of 1 messages are acknowledged\n",
  ]);
  // As a line it is not too long, but as a message with all that belongs to it.
  await using larger = await file(`short\n${"x".repeat(4 * 1024 * 1024)}\nafter\n`);
  assert.deepEqual(await topic("produce", larger.flag, "u"), [
    1,
    "",
    "Error: Message takes 4194332 of 4194304 bytes: 2 of 3 messages are acknowledged; line 2 is the " +
    "first that is not\n",
  ]);
});

Deno.test("when it breaks off, it is told how many messages are acknowledged, and how many may be there", async () => {
  await using server = serveScript(HOST);
  let produced = 0;
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    produced++;
    if (produced === 2) connection.refuse(request, CODE.STORAGE_FULL, "The disk is full");
    else if (produced === 3) connection.refuse(request, CODE.REQUEST_TIMEOUT, "It is not known");
    else return false;
    return true;
  };
  await using input = await file(Array.from({ length: 500_000 }, (_, i) => `${i}\n`).join(""));
  const [code, stdout, stderr] = await topicAt(server.address)(
    "produce",
    "-format=json",
    input.flag,
    "t",
  );
  assert.equal(code, 1);
  assert.equal(stderr, "");
  const { error, topic, sent, acknowledged, unknown } = JSON.parse(stdout);
  assert.deepEqual([topic, unknown], ["t", 1_000]);
  assert.ok(acknowledged === sent - 2_000, stdout);
  assert.ok(sent < 500_000, "it reads no further");
  assert.equal(
    error,
    `Error: The disk is full: ${acknowledged} of ${sent} messages are acknowledged, of 1000 it is not ` +
      `known whether they are there; line 1001 is the first that is not`,
  );
});

Deno.test("who follows waits for servers that agree on a leader, from the beginning on, and says so", async () => {
  await using server = serveScript(HOST);
  await topicAt(server.address)("create", "t");
  await using input = await file("x\n");
  await topicAt(server.address)("produce", input.flag, "t");
  const isTold = Promise.withResolvers<void>();
  server.script = (request, connection) => {
    connection.refuse(request, CODE.NOT_LEADER);
    return true;
  };
  const terminal = recordingTerminal();
  const err = terminal.err;
  terminal.err = (text) => (isTold.resolve(), err(text));
  const consuming = dispatch(
    ["topic", "consume", "-follow", "-n=1", `-topics-addr=${server.address}`, "t"],
    terminal,
  );
  await Promise.race([isTold.promise, consuming]);
  server.script = () => false;
  assert.equal(await consuming, 0);
  assert.equal(terminal.stdout, "x\n");
  assert.match(
    terminal.stderr,
    /^Waiting for the servers: "describeTopic" was not .*: No server is known to lead\nGoes on\n$/,
  );
});

Deno.test("an offset that is not there, and a partition that is not, are told", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await using input = await file("1\n2\n3\n");
  await topic("produce", input.flag, "t");
  assert.deepEqual(await topic("consume", "-o=4", "t"), [
    1,
    "",
    "Error: Offset 4 is not within 0 to 3, as partition 0 has\n",
  ]);
  assert.deepEqual(await topic("consume", "-partition=1", "t"), [
    1,
    "",
    "Error: 't' has the partitions 0 to 0, not 1\n",
  ]);
  assert.deepEqual(await topic("consume", "-o=-1", "t"), [
    1,
    "",
    'invalid value "-1" for flag -o: expected an offset, earliest or latest\n',
  ]);
});

Deno.test("a group goes on where it is sent", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await topic("create", "-partitions=2", "t");
  await using input = await file("1\n2\n3\n");
  await topic("produce", "-partition=1", input.flag, "t");
  assert.deepEqual(await topic("consume", "-g=g", "t"), [0, "1\n2\n3\n", ""]);
  assert.deepEqual(await topic("seek", "-g=g", "-partition=1", "t", "1"), [
    0,
    "Partition  Committed\n1          1\n",
    "",
  ]);
  assert.deepEqual(await topic("consume", "-g=g", "t"), [0, "2\n3\n", ""]);
  assert.deepEqual(await topic("seek", "-g=g", "t", "earliest"), [
    0,
    "Partition  Committed\n0          0\n1          0\n",
    "",
  ]);
  assert.deepEqual(await topic("consume", "-g=g", "-n=1", "t"), [0, "1\n", ""]);
  const [, json] = await topic("seek", "-g=g", "-format=json", "t", "latest");
  assert.deepEqual(JSON.parse(json), [
    { topic: "t", partition: 0, committed: 0 },
    { topic: "t", partition: 1, committed: 3 },
  ]);
  assert.deepEqual(await topic("consume", "-g=g", "t"), [0, "", ""]);
  // A group that has never been there begins where it is sent.
  await topic("seek", "-g=new", "-partition=1", "t", "2");
  assert.deepEqual(await topic("consume", "-g=new", "t"), [0, "3\n", ""]);
  assert.deepEqual(await topic("seek", "t", "1"), [1, "A group must be specified: -g\n", ""]);
  const wrong: [args: string[], error: string][] = [
    [["-g=g", "t", "1"], "Error: 't' has 2 partitions: -partition says which\n"],
    [
      ["-g=g", "-partition=1", "t", "4"],
      "Error: Offset 4 is not within 0 to 3, as partition 1 has\n",
    ],
    [["-g=g", "-partition=2", "t", "0"], "Error: 't' has the partitions 0 to 1, not 2\n"],
    [["-g=g", "t", "soon"], "Expected an offset, 'earliest' or 'latest', got 'soon'\n"],
    [["-g=g", "none", "latest"], "Error: There is no such topic\n"],
  ];
  for (const [args, error] of wrong) assert.deepEqual(await topic("seek", ...args), [1, "", error]);
});

Deno.test("messages are read from a time on, and it is told which one is the first of a time", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await topic("create", "-partitions=2", "t");
  await using client = await TopicClient.connect({ address: addressOf(stage) });
  await using producer = client.producer();
  const noon = Date.parse("2020-05-01T12:00:00Z");
  for (const minute of [-5, 10, 0, 20, -20]) {
    const timestamp = noon + minute * 60_000;
    await producer.send("t", { value: `${minute}`, timestamp, partition: 0 });
  }
  await producer.send("t", { value: "now", partition: 1 });
  const table = (first: string, second: string): string =>
    "Topic  Partition  Start  End  At\n" +
    `t      0          0      5    ${first}\nt      1          0      1    ${second}\n`;
  const offsets = (time: string) => topic("offsets", `-at=${time}`, "t");
  assert.deepEqual(await offsets("2020-05-01T12:00Z"), [0, table("1", "0"), ""]);
  assert.deepEqual(await offsets("2020-05-01T14:10:00.001+02:00"), [0, table("3", "0"), ""]);
  assert.deepEqual(await offsets("1h"), [0, table("-", "0"), ""]);
  assert.deepEqual(await offsets("2200-01-01T00:00:00Z"), [0, table("-", "-"), ""]);
  const [, json] = await topic("offsets", "-at=1h", "-format=json", "t");
  assert.deepEqual(JSON.parse(json).map(({ at }: { at: unknown }) => at), [null, 0]);

  const consume = async (...flags: string[]) => (await topic("consume", ...flags, "t"))[1];
  assert.equal(await consume("-partition=0", "-from=2020-05-01T12:20:00Z"), "20\n-20\n");
  assert.equal(await consume("-from=10m"), "now\n");
  assert.equal(await consume("-from=2200-01-01T00:00:00Z"), "");
  assert.deepEqual(await topic("consume", "-o=1", "-from=1h", "t"), [
    1,
    "",
    "-o and -from exclude each other\n",
  ]);
  for (const wrong of ["noon", "2020-05-01", "2020-13-01T00:00:00Z", "-5m", "999999h", ""]) {
    assert.deepEqual(await topic("consume", `-from=${wrong}`, "t"), [
      1,
      "",
      `invalid value "${wrong}" for flag -from: expected a time such as 2026-11-27T10:00:00Z, or how ` +
      "long ago, such as 10m\n",
    ]);
  }
});

Deno.test("a group goes on where it ended, and is told of messages that are gone", async () => {
  await using stage = serveTopics(HOST);
  const topic = topicAt(addressOf(stage));
  await using input = await file("1\n2\n3\n4\n5\n");
  await topic("produce", input.flag, "t");
  assert.deepEqual(await topic("consume", "-g=g", "-n=2", "t"), [0, "1\n2\n", ""]);
  assert.deepEqual(await topic("consume", "-g=other", "-n=1", "t"), [0, "1\n", ""]);
  assert.deepEqual(await topic("consume", "-g=g", "-n=1", "t"), [0, "3\n", ""]);
  await topic("trim", "t", "4");
  assert.deepEqual(await topic("consume", "-g=g", "t"), [
    0,
    "5\n",
    "Messages 3 to 3 of partition 0 are gone\n",
  ]);
  assert.deepEqual(await topic("consume", "-g=g", "t"), [0, "", ""]);
  assert.deepEqual(await topic("consume", "-g=g", "-o=earliest", "t"), [0, "", ""]);
  await topic("produce", input.flag, "t");
  await topic("trim", "t", "latest");
  // What it waits for never comes.
  assert.deepEqual(await topic("consume", "-g=g", "t"), [0, "", ""]);
});
