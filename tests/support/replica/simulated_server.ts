/**
 * A whole server of the replicated state on a simulated machine: the driver, and log, vote and snapshots on a disk that crashes.
 * Only the links are others: messages and requests travel as datagrams, which get lost, doubled and late.
 *
 * @module
 */

import {
  dump,
  type DumpSummary,
  Loader,
  Machine,
  MemoryStore,
} from "../../../cluster/machine/mod.ts";
import {
  DEFAULT_RAFT_OPTIONS,
  foundingEntry,
  type RaftOptions,
} from "../../../cluster/raft/mod.ts";
import { decodeMessage, encodeMessage } from "../../../cluster/raft/wire/message_codec.ts";
import { type Address, DiskFullError } from "../../../cluster/runtime.ts";
import { concatBytes, getU32, putU32 } from "../../../protocol/bytes.ts";
import {
  type PeerNet,
  type StateStore,
  UnsentError,
} from "../../../server/replica/driver/parts.ts";
import { Replica } from "../../../server/replica/driver/replica.ts";
import { restore } from "../../../server/replica/driver/restore.ts";
import { LogFiles } from "../../../server/replica/log/log_files.ts";
import { VoteFile } from "../../../server/replica/log/vote_file.ts";
import { SnapshotFiles } from "../../../server/replica/snapshots/snapshot_files.ts";
import type { SeededRandom } from "../simulation/random.ts";
import type { SimRuntime, Simulation } from "../simulation/simulation.ts";

const PORT = 7376;
const KIND = { message: 1, request: 2, answer: 3 } as const;

/** Small, so that a short run has many of everything. */
export const OPTIONS: RaftOptions = { ...DEFAULT_RAFT_OPTIONS, trailing: 20, maxBytes: 16_384 };
const SNAPSHOT_TRIGGER = { entries: 60, bytes: 1_000_000 };
const SEGMENT_BYTES = 8_192;

/** Bytes of a dump, and what is known of it. */
interface Kept {
  readonly bytes: Uint8Array;
  readonly summary: DumpSummary;
}

/** The state that survives a crash: that of the last sync, or one after it. */
class LaggingStore extends MemoryStore implements StateStore {
  readonly mustWait = false;
  readonly #keep: (kept: Kept) => void;

  constructor(keep: (kept: Kept) => void) {
    super();
    this.#keep = keep;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  sync(): Promise<void> {
    this.#keep(dumpOf(this));
    return Promise.resolve();
  }
}

/** The dump of a store. */
export function dumpOf(store: MemoryStore): Kept {
  const blocks = dump(store);
  const bytes: Uint8Array[] = [];
  let next = blocks.next();
  for (; !next.done; next = blocks.next()) bytes.push(next.value);
  return { bytes: concatBytes(bytes), summary: next.value };
}

/** One server, over all its lives. */
export class SimulatedServer {
  readonly id: string;
  readonly host: string;
  /** What runs, if something does. */
  replica: Replica | undefined;
  store: MemoryStore | undefined;
  /** Which life this is. */
  life = 0;
  /** Why it refused to start, or ended by itself. */
  failure: Error | undefined;
  readonly #simulation: Simulation;
  readonly #random: SeededRandom;
  readonly #hostOf: (id: string) => string;
  readonly #told = new Map<number, PromiseWithResolvers<Uint8Array>>();
  readonly #heard = new Set<string>();
  #kept: Kept | undefined;
  #requests = 0;

  constructor(
    id: string,
    host: string,
    simulation: Simulation,
    random: SeededRandom,
    hostOf: (id: string) => string,
  ) {
    this.id = id;
    this.host = host;
    this.#simulation = simulation;
    this.#random = random;
    this.#hostOf = hostOf;
  }

  /** Whether it runs. */
  get isUp(): boolean {
    return this.replica !== undefined;
  }

  /** Starts it with what its disk has; `founders`: it has nothing, and founds a cluster of these. */
  async start(founders?: readonly string[]): Promise<void> {
    const life = ++this.life;
    this.failure = undefined;
    const runtime = this.#simulation.addHost(this.host, PORT);
    try {
      const replica = await this.#open(runtime, founders);
      if (life !== this.life) return;
      this.replica = replica;
      replica.start();
    } catch (error) {
      if (life === this.life) this.failure = error as Error;
    }
  }

