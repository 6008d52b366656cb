/**
 * Files and folders of a simulated disk. Each remembers how to undo what was done to it since it was synced, so that a
 * crash can take back the latest of it.
 *
 * @module
 */

import { type DiskEntry, type Random, randomInt } from "../../../../cluster/runtime.ts";

/** Bytes that a disk writes as a whole or not at all. */
const SECTOR_BYTES = 512;

interface FileWrite {
  readonly type: "write";
  readonly position: number;
  readonly bytes: number;
  readonly over: Uint8Array;
}

/** Something done to a file that a crash may undo. */
type FileChange =
  | { readonly type: "append"; readonly bytes: number }
  | FileWrite
  | { readonly type: "truncate"; readonly cut: Uint8Array };

/** A file. */
export class SimFile {
  #content = new Uint8Array(256);
  #length = 0;
  #unsynced: FileChange[] = [];

  /** Its length in bytes. */
  get length(): number {
    return this.#length;
  }

  /** A copy of a part. */
  read(position: number, length: number): Uint8Array {
    return this.#content.slice(position, Math.min(position + length, this.#length));
  }

  /** Adds bytes at the end. */
  append(bytes: Uint8Array): void {
    this.#put(this.#length, bytes);
    this.#unsynced.push({ type: "append", bytes: bytes.length });
  }

  /** Puts bytes over those from a position that it has on. */
  write(position: number, bytes: Uint8Array): void {
    const over = this.read(position, bytes.length);
    this.#put(position, bytes);
    this.#unsynced.push({ type: "write", position, bytes: bytes.length, over });
  }

  /** Cuts the file to a length that it has. */
  truncate(length: number): void {
    this.#unsynced.push({ type: "truncate", cut: this.read(length, Infinity) });
    this.#length = length;
  }

  /** From here on nothing is undone. */
  sync(): void {
    this.#unsynced = [];
  }

  /** Undoes the latest changes, and tears the first of them, with all writes that follow it when it is one. */
  crash(random: Random): void {
    const undone = this.#unsynced.splice(survivors(random, this.#unsynced.length));
    this.sync();
    const writes = leadingWrites(undone);
    const [first] = undone;
    for (const change of undone.splice(Math.max(1, writes.length)).reverse()) this.#undo(change);
    if (first === undefined) return;
    if (first.type === "write") return this.#tearWrites(random, writes);
    const lost = this.#undo(first);
    if (first.type === "append") this.#tearAppend(random, lost);
  }

  /** Damages a bit. */
  flip(bit: number): void {
    if (bit >= 8 * this.#length) throw new RangeError(`Bit ${bit} is not in ${this.#length} bytes`);
    this.#content[bit >> 3]! ^= 1 << (bit & 7);
  }

  /** Damages the length. */
  cut(length: number): void {
    this.sync();
    this.#length = Math.min(length, this.#length);
  }

  #tearAppend(random: Random, lost: Uint8Array): void {
    const left = randomInt(random, lost.length + 1);
    // The length may have reached the disk before the bytes did.
    this.#put(this.#length, random.float() < 0.5 ? lost.fill(0, left) : lost.subarray(0, left));
  }

  /** Each sector may have reached the disk or not, and the length be any between both. */
  #tearWrites(random: Random, writes: readonly FileWrite[]): void {
    const position = Math.min(...writes.map((write) => write.position));
    const end = Math.max(...writes.map((write) => write.position + write.bytes));
    const lost = this.read(position, end - position);
    for (const write of writes.toReversed()) this.#undo(write);
    const before = this.#length;
    const torn = new Uint8Array(lost.length);
    torn.set(this.read(position, lost.length));
    for (let begin = 0, end; begin < lost.length; begin = end) {
      end = Math.min(lost.length, begin + SECTOR_BYTES - (position + begin) % SECTOR_BYTES);
      if (random.float() < 0.5) torn.set(lost.subarray(begin, end), begin);
    }
    this.#put(position, torn);
    const chance = random.float();
    if (chance < 1 / 3) this.#length = before;
    else if (chance < 2 / 3) this.#length -= randomInt(random, this.#length - before + 1);
  }

  #put(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.#content.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#content.subarray(0, this.#length));
      this.#content = larger;
    }
    this.#content.set(bytes, position);
    this.#length = Math.max(this.#length, end);
  }

  /** Returns the bytes that are no longer there. */
  #undo(change: FileChange): Uint8Array {
    if (change.type === "truncate") {
      this.#put(this.#length, change.cut);
      return new Uint8Array(0);
    }
    if (change.type === "write") {
      const { position, over } = change;
      const bytes = this.read(position, change.bytes);
      this.#put(position, over);
      this.#length -= bytes.length - over.length;
      return bytes;
    }
    const bytes = this.read(this.#length - change.bytes, change.bytes);
    this.#length -= change.bytes;
    return bytes;
  }
}

