/**
 * Files that are kept aside, in a folder of the data directory where nobody looks.
 *
 * @module
 */

import { FileDisk } from "../../files/disk.ts";

/** How the folder begins that a rebuild makes. */
export const ASIDE = "damaged";

/** A folder for what is kept aside. */
export interface Aside {
  /** Its path. */
  readonly path: string;
  /** Copies a file of the directory there, if there is one; resolves when the copy lasts. */
  copy(name: string): Promise<boolean>;
  /** Moves a file or folder of the directory there, if there is one; resolves when that lasts. */
  move(name: string): Promise<boolean>;
}

/** Makes a folder `KIND-TIME` in the directory at `path`. */
export async function makeAside(path: string, kind: string, now: Date): Promise<Aside> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, "");
  let folder = `${kind}-${time}`;
  for (let n = 2;; n++) {
    try {
      await Deno.mkdir(`${path}/${folder}`, { mode: 0o700 });
      break;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      folder = `${kind}-${time}-${n}`;
    }
  }
  const sync = async (...names: string[]): Promise<void> => {
    await using disk = new FileDisk(path);
    for (const name of names) await disk.sync(name);
  };
  await sync("");
  return {
    path: `${path}/${folder}`,
    copy: (name) =>
      ifThere(async () => {
        await Deno.copyFile(`${path}/${name}`, `${path}/${folder}/${name}`);
        await sync(`${folder}/${name}`, folder);
      }),
    move: (name) =>
      ifThere(async () => {
        await Deno.rename(`${path}/${name}`, `${path}/${folder}/${name}`);
        await sync(folder, "");
      }),
  };
}

async function ifThere(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
