/**
 * Stores on the disk for tests: in a folder of their own that is removed, and reopened after what would be a crash.
 *
 * @module
 */

import type { StoreLimits } from "../../../server/replica/store/limits.ts";
import { type Companion, SqliteStore } from "../../../server/replica/store/sqlite_store.ts";

/** Limits with which nothing is written unless a test asks for it. */
export const BY_HAND: Partial<StoreLimits> = { flushMs: 2 ** 30 };

/** Runs a test in a folder that is removed afterwards. */
export async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Opens a store whose failures nobody expects. */
export function openStore(
  folder: string,
  limits: Partial<StoreLimits> = BY_HAND,
  companion?: Companion,
): Promise<SqliteStore> {
  const failed = (error: unknown) => {
    throw error;
  };
  return SqliteStore.open(folder, { failed, limits, ...companion && { companion } });
}

/** Runs a test on an empty store. */
export function withStore(
  test: (store: SqliteStore, folder: string) => void | Promise<void>,
  limits?: Partial<StoreLimits>,
): Promise<void> {
  return inFolder(async (folder) => {
    await using store = await openStore(folder, limits);
    await test(store, folder);
  });
}

/** Copies what a crash of the process would leave at this very moment. */
export function crashCopy(folder: string, to: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith("-shm")) Deno.copyFileSync(`${folder}/${name}`, `${to}/${name}`);
  }
}
