/**
 * The file that keeps members and clocks over a restart (docs/spec/serf.md 15, docs/spec/agent.md 6.5). Its content is
 * also in memory: what cannot be written now is written later, and the file then says the same as if nothing had
 * happened.
 *
 * @module
 */

import { type Disk, DiskRefusedError, type Logger, type Metrics } from "../../cluster/runtime.ts";
import type { Recorder, Restored, SerfEvent } from "../../cluster/serf/mod.ts";
import { RejoinJournal } from "../../cluster/serf/rejoin/mod.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fileProblem } from "../files/problem.ts";
import { HalfWrittenError, replaceUserFile } from "../files/replace.ts";
import { within } from "../net/deadline.ts";
import { type OpenedFile, openFile } from "./reading.ts";

/**
 * Least time between two writes, in milliseconds. A process that is killed loses the lines that wait for their time;
 * Serf waits 500 ms, and for ever when nothing more comes.
 */
const WRITE_INTERVAL_MS = 50;

/** Most characters of lines that wait. When there are more, the file is written anew instead. */
const MAX_WAITING = 1024 * 1024;

/** Pause before another try after a failed write, in milliseconds. */
const RETRY_MS = 2_000;

/**
 * Time between two log lines about failed writes, and between two tries to shorten the file, in milliseconds
 * (docs/spec/serf.md 15.3).
 */
const REPORT_INTERVAL_MS = 30_000;

/** How long a leave, and the end, may wait for the disk, in milliseconds. */
const LAST_WRITE_MS = 2_000;

/** Characters of one write while the file is written anew. */
const CHUNK_CHARS = 64 * 1024;

/** How a rejoin file is kept. */
export interface RejoinFileOptions {
  /** Whether the node joins again after it had left. */
  readonly rejoinAfterLeave: boolean;
  /** Where problems are reported. */
  readonly log: Logger;
  /** Where the times of writes go. Default nowhere. */
  readonly metrics?: Metrics | undefined;
  /** Puts another disk in place of the real one. */
  readonly onDisk?: (disk: Disk) => Disk;
}

/** A rejoin file. */
export class RejoinFile implements Recorder, AsyncDisposable {
  /** What the file said when it was opened. */
  readonly restored: Restored;
  readonly #path: string;
  readonly #log: Logger;
  readonly #metrics: Metrics | undefined;
  readonly #opened: OpenedFile;
  readonly #journal: RejoinJournal;
  #bytes: number;
  /** Length of the file when it was last written anew. */
  #compactedBytes = 0;
  #waiting: string[] = [];
  #waitingChars = 0;
  /** Whether the file does not say what the journal says, and has to be written anew. */
  #stale = false;
  /** Whether the file can neither be replaced nor emptied. */
  #appendOnly = false;
  /** Everything that is done to the file, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reportedAt = -Infinity;
  #shortenFrom = -Infinity;
  #failing = false;
  #writtenAt = -Infinity;
  #closing: Promise<void> | undefined;

  private constructor(path: string, options: RejoinFileOptions, opened: OpenedFile) {
    const { bytes, replayed, unread } = opened;
    this.restored = replayed.restored;
    this.#path = path;
    this.#log = options.log;
    this.#metrics = options.metrics;
    this.#opened = opened;
    this.#journal = new RejoinJournal(replayed.restored, options);
    this.#bytes = bytes;
    const { damaged, ignoredLeave } = replayed;
    // Damage would be reported at each start, and the leave is over now, also for a later life that does not ignore it.
    this.#stale = damaged > 0 || unread > 0 || ignoredLeave;
    if (this.#stale) this.#schedule();
  }

  /**
   * Opens a file, or makes one, and reads it. Of damage only the log tells; of a file that makes no sense at all a copy
   * is kept as `PATH.damaged`, as it may be something else.
   *
   * @throws {RejoinFileError} when it is no file, or cannot be read or written.
   */
  static async open(path: string, options: RejoinFileOptions): Promise<RejoinFile> {
    const opened = await openFile(path, options);
    const { damaged, torn, ignoredLeave, records } = opened.replayed;
    const lost = damaged + (torn ? 1 : 0);
    if (opened.unread > 0) {
      options.log.warn(
        `Snapshot ${path} is too long, passed over its first ${opened.unread} bytes`,
      );
    }
    if (lost > 0) {
      options.log.warn(`Ignored ${lost} damaged line${lost === 1 ? "" : "s"} of snapshot ${path}`);
    }
    if (damaged > 0 && records === 0) await keepCopy(path, options.log);
    if (ignoredLeave) options.log.info("Ignoring previous leave in snapshot");
    return new RejoinFile(path, options, opened);
  }

  /** See {@linkcode Recorder}. */
  event(event: SerfEvent, memberTime: bigint): void {
    this.#add(this.#journal.event(event, memberTime));
  }

  /** See {@linkcode Recorder}. */
  tick(memberTime: bigint): void {
    this.#add(this.#journal.tick(memberTime));
  }

  /** See {@linkcode Recorder}. */
  forget(name: string): void {
    this.#add(this.#journal.forget(name));
  }

