import assert from "node:assert/strict";
import { FileDisk } from "../../../server/files/disk.ts";
import { LazyDisk } from "../../../server/replica/lazy_disk.ts";
import { until } from "../../support/rpc/peer.ts";

/** A disk in a folder of its own that notes what was synced. */
class NotingDisk extends FileDisk implements AsyncDisposable {
  readonly synced: string[] = [];
  failure: Error | undefined;
  readonly #folder: string;

  constructor() {
    const folder = Deno.makeTempDirSync();
    super(folder);
    this.#folder = folder;
  }

  override async sync(path: string): Promise<void> {
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
  assert.deepEqual(disk.synced, ["log/a", "log/b"], "by its new name, and nothing that is gone");
});

Deno.test("without a clock nothing is ever synced", async () => {
  await using disk = new NotingDisk();
  await using lazy = new LazyDisk(disk, never);
  await lazy.append("a", new Uint8Array(1));
  await lazy.sync("a");
  await lazy.close();
  assert.deepEqual(disk.synced, []);
});

Deno.test("a sync that fails is told to who owns the disk", async () => {
  await using disk = new NotingDisk();
  const errors: Error[] = [];
  const lazy = new LazyDisk(disk, (error) => errors.push(error), 5);
  await lazy.append("a", new Uint8Array(1));
  disk.failure = new Error("The disk is gone");
  await lazy.sync("a");
  await until(() => errors.length > 0);
  assert.equal(errors[0], disk.failure);
  await lazy.close();
});
