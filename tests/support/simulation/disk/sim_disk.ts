/**
 * A simulated disk: it belongs to a machine, not to a process, and a crash of the machine takes what was not synced.
 *
 * @module
 */

import {
  type Disk,
  type DiskEntry,
  DiskFullError,
  FileNotFoundError,
  folderOf,
  type Random,
  randomInt,
} from "../../../../cluster/runtime.ts";
import { putInto } from "../../../../protocol/bytes.ts";
import { Lanes } from "../../../../server/files/lanes.ts";
import { writtenLength } from "../../replica/written.ts";
import { SimFile, SimFolder } from "./tree.ts";

/** How long operations take in virtual milliseconds: drawn evenly between both. */
export interface DiskTimes {
  /** Everything but a sync. Default 0.01 to 0.2. */
  readonly accessMs: readonly [number, number];
  /** A sync. Default 0.2 to 8. */
  readonly syncMs: readonly [number, number];
}

/**
 * The process that uses a disk: runs `work` in it `ms` virtual milliseconds from now unless it is dead then. Returns
 * whether it is alive now.
 */
export type Schedule = (ms: number, work: () => void) => boolean;

/** An operation that a process asked for. */
export interface DiskOperation {
  /** Whether it takes the time of a sync. */
  readonly isSync: boolean;
  /** Does a share of it in (0, 1]; what cannot be done in part is done as a whole. */
  perform(share: number): unknown;
  /** Takes what `perform(1)` returned. */
  resolve(result: unknown): void;
  /** Takes what `perform(1)` threw. */
  reject(error: unknown): void;
}

/** The disk of a machine, and what happens to it. Processes see it through {@linkcode SimDisk.mount}. */
export class SimDisk {
  /** How long operations take. */
  times: DiskTimes = { accessMs: [0.01, 0.2], syncMs: [0.2, 8] };
  /** Bytes that still fit on it. Removing and truncating files makes room. */
  room = Infinity;
  /** Operations that were done so far. */
  operations = 0;
  /** What it holds. */
  readonly root: SimFolder = new SimFolder();
  readonly #random: Random;
  readonly #underWay = new Set<DiskOperation>();

  /** An empty disk. */
  constructor(random: Random) {
    this.#random = random;
  }

  /** The disk as a new process sees it. */
  mount(schedule: Schedule): Disk {
    return new MountedDisk(this, schedule);
  }

