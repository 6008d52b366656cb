import assert from "node:assert/strict";
import type { Logger } from "../../../cluster/runtime.ts";
import { concatBytes } from "../../../protocol/bytes.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { MAX_READ_BYTES } from "../../../server/rejoin_file/reading.ts";
import { RejoinFile } from "../../../server/rejoin_file/rejoin_file.ts";
import { eventually } from "../../support/agents.ts";
import { Faults, joined, Place, user } from "../../support/rejoin_file/place.ts";

Deno.test("names that are no UTF-8 outlive a restart, added and written anew", async () => {
  const line = encodeUtf8("alive: caf\udce9 10.0.0.1:7946\n");
  // The line that says nothing makes it write the file anew.
  await using place = new Place(concatBytes([line, encodeUtf8("nonsense\n")]));
  const file = await place.open();
  assert.deepEqual([...file.restored.members.keys()], ["caf\udce9"]);
  await eventually("the file is written anew", () => !place.read().includes("nonsense"));
  assert.deepEqual(Deno.readFileSync(place.path).subarray(0, line.length), line);
  file.event(joined("caf\udce8"), 1n);
  await file.close();
  assert.deepEqual([...(await place.open()).restored.members.keys()], ["caf\udce9", "caf\udce8"]);
});

Deno.test("a new rejoin file is an empty file of mode 0644 that everyone may read", async () => {
  await using place = new Place();
  const { restored } = await place.open();
  assert.deepEqual(restored, {
    members: new Map(),
    failed: new Map(),
    memberTime: 0n,
    eventTime: 0n,
    queryTime: 0n,
  });
  assert.equal(place.read(), "");
  if (Deno.build.os !== "windows") {
    assert.equal(Deno.statSync(place.path).mode! & 0o777, 0o644 & ~Deno.umask());
  }
  assert.deepEqual(place.logs, []);
});

Deno.test("lines are on the disk soon, also when nothing more happens", async () => {
  await using place = new Place();
  const file = await place.open();
  file.event(joined("a"), 0n);
  file.event(user(7n), 1n);
  await eventually("the file", () => place.read() === "alive: a 10.0.0.1:7946\nevent-clock: 7\n");
  file.tick(3n);
  await eventually("the file", () => place.read().endsWith("clock: 3\n"));
});

Deno.test("what was written is there after a kill, and goes on where it ended", async () => {
  await using place = new Place("alive: a 10.0.0.1:7946\nevent-clock: 4\n");
  const first = await place.open();
  assert.deepEqual([...first.restored.members], [["a", "10.0.0.1:7946"]]);
  first.event(user(5n), 2n);
  await eventually("the file", () => place.read().includes("event-clock: 5"));
  // No close: the process was killed.
  const second = await place.open();
  assert.equal(second.restored.eventTime, 5n);
});

Deno.test("a torn tail is cut off with one warning, and no record is made of it", async () => {
  await using place = new Place("event-clock: 98\nevent-clock: 9");
  const file = await place.open();
  assert.equal(file.restored.eventTime, 98n);
  assert.deepEqual(place.logs, ["[WARN] Ignored 1 damaged line of snapshot PATH"]);
  file.event(user(99n), 1n);
  await file.close();
  assert.equal(place.read(), "event-clock: 98\nevent-clock: 99\n");
});

Deno.test("damaged lines cost one warning with their number, once", async () => {
  await using place = new Place(
    "alive: a 10.0.0.1:7946\nx\n\0\0\0\nclock: x\nclock: 4\nclock: 5\0",
  );
  const file = await place.open();
  assert.deepEqual(place.logs, ["[WARN] Ignored 4 damaged lines of snapshot PATH"]);
  assert.equal(file.restored.memberTime, 4n);
  await file.close();
  const mended = "alive: a 10.0.0.1:7946\nclock: 4\nevent-clock: 0\nquery-clock: 0\n";
  assert.equal(place.read(), mended);
  await place.open();
  assert.equal(place.logs.length, 1);
});

Deno.test("of a file that is no rejoin file at all a copy is kept before it is written anew", async () => {
  const script = "#!/bin/sh\necho hello\n";
  await using place = new Place(script);
  const file = await place.open();
  file.tick(1n);
  await file.close();
  assert.equal(place.read(), "clock: 1\nevent-clock: 0\nquery-clock: 0\n");
  assert.equal(Deno.readTextFileSync(`${place.path}.damaged`), script);
  assert.deepEqual(place.logs, [
    "[WARN] Ignored 1 damaged line of snapshot PATH",
    "[WARN] Snapshot PATH says nothing, kept a copy as PATH.damaged",
  ]);
  await place.open();
  assert.equal(place.logs.length, 2);
});

