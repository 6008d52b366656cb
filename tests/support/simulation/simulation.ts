/**
 * A run: hosts, the network between them, and the loop that lets virtual time jump from event to event.
 *
 * @module
 */

import { loadCiphers } from "../../../cluster/memberlist/mod.ts";
import type { Disk, Logger, Runtime } from "../../../cluster/runtime.ts";
import { loadPatterns } from "../../../cluster/serf/mod.ts";
import { SimDisk } from "./disk/sim_disk.ts";
import { EventKind, type SimEvent } from "./event_queue.ts";
import { SimHost, type SimTimer, SOCKET_QUEUE } from "./host.ts";
import { GOOD_NETWORK, Network, type NetworkOptions, type NetworkStats } from "./network.ts";
import { type Invariant, InvariantError } from "./invariants/invariant.ts";
import { Names } from "./invariants/names.ts";
import { SeededRandom } from "./random.ts";
import { TraceHash } from "./trace.ts";
import { turns } from "./turns.ts";

// Virtual time does not wait for modules.
await Promise.all([loadCiphers(), loadPatterns()]);

/** Port of every host when none is given. */
export const DEFAULT_PORT = 7946;

/** Sequence numbers of the random sources: hosts count from 1, the network has the first. */
const NETWORK_RANDOM = 0;

/** Disks count down from the last one. */
const LAST_RANDOM = 0xffff_ffff;

/** What a {@linkcode Simulation} is made with. */
export interface SimulationOptions extends Partial<NetworkOptions> {
  /** Gets each log line of every host, with its virtual time in milliseconds. */
  readonly log?: (line: string) => void;
}

/** What the outside world gives a simulated process. */
export interface SimRuntime extends Runtime {
  /** The disk of its machine. */
  readonly disk: Disk;
}

/** A deterministic world: one seed, one run. */
export class Simulation {
  /** The seed of everything random in this run. */
  readonly seed: number;
  /** The numbers of the nodes' names. */
  readonly names: Names = new Names();
  readonly #network: Network;
  readonly #trace = new TraceHash();
  readonly #hosts: SimHost[] = [];
  readonly #byName = new Map<string, SimHost>();
  readonly #disks = new Map<string, SimDisk>();
  /** By index of the host. */
  readonly #watched: (readonly Invariant[] | undefined)[] = [];
  readonly #log: ((line: string) => void) | undefined;
  readonly #event: SimEvent = { time: 0, kind: 0, host: 0, from: 0, payload: undefined };
  #events = 0;

  constructor(seed: number, options: SimulationOptions = {}) {
    this.seed = seed;
    this.#log = options.log;
    const random = new SeededRandom(seed, NETWORK_RANDOM);
    this.#network = new Network({ ...GOOD_NETWORK, ...options }, random, this.#trace);
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#network.now;
  }

  /** Fingerprint of everything that happened so far. */
  get traceHash(): string {
    return this.#trace.value;
  }

  /** Events that happened so far. */
  get events(): number {
    return this.#events;
  }

  /** What the network did so far. */
  get stats(): Readonly<NetworkStats> {
    return this.#network.stats;
  }

  /** Changes the chances of the network from now on. */
  setNetwork(options: Partial<NetworkOptions>): void {
    this.#network.options = { ...this.#network.options, ...options };
  }

