/**
 * A cluster in slow motion, for scripts that read like a laboratory's record: every message, write and change of role is
 * told, and happens when the script says so.
 *
 * @module
 */

import {
  type Configuration,
  createRaft,
  DEFAULT_RAFT_OPTIONS,
  type Effects,
  type Entry,
  foundingEntry,
  type Input,
  type MemberRole,
  type Message,
  NOTHING,
  type Raft,
  type RaftOptions,
  type Restored,
  step,
} from "../../../cluster/raft/mod.ts";
import { SeededRandom } from "../simulation/random.ts";
import { applyLog, type DurableState, SimulatedDisk } from "./disk.ts";
import { showMembers, showMessage, textOf } from "./telling.ts";

interface Server {
  readonly id: string;
  raft: Raft;
  readonly disk: SimulatedDisk;
  /** The log as the core asked for it. */
  log: Pick<DurableState, "beforeIndex" | "beforeTerm" | "entries" | "snapshot">;
  /** Whether its writes wait for `flush`. */
  held: boolean;
  up: boolean;
}

interface Sent {
  readonly from: string;
  readonly to: string;
  readonly message: Message;
}

/** Deliveries of one `deliver`; more means that two servers never come to rest. */
const MAX_DELIVERIES = 2_000;

/** Bytes of a snapshot's piece. */
const CHUNK_BYTES = 10;

/** The servers of one script. */
export class Laboratory {
  readonly #servers = new Map<string, Server>();
  readonly #options: RaftOptions;
  readonly #random = new SeededRandom(1);
  readonly #cut = new Set<string>();
  #flying: Sent[] = [];
  /** Messages that take so long that others overtake them. */
  #astray: Sent[] = [];
  #now = 0;
  #lines: string[] = [];

  /** Nobody is there yet. */
  constructor(options: Partial<RaftOptions>) {
    this.#options = { ...DEFAULT_RAFT_OPTIONS, trailing: 0, ...options };
  }