Deno.test("a leave is on the disk when it is done", async () => {
  await using place = new Place();
  const file = await place.open();
  file.event(joined("a"), 0n);
  await file.leave();
  assert.equal(place.read(), "alive: a 10.0.0.1:7946\nleave\n");
  file.event(joined("b"), 1n);
  file.tick(2n);
  await file.close();
  assert.equal(place.read(), "alive: a 10.0.0.1:7946\nleave\nclock: 2\n");
  const { restored } = await place.open();
  assert.deepEqual([restored.members.size, restored.memberTime], [0, 2n]);
});

Deno.test("a leave is passed over when the node is to join again, and that is told", async () => {
  await using place = new Place("alive: a 10.0.0.1:7946\nevent-clock: 3\nleave\n");
  const back = await place.open({ rejoinAfterLeave: true });
  assert.deepEqual([...back.restored.members.keys()], ["a"]);
  assert.deepEqual(place.logs, ["[INFO] Ignoring previous leave in snapshot"]);
  await back.close();
  const { restored } = await place.open();
  assert.deepEqual([...restored.members.keys()], ["a"], "It has not left since");
  assert.equal(restored.eventTime, 3n);
});

Deno.test("a long file is written anew and says the same", async () => {
  await using place = new Place();
  const disk = new Faults();
  const file = await place.open({ onDisk: disk.on });
  file.event(joined("a"), 0n);
  for (let i = 0; disk.renames === 0; i++) {
    for (let j = 0; j < 3_000; j++) file.tick(BigInt(3_000 * i + j));
    const size = place.read().length;
    await eventually("the file", () => place.read().length !== size);
  }
  file.event(joined("b"), 0n);
  await file.close();
  assert.ok(place.read().length < 128 * 1024);
  const { restored } = await place.open();
  assert.deepEqual([...restored.members.keys()].sort(), ["a", "b"]);
  assert.deepEqual([...Deno.readDirSync(place.directory)].map(({ name }) => name), ["snapshot"]);
  assert.deepEqual(place.logs, []);
});

Deno.test("a full disk is reported once, loses nothing, and is forgotten when there is room", async () => {
  await using place = new Place();
  const disk = new Faults();
  const file = await place.open({ onDisk: disk.on });
  file.event(joined("a"), 0n);
  await eventually("the file", () => place.read() !== "");
  Object.assign(disk, { full: true, room: 5 });
  file.event(joined("b"), 0n);
  await eventually("a log line", () => place.logs.length > 0);
  file.event(joined("c"), 0n);
  await file.leave();
  assert.deepEqual(place.logs, [
    "[ERR] Failed to write snapshot PATH: no space left on device",
    "[ERR] Snapshot PATH does not tell that this node left, it will join again",
  ]);
  assert.equal(place.read(), "alive: a 10.0.0.1:7946\nalive", "Half a line went in");
  disk.full = false;
  file.tick(9n);
  await file.close();
  assert.equal(place.logs.at(-1), "[INFO] Snapshot PATH is complete again");
  assert.equal(place.read(), "clock: 9\nevent-clock: 0\nquery-clock: 0\n");
});

Deno.test("after a full disk the file is written again by itself", async () => {
  await using place = new Place();
  const disk = new Faults();
  const file = await place.open({ onDisk: disk.on });
  disk.full = true;
  file.event(joined("a"), 4n);
  await eventually("a log line", () => place.logs.length > 0);
  const failedAt = performance.now();
  disk.full = false;
  await eventually("the file", () => place.read() !== "", 10_000);
  assert.equal(disk.tries, 1);
  assert.ok(performance.now() - failedAt > 1_000, "A full disk is not tried all the time");
  assert.equal(
    place.read(),
    "alive: a 10.0.0.1:7946\nclock: 4\nevent-clock: 0\nquery-clock: 0\n",
  );
});

Deno.test("a file that cannot be shortened goes on as it is", async () => {
  await using place = new Place(`alive: a 10.0.0.1:7946\n${"# c\n".repeat(40_000)}`);
  const disk = new Faults();
  const file = await place.open({
    onDisk: (real) => ({
      ...disk.on(real),
      rename: (_, to) => Promise.reject(new Error(`'${to}' is locked`)),
    }),
  });
  file.event(user(1n), 0n);
  await eventually("a log line", () => place.logs.length > 0);
  file.event(user(2n), 0n);
  await file.close();
  assert.deepEqual(place.logs, ["[ERR] Failed to shorten snapshot PATH: 'snapshot' is locked"]);
  assert.ok(place.read().endsWith("event-clock: 1\nevent-clock: 2\n"));
  assert.deepEqual([...Deno.readDirSync(place.directory)].map(({ name }) => name), ["snapshot"]);
});

