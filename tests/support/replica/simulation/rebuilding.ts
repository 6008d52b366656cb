/**
 * Rebuilding simulated servers: the same steps as those of the command, on disks that crash.
 *
 * @module
 */

import { type Disk, FileNotFoundError } from "../../../../cluster/runtime.ts";
import { NODE_FILE, readNodeFile } from "../../../../server/replica/directory/node_file.ts";
import type { Aside } from "../../../../server/replica/rebuilding/aside.ts";
import { makeAnew } from "../../../../server/replica/rebuilding/rebuild.ts";

/** The cluster of all simulated servers. */
export const CLUSTER = "c".repeat(32);

/** The id of the server of a number, after so many rebuilds. */
export function nodeIdOf(number: number, generation: number): string {
  return number.toString(16).padStart(8, "0") + generation.toString(16).padStart(24, "0");
}

/** Files of a simulated disk kept aside: what is moved stays in the root, under another name. */
class SimulatedAside implements Aside {
  readonly path: string;
  readonly #disk: Disk;
  readonly #loseState: () => void;

  constructor(disk: Disk, path: string, loseState: () => void) {
    this.#disk = disk;
    this.path = path;
    this.#loseState = loseState;
  }

  async copy(name: string): Promise<boolean> {
    const bytes = await this.#disk.read(name, 0, 2 ** 20).catch(nothing);
    if (bytes === undefined) return false;
    await this.#disk.append(`${this.path}/${name}`, bytes);
    for (const path of [`${this.path}/${name}`, this.path, ""]) await this.#disk.sync(path);
    return true;
  }

  async move(name: string): Promise<boolean> {
    if (name === "state") this.#loseState();
    if (!(await this.#disk.list("")).some((entry) => entry.name === name)) return name === "state";
    await this.#disk.rename(name, `${this.path}.${name}`);
    await this.#disk.sync("");
    return true;
  }
}

/** Where a rebuild gets what the disk does not have. */
export interface RebuildingParts {
  readonly disk: Disk;
  /** Takes the state away, which is not on the simulated disk. */
  readonly loseState: () => void;
  /** The id of the new server. */
  readonly nodeId: string;
}

/** Rebuilds the directory that a disk is. */
export async function rebuild({ disk, loseState, nodeId }: RebuildingParts): Promise<void> {
  const identity = await readNodeFile(disk, "");
  if (identity === undefined) throw new Error(`No ${NODE_FILE}`);
  const aside = new SimulatedAside(disk, `damaged-${nodeId}`, loseState);
  await makeAnew(disk, { kind: "all", clusterId: CLUSTER, identity }, aside, nodeId);
}

function nothing(error: unknown): undefined {
  if (!(error instanceof FileNotFoundError)) throw error;
}
