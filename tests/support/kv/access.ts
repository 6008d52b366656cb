/**
 * Entries of a tokens file, for tests.
 *
 * @module
 */

import { Access } from "../../../server/kv/access/access.ts";
import { type FileEntry, readEntries } from "../../../server/kv/access/entries.ts";
import { hashToken } from "../../../server/kv/access/secrets.ts";

/** What may be said of an entry, with the token in place of its hash. */
export type GivenEntry = Omit<FileEntry, "hash"> & {
  readonly token?: string;
  readonly hash?: string;
};

/** The text of a tokens file; the token of an entry is `NAME-token` unless it says another one. */
export async function tokensText(given: readonly GivenEntry[]): Promise<string> {
  return JSON.stringify(
    await Promise.all(given.map(async ({ token, ...entry }) => ({
      hash: await hashToken(token ?? `${entry.name}-token`),
      ...entry,
    }))),
  );
}

/** Who may do what, by these entries. */
export async function accessOf(
  given: readonly GivenEntry[],
  now?: () => number,
): Promise<Access> {
  return new Access(readEntries(await tokensText(given)), now);
}