  /** The process that asked is dead: of what was under way some is done all the same, an append perhaps in part. */
  kill(): void {
    for (const operation of this.#underWay) {
      if (this.#random.float() < 0.5) continue;
      try {
        operation.perform(this.#random.float());
      } catch { /* Nobody is there to be told. */ }
    }
    this.#underWay.clear();
  }

  /** The power fails: what was not synced is lost, or not, or in part. */
  crash(): void {
    this.kill();
    this.root.crash(this.#random);
  }

  /** Turns a bit of a file over that nobody wrote; default any one before the zeros at its end. */
  flip(path: string, bit?: number): void {
    const file = fileIn(this.root, path);
    const written = writtenLength(file.read(0, file.length));
    file.flip(bit ?? randomInt(this.#random, 8 * written));
  }

  /** Takes the end of a file away. */
  cut(path: string, length: number): void {
    fileIn(this.root, path).cut(length);
  }

  /** Does an operation when its time has come. */
  begin(operation: DiskOperation, schedule: Schedule): void {
    const [least, most] = operation.isSync ? this.times.syncMs : this.times.accessMs;
    const alive = schedule(least + this.#random.float() * (most - least), () => {
      this.#underWay.delete(operation);
      this.operations++;
      try {
        operation.resolve(operation.perform(1));
      } catch (error) {
        operation.reject(error);
      }
    });
    if (alive) this.#underWay.add(operation);
  }
}

/** A disk as one process sees it. */
class MountedDisk implements Disk {
  readonly #disk: SimDisk;
  readonly #root: SimFolder;
  readonly #schedule: Schedule;
  readonly #lanes = new Lanes();

  constructor(disk: SimDisk, schedule: Schedule) {
    this.#disk = disk;
    this.#root = disk.root;
    this.#schedule = schedule;
  }

  append(path: string, bytes: Uint8Array): Promise<void> {
    return this.#run([`w ${path}`], (share) => {
      const file = this.#root.makeFile(path);
      const wanted = Math.floor(share * bytes.length);
      const fitting = Math.min(wanted, this.#disk.room);
      file.append(bytes.subarray(0, fitting));
      this.#disk.room -= fitting;
      if (fitting < wanted) throw new DiskFullError(path);
    });
  }

  write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    return this.#run([`w ${path}`], (share) => {
      const file = fileIn(this.#root, path);
      if (position > file.length) {
        throw new RangeError(
          `Position ${position} is beyond the ${file.length} bytes of '${path}'`,
        );
      }
      const before = file.length;
      const wanted = Math.floor(share * bytes.length);
      const fitting = Math.min(wanted, before - position + this.#disk.room);
      file.write(position, bytes.subarray(0, fitting));
      this.#disk.room -= file.length - before;
      if (fitting < wanted) throw new DiskFullError(path);
    });
  }

  sync(path: string): Promise<void> {
    return this.#run([`w ${path}`], () => nodeIn(this.#root, path).sync(), true);
  }

  read(path: string, position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#run(
      [`r ${path}`],
      () => putInto(fileIn(this.#root, path).read(position, length), into),
    );
  }

  truncate(path: string, length: number): Promise<void> {
    return this.#run([`w ${path}`], () => {
      const file = fileIn(this.#root, path);
      if (length > file.length) {
        throw new RangeError(`Length ${length} is beyond the ${file.length} bytes of '${path}'`);
      }
      this.#disk.room += file.length - length;
      file.truncate(length);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run([`w ${from}`, `r ${from}`, `w ${to}`, `r ${to}`], () => {
      const folder = folderOf(from);
      if (folder !== folderOf(to)) {
        throw new RangeError(`'${to}' is not in the folder of '${from}'`);
      }
      nodeIn(this.#root, from);
      const replaced = this.#root.find(to);
      if (replaced instanceof SimFolder) throw new Error(`'${to}' is a folder`);
      this.#disk.room += replaced?.length ?? 0;
      folderIn(this.#root, folder).rename(nameOf(from), nameOf(to));
    });
  }

  list(folder: string): Promise<DiskEntry[]> {
    return this.#run([], () => folderIn(this.#root, folder).entries());
  }

  remove(path: string): Promise<void> {
    return this.#run([`w ${path}`, `r ${path}`], () => {
      const node = nodeIn(this.#root, path);
      if (node instanceof SimFile) this.#disk.room += node.length;
      else if (node.entries().length > 0) throw new Error(`'${path}' is not empty`);
      folderIn(this.#root, folderOf(path)).remove(nameOf(path));
    });
  }

  #run<T>(
    lanes: readonly string[],
    perform: (share: number) => T,
    isSync = false,
  ): Promise<T> {
    return this.#lanes.run(lanes, () =>
      new Promise<T>((resolve, reject) => {
        const done = resolve as (result: unknown) => void;
        this.#disk.begin({ perform, isSync, resolve: done, reject }, this.#schedule);
      }));
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function nodeIn(root: SimFolder, path: string): SimFile | SimFolder {
  const node = root.find(path);
  if (node === undefined) throw new FileNotFoundError(path);
  return node;
}

function fileIn(root: SimFolder, path: string): SimFile {
  const node = nodeIn(root, path);
  if (node instanceof SimFile) return node;
  throw new Error(`'${path}' is a folder`);
}

function folderIn(root: SimFolder, path: string): SimFolder {
  const node = nodeIn(root, path);
  if (node instanceof SimFolder) return node;
  throw new Error(`'${path}' is a file`);
}