  /** Resolves when the leave is on the disk, or after 2 s; the log tells when it is not. */
  async leave(): Promise<void> {
    this.#add(this.#journal.leave());
    let saved = false;
    await this.#withinLimit(this.#enqueue(async () => {
      saved = await this.#saveAndSync();
    }));
    if (saved) return;
    this.#log.error(`Snapshot ${this.#path} does not tell that this node left, it will join again`);
  }

  /** Writes what waits and closes the file; takes 2 s at most. What happens from then on is not kept. Safe to call twice. */
  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing ??= this.#withinLimit(this.#enqueue(async () => {
      await this.#saveAndSync();
      await this.#opened.release();
    }));
    return this.#closing;
  }

  /** Same as {@linkcode RejoinFile.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #add(lines: string): void {
    if (lines === "" || this.#closing !== undefined) return;
    if (!this.#stale) {
      this.#waiting.push(lines);
      this.#waitingChars += lines.length;
      if (this.#waitingChars > MAX_WAITING) this.#giveUpLines();
    }
    this.#schedule();
  }

  /** From here on only a file that is written anew says everything. */
  #giveUpLines(): void {
    this.#stale = true;
    this.#takeWaiting();
  }

  #takeWaiting(): string {
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#waitingChars = 0;
    return text;
  }

  /** Sees to it that the next write comes, by default as soon as it may. */
  #schedule(ms: number = this.#writtenAt + WRITE_INTERVAL_MS - performance.now()): void {
    if (this.#closing !== undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#enqueue(async () => {
        const saved = await this.#save();
        this.#timer = undefined;
        if (!saved) this.#schedule(RETRY_MS);
        else if (this.#stale || this.#waiting.length > 0) this.#schedule();
      }).catch((cause) => this.#log.error(`Snapshot ${this.#path} is not kept`, { cause }));
    }, Math.max(0, ms));
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(task, task);
    return this.#work;
  }

  async #withinLimit(work: Promise<void>): Promise<void> {
    const done = await within(LAST_WRITE_MS, work.then(() => true));
    if (done !== true) this.#report("the disk takes too long");
  }

  /** Whether the file is up to date and on the disk. Never rejects. */
  async #saveAndSync(): Promise<boolean> {
    if (!await this.#save()) return false;
    try {
      await this.#opened.disk.sync(this.#opened.name);
      return true;
    } catch (error) {
      this.#report(fileProblem(error));
      return false;
    }
  }

  /** Brings the file up to date. Returns whether it is; never rejects. */
  async #save(): Promise<boolean> {
    this.#writtenAt = performance.now();
    try {
      if (this.#stale) await this.#writeAnew();
      else await this.#append();
    } catch (error) {
      this.#giveUpLines();
      this.#report(fileProblem(error));
      return false;
    }
    if (this.#failing) this.#log.info(`Snapshot ${this.#path} is complete again`);
    this.#failing = false;
    await this.#shorten();
    return true;
  }

  async #append(): Promise<void> {
    const text = this.#takeWaiting();
    if (text === "") return;
    const begun = performance.now();
    const bytes = encodeUtf8(text);
    await this.#opened.disk.append(this.#opened.name, bytes);
    this.#bytes += bytes.length;
    this.#metrics?.sample("serf.snapshot.appendLine", performance.now() - begun);
  }

  /** Writes a long file anew. When that fails the long one goes on. */
  async #shorten(): Promise<void> {
    const now = performance.now();
    if (this.#appendOnly || now < this.#shortenFrom) return;
    if (!this.#journal.isTooLong(this.#bytes, this.#compactedBytes)) return;
    try {
      await this.#replace();
    } catch (error) {
      if (error instanceof HalfWrittenError) this.#giveUpLines();
      this.#shortenFrom = now + REPORT_INTERVAL_MS;
      this.#log.error(`Failed to shorten snapshot ${this.#path}: ${fileProblem(error)}`);
    }
  }

  /** Makes the file say what the journal says. Lines that come meanwhile are added after that. */
  async #writeAnew(): Promise<void> {
    this.#stale = false;
    const begun = performance.now();
    try {
      await this.#replace();
    } catch (error) {
      if (!(error instanceof DiskRefusedError)) throw error;
      await this.#appendAnew(error);
    }
    this.#metrics?.sample("serf.snapshot.compact", performance.now() - begun);
  }

  /** A file that can neither be replaced nor emptied can still be added to. */
  async #appendAnew(refusal: DiskRefusedError): Promise<void> {
    const { disk, name } = this.#opened;
    for (const chunk of chunksOf(this.#journal.linesAnew())) {
      await disk.append(name, chunk);
      this.#bytes += chunk.length;
    }
    if (this.#appendOnly) return;
    this.#appendOnly = true;
    const problem = fileProblem(refusal);
    this.#log.warn(`Snapshot ${this.#path} can only be appended to, and will grow: ${problem}`);
  }

  /** Puts a new file in the place of the old one. */
  async #replace(): Promise<void> {
    const { disk, name } = this.#opened;
    let bytes = 0;
    const journal = this.#journal;
    await replaceUserFile(disk, name, function* () {
      bytes = 0;
      for (const chunk of chunksOf(journal.lines())) {
        bytes += chunk.length;
        yield chunk;
      }
    }, `${name}.compact`);
    this.#bytes = this.#compactedBytes = bytes;
    this.#appendOnly = false;
  }

  #report(problem: string): void {
    this.#failing = true;
    const now = performance.now();
    if (now - this.#reportedAt < REPORT_INTERVAL_MS) return;
    this.#reportedAt = now;
    this.#log.error(`Failed to write snapshot ${this.#path}: ${problem}`);
  }
}

async function keepCopy(path: string, log: Logger): Promise<void> {
  const copy = `${path}.damaged`;
  try {
    await Deno.copyFile(path, copy);
    log.warn(`Snapshot ${path} says nothing, kept a copy as ${copy}`);
  } catch (error) {
    log.warn(`Failed to copy snapshot ${path} to ${copy}: ${fileProblem(error)}`);
  }
}

/** Lines in pieces of about {@linkcode CHUNK_CHARS}; at least one. */
function* chunksOf(lines: Iterable<string>): Generator<Uint8Array> {
  let chunk = "";
  for (const line of lines) {
    chunk += line;
    if (chunk.length < CHUNK_CHARS) continue;
    yield encodeUtf8(chunk);
    chunk = "";
  }
  yield encodeUtf8(chunk);
}