/** The writes that changes begin with. */
function leadingWrites(changes: readonly FileChange[]): FileWrite[] {
  const writes: FileWrite[] = [];
  for (const change of changes) {
    if (change.type !== "write") break;
    writes.push(change);
  }
  return writes;
}

/** A folder. */
export class SimFolder {
  readonly #names = new Map<string, SimFile | SimFolder>();
  #undo: (() => void)[] = [];

  /** What stands under a path. */
  find(path: string): SimFile | SimFolder | undefined {
    if (path === "") return this;
    const { first, rest } = split(path);
    const node = this.#names.get(first);
    if (rest === "") return node;
    return node instanceof SimFolder ? node.find(rest) : undefined;
  }

  /** The file of a path, made with the folders above it where they are missing. */
  makeFile(path: string): SimFile {
    const { first, rest } = split(path);
    const known = this.#names.get(first);
    const node = known ?? (rest === "" ? new SimFile() : new SimFolder());
    if (known === undefined) this.#set(first, node);
    if (rest === "" && node instanceof SimFile) return node;
    if (rest !== "" && node instanceof SimFolder) return node.makeFile(rest);
    throw new Error(`'${first}' is a ${node instanceof SimFile ? "file" : "folder"}`);
  }

  /** Names and lengths, sorted. */
  entries(): DiskEntry[] {
    return [...this.#names].sort(([a], [b]) => a < b ? -1 : 1).map(([name, node]) =>
      node instanceof SimFile
        ? { name, kind: "file", bytes: node.length }
        : { name, kind: "folder", bytes: 0 }
    );
  }

  /** Gives what is called `from` the name `to`, as one change. */
  rename(from: string, to: string): void {
    const [node, replaced] = [this.#names.get(from)!, this.#names.get(to)];
    this.#names.delete(from);
    this.#names.set(to, node);
    this.#undo.push(() => {
      this.#names.set(from, node);
      this.#put(to, replaced);
    });
  }

  /** Takes a name away. */
  remove(name: string): void {
    this.#set(name, undefined);
  }

  /** From here on no name is undone. */
  sync(): void {
    this.#undo = [];
  }

  /** Undoes the latest names that were not synced, and crashes what is left. */
  crash(random: Random): void {
    const lost = this.#undo.splice(survivors(random, this.#undo.length));
    for (const undo of lost.reverse()) undo();
    this.sync();
    for (const { name } of this.entries()) this.#names.get(name)!.crash(random);
  }

  #set(name: string, node: SimFile | SimFolder | undefined): void {
    const before = this.#names.get(name);
    this.#put(name, node);
    this.#undo.push(() => this.#put(name, before));
  }

  #put(name: string, node: SimFile | SimFolder | undefined): void {
    if (node === undefined) this.#names.delete(name);
    else this.#names.set(name, node);
  }
}

/** How many of so many changes outlive a crash: none, all, or any number of the first. */
function survivors(random: Random, count: number): number {
  if (count === 0) return 0;
  const chance = random.float();
  if (chance < 1 / 3) return 0;
  return chance < 2 / 3 ? count : randomInt(random, count + 1);
}

function split(path: string): { first: string; rest: string } {
  const slash = path.indexOf("/");
  if (slash < 0) return { first: path, rest: "" };
  return { first: path.slice(0, slash), rest: path.slice(slash + 1) };
}