  /** Ends it without a word: the process alone, or the machine with all that was not synced. */
  end(isCrash: boolean): void {
    this.life++;
    this.replica?.close();
    this.replica = undefined;
    this.#told.clear();
    if (isCrash) this.#simulation.crash(this.host);
    else this.#simulation.kill(this.host);
  }

  async #open(runtime: SimRuntime, founders: readonly string[] | undefined): Promise<Replica> {
    const { disk, clock, random, transport } = runtime;
    const life = this.life;
    const { log, restored } = await LogFiles.open(disk, "raft", { segmentBytes: SEGMENT_BYTES });
    const { file: votes, restored: vote } = await VoteFile.open(disk, "raft/vote");
    const store = this.#loadStore();
    const snapshots = await SnapshotFiles.open({ disk, folder: "raft/snapshots", store });
    let entries = restored.entries;
    if (founders !== undefined && entries.length === 0) {
      const entry = foundingEntry(founders.map((id) => ({ id, role: "voter" })), 1);
      await log.write({ seq: 0, entries: [entry] });
      entries = [entry];
    }
    const newMachine = (): Machine => new Machine(store);
    const { raft, machine } = await restore(
      {
        directory: this.id,
        id: this.id,
        options: OPTIONS,
        clock,
        random,
        log,
        snapshots,
        newMachine,
      },
      { ...restored, ...vote, entries, snapshot: snapshots.newest },
    );
    const replica = new Replica({
      clock,
      wallClock: () => Math.floor(clock.now()) + 1_000_000,
      logger: runtime.logger(this.id),
      raft,
      machine,
      store,
      log,
      votes,
      snapshots,
      peers: this.#net(runtime, life),
      snapshotTrigger: SNAPSHOT_TRIGGER,
      nameOf: (id) => id,
      newMachine,
      failed: (error) => {
        if (life === this.life) this.failure = error;
      },
    });
    transport.start({
      packet: (from, bytes) => this.#receive(runtime, replica, from, bytes),
      stream: (stream) => stream.close(),
    });
    this.store = store;
    return replica;
  }

  #loadStore(): LaggingStore {
    const store = new LaggingStore((kept) => this.#kept = kept);
    if (this.#kept !== undefined) {
      const loader = new Loader(store, this.#kept.summary);
      loader.push(this.#kept.bytes);
      loader.finish();
    }
    return store;
  }

  #net({ clock, transport }: SimRuntime, life: number): PeerNet {
    const addressOf = (id: string): Address => ({ host: this.#hostOf(id), port: PORT });
    return {
      send: (to, message) => {
        const bytes = encodeMessage(message);
        transport.sendPacket(addressOf(to), concatBytes([Uint8Array.of(KIND.message), bytes]));
      },
      request: (to, bytes, timeoutMs) => {
        if (this.#random.float() < 0.05) return Promise.reject(new UnsentError("Nobody is there"));
        const number = life * 1_000_000 + ++this.#requests;
        const head = new Uint8Array(5);
        head[0] = KIND.request;
        putU32(head, 1, number);
        transport.sendPacket(addressOf(to), concatBytes([head, bytes]));
        const waiting = Promise.withResolvers<Uint8Array>();
        this.#told.set(number, waiting);
        clock.setTimer(timeoutMs, () => waiting.reject(new Error("No answer")));
        return waiting.promise;
      },
    };
  }

  #receive({ transport }: SimRuntime, replica: Replica, from: Address, bytes: Uint8Array): void {
    const kind = bytes[0];
    if (kind === KIND.message) return replica.receive(idOf(from), decodeMessage(bytes.subarray(1)));
    const number = getU32(bytes, 1);
    if (kind === KIND.answer) return this.#told.get(number)?.resolve(bytes.slice(5));
    // A connection brings a request once.
    const name = `${from.host} ${number}`;
    if (this.#heard.has(name)) return;
    this.#heard.add(name);
    replica.receiveRequests(bytes.slice(5)).then((answer) => {
      const head = bytes.slice(0, 5);
      head[0] = KIND.answer;
      transport.sendPacket(from, concatBytes([head, answer]));
    }).catch((error) => this.failure ??= error);
  }
}

/** The id of the server at an address. */
function idOf({ host }: Address): string {
  return `s${host.split(".").at(-1)}`;
}

/** Whether a server has ended because its disk had no room. */
export function isFull(error: Error | undefined): boolean {
  return error instanceof DiskFullError;
}