  /** Carries out one command line and returns what came of it. */
  run(command: string): string[] {
    this.#lines = [];
    const [verb = "", ...words] = command.split(/\s+/);
    const verbs: Record<string, (words: string[]) => void> = {
      found: (members) => this.#found(members),
      join: (ids) => ids.forEach((id) => this.#add(id, NOTHING, [])),
      lead: ([id]) => this.#quietly(["campaign " + id, "deliver"]),
      campaign: ([id]) => this.#campaign(this.#server(id)),
      wait: ([ms, ...ids]) => this.#wait(Number(ms), ids),
      deliver: (filter) => this.#deliver(filter),
      drop: (filter) => this.#drop(filter),
      stray: (filter) => void this.#astray.push(...this.#takeOut(filter)),
      arrive: () => void this.#flying.push(...this.#astray.splice(0)),
      propose: ([id, ...texts]) => this.#propose(this.#server(id), texts),
      read: ([id, number, ...how]) => this.#read(this.#server(id), Number(number), how),
      change: ([id, ...what]) => this.#change(this.#server(id), what),
      transfer: ([id, target]) => this.#transfer(this.#server(id), target),
      snapshot: ([id, index]) => this.#snapshot(this.#server(id), index),
      hold: (ids) => ids.forEach((id) => this.#server(id).held = true),
      flush: (ids) => ids.forEach((id) => this.#flush(this.#server(id))),
      crash: (ids) => ids.forEach((id) => this.#crash(this.#server(id))),
      restart: (ids) => ids.forEach((id) => this.#restart(this.#server(id))),
      cut: ([a, b]) => void this.#cut.add(`${a} ${b}`),
      isolate: (ids) => ids.forEach((id) => this.#isolate(id)),
      heal: () => this.#cut.clear(),
      status: (ids) => this.#status(ids),
      log: (ids) => ids.forEach((id) => this.#showLog(this.#server(id))),
      peers: ([id]) => this.#showPeers(this.#server(id)),
    };
    const action = verbs[verb];
    if (action === undefined) throw new RangeError(`Unknown command '${command}'`);
    action(words);
    return this.#lines;
  }

  /** Carries out commands of which nothing is told. */
  #quietly(commands: readonly string[]): void {
    for (const command of commands) this.run(command);
    this.#lines = [];
  }

  #say(line: string): void {
    this.#lines.push(line);
  }

  #server(id: string | undefined): Server {
    const server = this.#servers.get(id ?? "");
    if (server === undefined) throw new RangeError(`No server '${id}'`);
    return server;
  }

  /** `a b c:learner`: all have the first entry of a cluster with these members. */
  #found(words: readonly string[]): void {
    const members: Configuration = words.map((word) => {
      const [id = "", role = "voter"] = word.split(":");
      return { id, role: role as MemberRole };
    });
    const entries = [foundingEntry(members, 0)];
    for (const { id } of members) this.#add(id, { ...NOTHING, term: 1, entries }, entries);
  }

  #add(id: string, restored: Restored, entries: readonly Entry[]): void {
    const disk = new SimulatedDisk();
    disk.durable.entries = [...entries];
    disk.durable.term = restored.term;
    const raft = createRaft(id, this.#options, this.#random, this.#now, restored);
    const log = { beforeIndex: 0, beforeTerm: 0, entries: [...entries], snapshot: undefined };
    this.#servers.set(id, { id, raft, disk, log, held: false, up: true });
  }

  /** Time passes until this server's patience ends; the others' clocks go on, but they do nothing. */
  #campaign(server: Server): void {
    const { role } = server.raft;
    if (role.name === "leader") throw new RangeError(`'${server.id}' leads already`);
    this.#now = Math.max(this.#now, role.deadline);
    this.#take(server, { type: "tick" });
  }

  #wait(ms: number, ids: readonly string[]): void {
    this.#now += ms;
    const chosen = ids.length > 0 ? ids : [...this.#servers.keys()];
    for (const id of chosen) {
      const server = this.#server(id);
      if (server.up) this.#take(server, { type: "tick" });
    }
  }

  /** `all`, `N`, `to X`, `from X`, or both; nothing is `all`. */
  #deliver(words: readonly string[]): void {
    const count = Number(words[0]);
    const most = Number.isInteger(count) && words.length > 0 ? count : MAX_DELIVERIES;
    for (let done = 0; done < most; done++) {
      const place = this.#flying.findIndex((sent) => matches(sent, words));
      if (place < 0) return;
      const [sent] = this.#flying.splice(place, 1) as [Sent];
      const server = this.#server(sent.to);
      if (!server.up || this.#cut.has(`${sent.from} ${sent.to}`)) continue;
      this.#take(server, { type: "message", from: sent.from, message: sent.message });
    }
    if (most === MAX_DELIVERIES) throw new RangeError("Messages never end");
  }

  #drop(words: readonly string[]): void {
    this.#say(`${this.#takeOut(words).length} dropped`);
  }

  /** Takes messages off the network. */
  #takeOut(words: readonly string[]): Sent[] {
    const chosen = this.#flying.filter((sent) => matches(sent, words));
    this.#flying = this.#flying.filter((sent) => !chosen.includes(sent));
    return chosen;
  }

