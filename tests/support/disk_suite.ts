/**
 * What every `Disk` must do. The real one and the simulated one run the same tests, so that what holds in the simulator
 * holds on a machine.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Disk, FileNotFoundError } from "../../cluster/runtime.ts";

/** Runs a test with an empty disk, which is gone afterwards. */
export type RunOnDisk = (test: (disk: Disk) => Promise<void>) => Promise<void>;

/** More files than a process should hold open. */
const MANY_FILES = 200;

/** Registers the tests of the suite under `name`. */
export function diskSuite(name: string, run: RunOnDisk): void {
  const test = (sentence: string, body: (disk: Disk) => Promise<void>): void =>
    Deno.test(`${name}: ${sentence}`, () => run(body));

  test("append makes the file and its folders, and adds at the end", async (disk) => {
    await disk.append("raft/snapshots/a", bytes("one"));
    await disk.append("raft/snapshots/a", bytes("two"));
    assert.equal(await content(disk, "raft/snapshots/a"), "onetwo");
    await disk.append("empty", bytes(""));
    assert.equal(await content(disk, "empty"), "");
  });

  test("appends that are not waited for come in the order of the calls", async (disk) => {
    const calls: Promise<void>[] = [];
    for (let i = 0; i < 50; i++) {
      calls.push(disk.append("log", bytes(`${i} `)));
      if (i % 10 === 0) calls.push(disk.sync("log"));
    }
    await Promise.all(calls);
    const wanted = Array.from({ length: 50 }, (_, i) => `${i} `).join("");
    assert.equal(await content(disk, "log"), wanted);
  });

  test("read gives what stands at a position, and less only at the end", async (disk) => {
    await disk.append("file", bytes("0123456789"));
    const part = async (position: number, length: number): Promise<string> =>
      text(await disk.read("file", position, length));
    assert.deepEqual(
      await Promise.all([part(0, 10), part(3, 4), part(8, 100), part(10, 1), part(99, 1)]),
      ["0123456789", "3456", "89", "", ""],
    );
    assert.equal(await part(5, 0), "");
    await disk.append("file", bytes("ab"));
    assert.equal(await part(9, 9), "9ab", "Also of a file that was read before it grew");
  });

  test("what is read goes where the reader has room for it, and nothing else does", async (disk) => {
    await disk.append("file", bytes("0123456789"));
    const into = bytes("__________");
    const found = await disk.read("file", 2, 4, into.subarray(1));
    assert.equal(text(found), "2345");
    assert.equal(found.buffer, into.buffer);
    assert.equal(text(into), "_2345_____");
    assert.equal(text(await disk.read("file", 8, 4, into)), "89");
    assert.equal(text(into), "89345_____");
  });

  test("what is read has to have room where it is to go", async (disk) => {
    await disk.append("file", bytes("0123456789"));
    await assert.rejects(disk.read("file", 2, 4, bytes("___")), RangeError);
    assert.equal(text(await disk.read("file", 2, 4)), "2345");
  });

  test("a megabyte goes in and comes out", async (disk) => {
    const large = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * i % 251);
    await disk.append("large", large);
    await disk.append("large", bytes("end"));
    assert.deepEqual(await disk.read("large", 0, large.length), large);
    assert.equal(text(await disk.read("large", large.length, 10)), "end");
  });

  test("what is read belongs to the reader, what was appended to the writer again", async (disk) => {
    const given = bytes("abc");
    await disk.append("file", given);
    given.fill(0);
    (await disk.read("file", 0, 3)).fill(1);
    assert.equal(await content(disk, "file"), "abc");
  });

  test("truncate cuts, and the next append goes on there", async (disk) => {
    await disk.append("file", bytes("0123456789"));
    const calls = [disk.truncate("file", 4), disk.append("file", bytes("x")), disk.sync("file")];
    await Promise.all(calls);
    assert.equal(await content(disk, "file"), "0123x");
    await disk.truncate("file", 5);
    await disk.truncate("file", 0);
    assert.equal(await content(disk, "file"), "");
    await assert.rejects(disk.truncate("file", 1), RangeError);
  });

  test("write puts bytes over those that are there, and makes a file longer", async (disk) => {
    await disk.append("file", bytes("0123456789"));
    await disk.write("file", 3, bytes("abc"));
    assert.equal(await content(disk, "file"), "012abc6789");
    const calls = [
      disk.write("file", 10, bytes("x")),
      disk.append("file", bytes("y")),
      disk.write("file", 11, bytes("zzz")),
      disk.sync("file"),
      disk.append("file", bytes("end")),
    ];
    await Promise.all(calls);
    assert.equal(await content(disk, "file"), "012abc6789xzzzend");
    await assert.rejects(disk.write("file", 18, bytes("x")), RangeError);
    await disk.truncate("file", 2);
    await disk.write("file", 1, bytes("_".repeat(40_000)));
    assert.equal(await content(disk, "file"), `0${"_".repeat(40_000)}`);
    await disk.write("file", 2, bytes(""));
    assert.equal((await disk.list(""))[0]?.bytes, 40_001);
  });

  test("rename takes the place of another file", async (disk) => {
    await disk.append("d/new", bytes("new"));
    await disk.append("d/old", bytes("old"));
    assert.equal(await content(disk, "d/old"), "old");
    await disk.rename("d/new", "d/old");
    await disk.append("d/old", bytes("er"));
    assert.equal(await content(disk, "d/old"), "newer");
    await disk.append("d/new", bytes("again"));
    assert.equal(await content(disk, "d/new"), "again");
    await disk.rename("d/new", "d/other");
    assert.deepEqual(await names(disk, "d"), ["old", "other"]);
  });

  test("rename comes after what was called before for either name", async (disk) => {
    await Promise.all([
      disk.append("to", bytes("lost")),
      disk.append("from", bytes("a")),
      disk.append("from", bytes("b")),
      disk.sync("from"),
      disk.rename("from", "to"),
      disk.append("to", bytes("c")),
    ]);
    assert.equal(await content(disk, "to"), "abc");
    assert.deepEqual(await names(disk, ""), ["to"]);
  });

  test("rename stays in the folder", async (disk) => {
    await disk.append("a/file", bytes("x"));
    await disk.append("b/file", bytes("y"));
    await assert.rejects(disk.rename("a/file", "b/file"), RangeError);
    assert.equal(await content(disk, "a/file"), "x");
  });

  test("list tells names, kinds and lengths, sorted", async (disk) => {
    assert.deepEqual(await disk.list(""), []);
    for (const name of ["b", "a/2", "a/10", "c"]) await disk.append(name, bytes(name));
    assert.deepEqual(await disk.list(""), [
      { name: "a", kind: "folder", bytes: 0 },
      { name: "b", kind: "file", bytes: 1 },
      { name: "c", kind: "file", bytes: 1 },
    ]);
    assert.deepEqual(await names(disk, "a"), ["10", "2"]);
  });

  test("remove takes away files and folders that are empty", async (disk) => {
    await disk.append("a/1", bytes("x"));
    assert.equal(await content(disk, "a/1"), "x");
    await assert.rejects(disk.remove("a"));
    await disk.remove("a/1");
    await disk.remove("a");
    assert.deepEqual(await disk.list(""), []);
    await disk.append("a/1", bytes("y"));
    assert.equal(await content(disk, "a/1"), "y");
  });

  test("what is not there is named by its error", async (disk) => {
    await disk.append("there", bytes("x"));
    const calls = {
      sync: disk.sync("a/b"),
      write: disk.write("a/b", 0, bytes("x")),
      read: disk.read("a/b", 0, 1),
      truncate: disk.truncate("a/b", 0),
      rename: disk.rename("a/b", "a/c"),
      remove: disk.remove("a/b"),
      list: disk.list("a"),
    };
    const results = await Promise.allSettled(Object.values(calls));
    for (const [i, what] of Object.keys(calls).entries()) {
      const { reason } = results[i] as PromiseRejectedResult;
      assert.ok(reason instanceof FileNotFoundError, `${what}: ${reason}`);
    }
    assert.deepEqual(await names(disk, ""), ["there"], "None of them made anything");
  });

  test("files and folders can be synced, whether they are in use or not", async (disk) => {
    await disk.append("a/file", bytes("x"));
    for (const path of ["a/file", "a", ""]) await disk.sync(path);
    await disk.rename("a/file", "a/other");
    await disk.sync("a/other");
  });

  test(`${MANY_FILES} files are in use at once`, async (disk) => {
    const paths = Array.from({ length: MANY_FILES }, (_, i) => `f/${i}`);
    for (const round of ["a", "b"]) {
      await Promise.all(paths.map((path) => disk.append(path, bytes(`${path}${round}`))));
    }
    const contents = await Promise.all(paths.map((path) => content(disk, path)));
    assert.deepEqual(contents, paths.map((path) => `${path}a${path}b`));
  });

  test("one call that fails does not stop the next", async (disk) => {
    const failed = disk.truncate("file", 5);
    const next = disk.append("file", bytes("x"));
    await assert.rejects(failed, FileNotFoundError);
    await next;
    assert.equal(await content(disk, "file"), "x");
  });
}

/** UTF-8. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** UTF-8. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** What a file holds, as text. */
export async function content(disk: Disk, path: string): Promise<string> {
  return text(await disk.read(path, 0, 1_000_000));
}

/** The names in a folder. */
export async function names(disk: Disk, folder: string): Promise<string[]> {
  return (await disk.list(folder)).map(({ name }) => name);
}