Deno.test("a file whose folder takes no other file is shortened in place", async () => {
  await using place = new Place(`alive: a 10.0.0.1:7946\n${"# c\n".repeat(40_000)}`);
  const disk = new Faults();
  disk.refusing = true;
  const file = await place.open({ onDisk: disk.on });
  file.event(user(1n), 0n);
  await eventually("the file", () => place.read().length < 1_000);
  file.event(user(2n), 0n);
  await file.close();
  assert.equal(
    place.read(),
    "alive: a 10.0.0.1:7946\nclock: 0\nevent-clock: 1\nquery-clock: 0\nevent-clock: 2\n",
  );
  assert.deepEqual(place.logs, []);
});

Deno.test("a file that was shortened in place only in part is written anew", async () => {
  await using place = new Place(`alive: a 10.0.0.1:7946\n${"# c\n".repeat(40_000)}`);
  const disk = new Faults();
  disk.refusing = true;
  const file = await place.open({
    onDisk: (real) => ({
      ...disk.on(real),
      truncate: async (path, length) => {
        await real.truncate(path, length);
        Object.assign(disk, { full: true, room: 5 });
      },
    }),
  });
  file.event(user(1n), 0n);
  await eventually("a log line", () => place.logs.length > 0);
  assert.equal(place.read(), "alive");
  assert.deepEqual(place.logs, ["[ERR] Failed to shorten snapshot PATH: no space left on device"]);
  Object.assign(disk, { full: false, refusing: false });
  await file.close();
  assert.equal(
    place.read(),
    "alive: a 10.0.0.1:7946\nclock: 0\nevent-clock: 1\nquery-clock: 0\n",
  );
});

Deno.test("a link to the file stays a link, and the file keeps its mode", async () => {
  await using place = new Place();
  const target = `${place.directory}/target`;
  Deno.writeTextFileSync(target, "damaged\nclock: 1\n");
  if (Deno.build.os !== "windows") Deno.chmodSync(target, 0o640);
  Deno.symlinkSync(target, place.path);
  const file = await place.open();
  await file.close();
  assert.ok(Deno.lstatSync(place.path).isSymlink);
  const mended = "clock: 1\nevent-clock: 0\nquery-clock: 0\n";
  assert.equal(Deno.readTextFileSync(target), mended);
  if (Deno.build.os !== "windows") assert.equal(Deno.statSync(target).mode! & 0o777, 0o640);
});

Deno.test("more lines than may wait are kept by writing the file anew", async () => {
  await using place = new Place();
  const disk = new Faults();
  const file = await place.open({ onDisk: disk.on });
  const burst = 100_000n;
  for (let i = 1n; i <= burst; i++) file.event(user(i), 0n);
  await file.close();
  assert.equal(place.read(), `clock: 0\nevent-clock: ${burst}\nquery-clock: 0\n`);
  assert.equal(disk.bytes, place.read().length);
});

Deno.test("of a file that is too long the end is read, from a whole line on", async () => {
  await using place = new Place();
  {
    using long = Deno.openSync(place.path, { write: true, create: true });
    long.writeSync(new TextEncoder().encode("alive: a 10.0.0.1:7946\n"));
    // A hole reads as NUL bytes.
    long.truncateSync(MAX_READ_BYTES + 1_000);
    long.seekSync(0, Deno.SeekMode.End);
    long.writeSync(new TextEncoder().encode("\nalive: b 10.0.0.1:7946\nclock: 8\nclo"));
  }
  const file = await place.open();
  assert.deepEqual([...file.restored.members.keys()], ["b"]);
  assert.equal(file.restored.memberTime, 8n);
  assert.equal(place.logs.length, 2);
  assert.match(
    place.logs[0]!,
    /^\[WARN\] Snapshot PATH is too long, passed over its first 1\d{3} b/,
  );
  await file.close();
  assert.equal(place.read(), "alive: b 10.0.0.1:7946\nclock: 8\nevent-clock: 0\nquery-clock: 0\n");
});

Deno.test("a place where no rejoin file can be is refused with Go's text", async () => {
  await using place = new Place();
  const open = (path: string) => RejoinFile.open(path, { rejoinAfterLeave: false, log: noLog });
  const noLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };
  const label = "Failed to setup snapshot: failed to open snapshot: open";
  const nowhere = `${place.directory}/none/snapshot`;
  await assert.rejects(open(nowhere), {
    name: "RejoinFileError",
    message: `${label} ${nowhere}: no such file or directory`,
  });
  await assert.rejects(open(place.directory), {
    message: `${label} ${place.directory}: is a directory`,
  });
  if (Deno.build.os === "linux") {
    await assert.rejects(open("/dev/full"), {
      message: `${label} /dev/full: is no regular file`,
    });
  }
});
