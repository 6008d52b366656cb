import assert from "node:assert/strict";
import { DiskFullError, DiskRefusedError, FileNotFoundError } from "../../../cluster/runtime.ts";
import { FileDisk, type FileDiskOptions } from "../../../server/files/disk.ts";
import { bytes, content, diskSuite } from "../../support/disk_suite.ts";

const linux = Deno.build.os === "linux";
const ignoresModes = Deno.build.os === "windows";

diskSuite("real disk", (test) => onDisk({}, test));

/** Runs `body` with the files of a folder that is removed afterwards. */
async function onDisk(
  options: FileDiskOptions,
  body: (disk: FileDisk, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using disk = new FileDisk(folder, options);
    await body(disk, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function modeOf(path: string): number {
  return Deno.statSync(path).mode! & 0o777;
}

Deno.test({
  name: "real disk: new files and folders are for their owner only",
  ignore: ignoresModes,
  fn: () =>
    onDisk({}, async (disk, folder) => {
      await disk.append("a/file", bytes("x"));
      assert.deepEqual([modeOf(`${folder}/a`), modeOf(`${folder}/a/file`)], [0o700, 0o600]);
    }),
});

Deno.test({
  name: "real disk: a file that replaces another takes on its mode if that is wanted",
  ignore: ignoresModes,
  fn: async () => {
    for (const keepsMode of [true, false]) {
      await onDisk({ keepsMode }, async (disk, folder) => {
        await disk.append("old", bytes("old"));
        await Deno.chmod(`${folder}/old`, 0o646);
        await disk.append("new", bytes("new"));
        await disk.rename("new", "old");
        assert.equal(modeOf(`${folder}/old`), keepsMode ? 0o646 : 0o600);
      });
    }
  },
});

Deno.test({
  name: "real disk: a full disk is named by its error, and keeps the system's",
  ignore: !linux,
  fn: async () => {
    await using disk = new FileDisk("/dev");
    await assert.rejects(disk.append("full", bytes("x")), (error) => {
      assert.ok(error instanceof DiskFullError);
      assert.equal(error.message, "No room for more of 'full'");
      assert.equal((error.cause as { code?: string }).code, "ENOSPC");
      return true;
    });
  },
});

Deno.test({
  name: "real disk: what the system does not allow is named by its error",
  ignore: !linux,
  fn: async () => {
    await using disk = new FileDisk("/sys");
    await assert.rejects(disk.append("file", bytes("x")), DiskRefusedError);
  },
});

Deno.test("real disk: an error that nobody can handle is the system's", () =>
  onDisk({}, async (disk) => {
    await disk.append("file", bytes("x"));
    await assert.rejects(disk.append("file/below", bytes("x")), Deno.errors.NotADirectory);
  }));

Deno.test("real disk: a root that is not there is not made", () =>
  onDisk({}, async (_, folder) => {
    await using disk = new FileDisk(`${folder}/none`);
    await assert.rejects(disk.append("file", bytes("x")), FileNotFoundError);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test({
  name: "real disk: of many files only some are held open, those used last",
  ignore: !linux,
  fn: () =>
    onDisk({}, async (disk, folder) => {
      const held = (): string[] =>
        Array.from(Deno.readDirSync("/proc/self/fd"), ({ name }) => {
          try {
            return Deno.readLinkSync(`/proc/self/fd/${name}`);
          } catch {
            return "";
          }
        }).filter((path) => path.startsWith(folder));
      for (let i = 0; i < 100; i++) await disk.append(`${i}`, bytes("x"));
      assert.equal(held().length, 64);
      assert.ok(held().includes(`${folder}/99`));
      await disk.remove("99");
      assert.ok(held().every((path) => !path.startsWith(`${folder}/99`)), "Also a removed one");
      await disk.close();
      assert.deepEqual(held(), []);
    }),
});

Deno.test("real disk: closing waits for what is under way", () =>
  onDisk({}, async (disk, folder) => {
    const large = new Uint8Array(1_000_000).fill(7);
    void disk.append("file", large);
    void disk.sync("file");
    void disk.rename("file", "other");
    await disk.close();
    assert.equal(Deno.statSync(`${folder}/other`).size, large.length);
  }));

Deno.test("real disk: the event loop turns while much is written and synced", () =>
  onDisk({}, async (disk) => {
    const chunk = new Uint8Array(1024 * 1024);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    try {
      for (let i = 0; i < 32; i++) void disk.append("file", chunk);
      await disk.sync("file");
    } finally {
      clearInterval(timer);
    }
    assert.ok(turns > 5, `${turns} turns`);
    assert.equal((await disk.read("file", 32 * chunk.length - 1, 2)).length, 1);
  }));

Deno.test({
  name: "real disk: nothing else waits for an append that the system does not take",
  ignore: !linux,
  fn: () =>
    onDisk({}, async (disk, folder) => {
      const path = `${folder}/pipe`;
      assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
      using reader = await Deno.open(path, { read: true, write: true });
      // More than a pipe holds, which nobody reads.
      const length = 200_000;
      let isDone = false;
      const append = disk.append("pipe", new Uint8Array(length)).then(() => isDone = true);
      await new Promise((resolve) => setTimeout(resolve, 0));
      assert.ok(!isDone);
      for (let read = 0; read < length;) read += await reader.read(new Uint8Array(length)) ?? 0;
      await append;
    }),
});

Deno.test("real disk: a file is the same by whatever handle", () =>
  onDisk({}, async (disk, folder) => {
    await disk.append("file", bytes("abc"));
    assert.equal(await content(disk, "file"), "abc");
    assert.equal(await Deno.readTextFile(`${folder}/file`), "abc");
  }));
