import assert from "node:assert/strict";
import { FileDisk } from "../../../server/files/disk.ts";
import { LazyDisk } from "../../../server/replica/lazy_disk.ts";
import { behind } from "../../../server/replica/storage.ts";
import { until } from "../../support/rpc/peer.ts";

/** A disk in a folder of its own that notes what was synced. */
class NotingDisk extends FileDisk implements AsyncDisposable {
  readonly synced: string[] = [];
  failure: Error | undefined;
  /** What syncs wait for. */
  held: Promise<void> = Promise.resolve();
  readonly #folder: string;

  constructor() {
    const folder = Deno.makeTempDirSync();
    super(folder);
    this.#folder = folder;
  }

  override async sync(path: string): Promise<void> {
    await this.held;
    if (this.failure !== undefined) throw this.failure;
    await super.sync(path);
    this.synced.push(path);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const never = (error: Error): void => assert.fail(error);

Deno.test("a sync is put off, and made up for by the clock or at the end", async () => {
  await using disk = new NotingDisk();
  {
    await using lazy = new LazyDisk(disk, never, 20);
    await lazy.append("log/a", new Uint8Array(3));
    await lazy.sync("log/a");
    assert.deepEqual(disk.synced, []);
    await until(() => disk.synced.length > 0);
    assert.deepEqual(disk.synced, ["log/a"]);
    await lazy.append("log/b.new", new Uint8Array(1));
    await lazy.sync("log/b.new");
    await lazy.rename("log/b.new", "log/b");
    await lazy.append("log/c", new Uint8Array(1));
    await lazy.sync("log/c");
    await lazy.remove("log/c");
  }
  assert.deepEqual(
    disk.synced,
    ["log/a", "log/b.new"],
    "before it has its name, and nothing that is gone",
  );
});

Deno.test("a file has its name once all that was to be synced before is", async () => {
  await using disk = new NotingDisk();
  const lazy = new LazyDisk(disk, never, 60_000);
  await lazy.append("1.log", new Uint8Array(3));
  await lazy.sync("1.log");
  const flushed = lazy.flush();
  await lazy.append("2.log.new", new Uint8Array(3));
  await lazy.sync("2.log.new");
  await lazy.rename("2.log.new", "2.log");
  assert.deepEqual(disk.synced.toSorted(), ["1.log", "2.log.new"]);
  await flushed;
  disk.failure = new Error("The disk is gone");
  await lazy.append("3.log.new", new Uint8Array(3));
  await lazy.sync("3.log.new");
  await assert.rejects(lazy.rename("3.log.new", "3.log"), disk.failure);
  assert.deepEqual((await lazy.list("")).map(({ name }) => name), ["1.log", "2.log", "3.log.new"]);
  disk.failure = undefined;
  await assert.rejects(lazy.flush(), /gone/, "nobody knows what is on the disk");
  await assert.rejects(lazy.close(), /gone/);
});

Deno.test("rows wait for the log that they were made of", async () => {
  await using disk = new NotingDisk();
  await using lazy = new LazyDisk(disk, never, 60_000);
  await lazy.append("log", new Uint8Array(3));
  await lazy.sync("log");
  const companion = behind(lazy, {
    sync: async () => await void disk.synced.push("companion"),
    forgettable: () => () => Promise.resolve(),
  });
  await companion.sync();
  assert.deepEqual(disk.synced, ["log", "companion"]);
  assert.notEqual(companion.forgettable(), undefined);
});

Deno.test("without a clock nothing is ever synced", async () => {
  await using disk = new NotingDisk();
  await using lazy = new LazyDisk(disk, never);
  await lazy.append("a", new Uint8Array(1));
  await lazy.sync("a");
  await lazy.close();
  assert.deepEqual(disk.synced, []);
});

Deno.test("a sync that fails is told to who owns the disk, once", async () => {
  await using disk = new NotingDisk();
  const errors: Error[] = [];
  const lazy = new LazyDisk(disk, (error) => errors.push(error), 5);
  await lazy.append("a", new Uint8Array(1));
  disk.failure = new Error("The disk is gone");
  const { promise, resolve } = Promise.withResolvers<void>();
  disk.held = promise;
  await lazy.sync("a");
  const flushed = lazy.flush();
  // Others come meanwhile by the clock, and wait for that one.
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 5);
  await until(() => ticks > 3);
  clearInterval(ticking);
  resolve();
  await assert.rejects(flushed, disk.failure);
  await until(() => errors.length > 0);
  await lazy.close();
  assert.deepEqual(errors, [disk.failure]);
});