  /** Adds a machine with one process, or starts a new process on one whose process is gone. */
  addHost(host: string, port: number = DEFAULT_PORT): SimRuntime {
    const before = this.#byName.get(host);
    if (before?.listening) throw new Error(`Host "${host}" is running`);
    const index = this.#hosts.length;
    const machine = new SimHost(this.#network, index, { host, port });
    this.#hosts.push(machine);
    this.#byName.set(host, machine);
    this.#network.attach(machine);
    const schedule = (ms: number, work: () => void): boolean => {
      this.#network.scheduleProcess(machine, ms, machine, work);
      return machine.running;
    };
    const diskOf = (name: string): SimDisk => this.disk(name);
    let mounted: Disk | undefined;
    return {
      clock: machine,
      random: new SeededRandom(this.seed, index + 1),
      transport: machine,
      get disk(): Disk {
        return mounted ??= diskOf(host).mount(schedule);
      },
      logger: (subsystem) => this.#logger(host, subsystem),
    };
  }

  /** From here on each step of the process that runs on a host is followed by a look at these. */
  watch(host: string, invariants: readonly Invariant[]): void {
    const { index } = this.#host(host);
    this.#watched[index] = [...this.#watched[index] ?? [], ...invariants];
  }

  /** The disk of a machine, which outlives its processes. */
  disk(host: string): SimDisk {
    const known = this.#disks.get(host);
    if (known !== undefined) return known;
    const disk = new SimDisk(new SeededRandom(this.seed, LAST_RANDOM - this.#disks.size));
    this.#disks.set(host, disk);
    return disk;
  }

  /** Stops all that goes from `a` to `b`, and from `b` to `a` unless `oneWay`. */
  partition(a: readonly string[], b: readonly string[], oneWay = false): void {
    this.#network.cut(a, b);
    if (!oneWay) this.#network.cut(b, a);
  }

  /** Removes every partition. */
  heal(): void {
    this.#network.heal();
  }

  /** Stops the process of a host where it stands (as SIGSTOP does): timers wait, its socket fills up. */
  pause(host: string): void {
    this.#host(host).paused = true;
  }

  /** Lets a paused process go on: it gets at once, in order, what came meanwhile. */
  resume(host: string): void {
    const machine = this.#host(host);
    machine.paused = false;
    const held = machine.held;
    machine.held = [];
    machine.heldPackets = 0;
    for (const { kind, from, payload } of held) {
      this.#network.queue.push(this.now, kind, machine.index, from, payload);
    }
  }

  /** Ends the process of a host at once (as SIGKILL does); its machine resets the open streams. */
  kill(host: string): void {
    const machine = this.#host(host);
    machine.running = false;
    machine.paused = false;
    machine.held = [];
    for (const stream of machine.streams) stream.abandon();
    machine.streams.clear();
    this.#disks.get(host)?.kill();
  }

  /** Cuts the power of a host: its process ends, and its disk keeps for certain only what was synced. */
  crash(host: string): void {
    this.kill(host);
    this.#disks.get(host)?.crash();
  }

  /** Lets `ms` virtual milliseconds pass. */
  async runFor(ms: number): Promise<void> {
    await this.runUntil(() => false, ms, Infinity);
  }

  /**
   * Lets time pass until `condition` holds, looked at every `everyMs` virtual milliseconds (0: after each
   * event), for at most `limitMs`. Resolves to whether it held in the end.
   *
   * Rejects with {@linkcode InvariantError} after the step that breaks an invariant.
   */
  runUntil(condition: () => boolean, limitMs: number, everyMs = 10): Promise<boolean> {
    const { queue } = this.#network;
    const end = this.now + limitMs;
    let check = Math.min(this.now + everyMs, end);
    let begun = false;
    return turns(() => {
      if (begun) this.#checkStep();
      else if (condition()) return true;
      begun = true;
      for (;;) {
        if (queue.nextTime > check || everyMs === 0) {
          if (everyMs > 0) this.#network.now = check;
          if (condition()) return true;
          if (this.now >= end || queue.nextTime > end) {
            this.#network.now = end;
            return condition();
          }
          check = everyMs === 0 ? end : Math.min(this.now + everyMs, end);
          if (queue.nextTime > check) continue;
        }
        queue.pop(this.#event);
        this.#network.now = this.#event.time;
        this.#events++;
        this.#happen(this.#event);
        return undefined;
      }
    });
  }

  /** Lets time pass until `promise` settles, and gives its result; at most `limitMs`. */
  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let settled = false;
    const done = (): void => void (settled = true);
    promise.then(done, done);
    if (!await this.runUntil(() => settled, limitMs, 0)) {
      throw new Error(`Nothing settled within ${limitMs} virtual ms`);
    }
    return promise;
  }

  /** What the last event, and all that came of it, must not have broken. */
  #checkStep(): void {
    const { time, host } = this.#event;
    const invariants = this.#watched[host];
    if (invariants === undefined) return;
    for (const invariant of invariants) {
      const problem = invariant.broken();
      if (problem === undefined) continue;
      const step = { number: this.#events, time, host: this.#hosts[host]!.localAddress.host };
      throw new InvariantError(invariant.sentence, problem, step);
    }
  }

  #happen({ time, kind, host: index, from, payload }: SimEvent): void {
    const host = this.#hosts[index]!;
    if (kind === EventKind.kernel) (payload as () => void)();
    else if (!host.running) {
      if (kind === EventKind.packet) this.#network.stats.undelivered++;
    } else if (host.paused) this.#hold(host, kind, from, payload);
    else if (kind === EventKind.timer) {
      const { fn } = payload as SimTimer;
      (payload as SimTimer).fn = undefined;
      if (fn === undefined) return;
      this.#trace.event(time, kind, index, from);
      fn();
    } else {
      this.#trace.event(time, kind, index, from);
      if (kind === EventKind.packet) this.#deliver(host, from, payload as Uint8Array);
      else (payload as () => void)();
    }
  }

  #deliver(host: SimHost, from: number, bytes: Uint8Array): void {
    if (!host.listening) {
      this.#network.stats.undelivered++;
      return;
    }
    this.#network.stats.delivered++;
    this.#trace.bytes(bytes);
    host.handlers?.packet(this.#hosts[from]!.localAddress, bytes);
  }

  #hold(host: SimHost, kind: EventKind, from: number, payload: unknown): void {
    if (kind === EventKind.packet && ++host.heldPackets > SOCKET_QUEUE) {
      this.#network.stats.undelivered++;
    } else host.held.push({ kind, from, payload });
  }

  #host(name: string): SimHost {
    const host = this.#byName.get(name);
    if (host === undefined) throw new Error(`No host "${name}"`);
    return host;
  }

  #logger(host: string, subsystem: string): Logger {
    const log = this.#log;
    if (log === undefined) return SILENT;
    const at = (level: string) => (message: string): void =>
      log(`${this.now.toFixed(1).padStart(10)} ${host} [${level}] ${subsystem}: ${message}`);
    return { debug: at("DEBUG"), info: at("INFO"), warn: at("WARN"), error: at("ERR") };
  }
}

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