  #propose(server: Server, texts: readonly string[]): void {
    const data = (text: string): Uint8Array => new TextEncoder().encode(text);
    const proposals = texts.map((text) => ({
      type: text === "barrier" ? "barrier" as const : "command" as const,
      data: text === "barrier" ? data("") : data(text),
    }));
    this.#take(server, { type: "propose", proposals, time: 0 });
  }

  #read(server: Server, id: number, how: readonly string[]): void {
    const request = { id, ...(how.includes("lease") && { lease: true }) };
    this.#take(server, { type: "read", requests: [request] });
  }

  /** `add d voter`, `remove d`, each with `if INDEX`. */
  #change(server: Server, [kind, id = "", ...rest]: readonly string[]): void {
    const condition = rest.indexOf("if");
    const role = kind === "add" ? rest[0] as MemberRole : undefined;
    const expectedIndex = condition < 0 ? undefined : Number(rest[condition + 1]);
    this.#take(server, {
      type: "change",
      change: { kind: kind as "add" | "remove", id, ...(role && { role }) },
      ...(expectedIndex !== undefined && { expectedIndex }),
      time: 0,
    });
  }

  #transfer(server: Server, target: string | undefined): void {
    this.#take(server, { type: "transfer", ...(target !== undefined && { target }) });
  }

  /** Of what is applied, or of what was applied at an index. */
  #snapshot(server: Server, at: string | undefined): void {
    const { raft } = server;
    const index = at === undefined ? raft.applied : Number(at);
    const made = raft.members.at(index);
    const snapshot = {
      index,
      term: raft.log.term(index) as number,
      configuration: made?.configuration ?? [],
      configurationIndex: made?.index ?? 0,
      size: 3 * CHUNK_BYTES,
      hash: `machine at ${index}`,
    };
    server.disk.saveSnapshot(snapshot);
    server.log.snapshot = snapshot;
    this.#take(server, { type: "snapshot-saved", snapshot });
  }

  #flush(server: Server): void {
    server.held = false;
    this.#write(server);
  }

  #write(server: Server): void {
    if (server.held) return;
    for (let seq; (seq = server.disk.finishVote()) !== undefined;) {
      this.#take(server, { type: "vote-written", seq });
    }
    for (let seq; (seq = server.disk.finishLog(1)) !== undefined;) {
      this.#take(server, { type: "log-written", seq });
    }
  }

  /** What is not written is lost. */
  #crash(server: Server): void {
    server.up = false;
    server.held = false;
    const never = { float: () => 0, bytes: () => new Uint8Array() };
    server.disk.crash(never);
    this.#flying = this.#flying.filter(({ to }) => to !== server.id);
  }

  #restart(server: Server): void {
    const { durable } = server.disk;
    const restored = server.disk.restored(durable.snapshot?.index ?? 0);
    server.raft = createRaft(server.id, this.#options, this.#random, this.#now, restored);
    const { beforeIndex, beforeTerm, entries, snapshot } = durable;
    server.log = { beforeIndex, beforeTerm, entries: [...entries], snapshot };
    server.up = true;
  }

  #isolate(id: string): void {
    for (const other of this.#servers.keys()) {
      if (other === id) continue;
      this.#cut.add(`${id} ${other}`).add(`${other} ${id}`);
    }
  }

  #take(server: Server, input: Input): void {
    this.#carryOut(server, step(server.raft, this.#now, input));
  }

  #carryOut(server: Server, effects: Effects): void {
    const { id } = server;
    const { role, refused, accepted, configuration } = effects;
    if (role !== undefined) {
      const leader = role.leader !== undefined && role.leader !== id ? ` of ${role.leader}` : "";
      this.#say(`${id} is ${role.role}${leader} in term ${role.term}`);
    }
    if (refused !== undefined) {
      const { reason, ...more } = refused;
      this.#say(`${id} refuses: ${[reason, ...Object.values(more)].join(" ").trim()}`);
    }
    if (effects.vote !== undefined) {
      const { term, vote } = effects.vote;
      this.#say(`${id} writes term ${term}, vote ${vote ?? "none"}`);
      server.disk.queueVote(effects.vote);
    }
    if (effects.log !== undefined) {
      const { reset, truncateFrom, entries } = effects.log;
      const parts = [
        ...(reset ? [`snapshot ${reset.snapshot.index}, log kept: ${reset.keepSuffix}`] : []),
        ...(truncateFrom !== undefined ? [`cuts from ${truncateFrom}`] : []),
        ...entries.map(textOf),
      ];
      this.#say(`${id} writes ${parts.join(", ")}`);
      applyLog(server.log, effects.log, entries.length);
      server.disk.queueLog(effects.log);
    }
    if (accepted !== undefined && accepted.last > accepted.first) {
      this.#say(`${id} takes on ${accepted.first} to ${accepted.last}`);
    }
    if (configuration !== undefined) {
      this.#say(`${id} has members ${showMembers(configuration)}`);
    }
    for (const { to, message } of effects.messages) {
      this.#say(`${id} -> ${to} ${showMessage(message)}`);
      this.#flying.push({ from: id, to, message });
    }
    for (const read of effects.reads) this.#say(`${id} answers read ${read.id} at ${read.index}`);
    for (const read of effects.lostReads) this.#say(`${id} cannot answer read ${read}`);
    if (effects.transferFailed) this.#say(`${id} keeps on leading: nobody took over`);
    if (effects.trimTo !== undefined) {
      this.#say(`${id} trims up to ${effects.trimTo}`);
      const count = effects.trimTo - server.log.beforeIndex;
      server.log.beforeTerm = (server.log.entries[count - 1] as Entry).term;
      server.log.entries = server.log.entries.slice(count);
      server.log.beforeIndex = effects.trimTo;
      server.disk.trim(effects.trimTo);
    }
    if (effects.apply !== undefined) {
      this.#say(`${id} applies up to ${effects.apply}`);
      this.#take(server, { type: "applied", index: effects.apply });
    }
    for (const load of effects.loads) this.#load(server, load);
    for (const { to, index, offset } of effects.chunks) {
      const snapshot = server.log.snapshot;
      const chunk = snapshot?.index === index
        ? new Uint8Array(Math.min(CHUNK_BYTES, snapshot.size - offset))
        : undefined;
      this.#take(server, { type: "chunk-loaded", to, index, offset, chunk });
    }
    if (effects.store !== undefined) {
      const { snapshot, offset, chunk } = effects.store;
      const nextOffset = offset + chunk.length;
      const input: Input = nextOffset < snapshot.size
        ? { type: "chunk-stored", index: snapshot.index, nextOffset }
        : { type: "snapshot-received", snapshot };
      this.#take(server, input);
    }
    this.#write(server);
  }

  #load(server: Server, { to, from, maxEntries }: Effects["loads"][number]): void {
    this.#say(`${server.id} loads from ${from} for ${to}`);
    const first = from - server.log.beforeIndex - 1;
    const entries = first < 0 ? [] : server.log.entries.slice(first, first + maxEntries);
    this.#take(server, { type: "entries-loaded", to, entries });
  }

  #status(ids: readonly string[]): void {
    const chosen = ids.length > 0 ? ids : [...this.#servers.keys()];
    for (const id of chosen) {
      const { raft, up } = this.#server(id);
      const { term, commit, applied, log, role } = raft;
      const disk = log.durableIndex < log.lastIndex ? `, on disk ${log.durableIndex}` : "";
      const what = up ? role.name : "down";
      this.#say(
        `${id} ${what} term ${term} last ${log.lastIndex}/${log.lastTerm}${disk} ` +
          `commit ${commit} applied ${applied} members ${showMembers(raft.members.configuration)}`,
      );
    }
  }

  #showLog({ id, log }: Server): void {
    const before = log.beforeIndex > 0 ? [`after ${log.beforeIndex}/${log.beforeTerm}`] : [];
    this.#say(`${id}: ${[...before, ...log.entries.map(textOf)].join(", ")}`);
  }

  #showPeers({ id, raft }: Server): void {
    const { role } = raft;
    if (role.name !== "leader") throw new RangeError(`'${id}' does not lead`);
    for (const { id: peer, state, match, next } of role.peers.values()) {
      const more = state.name === "pipeline" ? ` ${state.flights.length} under way` : "";
      this.#say(`${id}: ${peer} ${state.name} match ${match} next ${next}${more}`);
    }
  }
}

function matches({ from, to, message }: Sent, words: readonly string[]): boolean {
  for (let i = 0; i < words.length; i += 2) {
    if (words[i] === "to" && to !== words[i + 1]) return false;
    if (words[i] === "from" && from !== words[i + 1]) return false;
    if (words[i] === "only" && message.type !== words[i + 1]) return false;
  }
  return true;
}
