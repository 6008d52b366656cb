/**
 * What is true of all sessions of a run, by the log alone: a plain model that follows the entries as the first server applies them.
 *
 * @module
 */

import { incrementCommand, resolvePath } from "../../../../cluster/machine/kv/mod.ts";
import {
  decodeAnswer,
  decodeRequests,
  decodeSession,
  type LogEntry,
  type Machine,
  requestsQuestion,
  type Result,
  sessionQuestion,
  type SessionRequest,
} from "../../../../cluster/machine/mod.ts";
import type { Checker } from "../../replica/simulation/checker.ts";
import type { Follower } from "../../replica/simulation/server.ts";
import { readSessionEntry } from "./commands.ts";

/** How long an attempt to begin a session gives the same one, by the log. */
const SAME_ATTEMPT_MS = 60_000;

/** A session, by the log. */
export interface SessionStory {
  readonly id: string;
  /** The client that has begun it. */
  readonly client: string;
  floor: number;
  /** The highest id that was executed. */
  highest: number;
  /** Answers of all requests that were executed, by id; those below the floor too. */
  readonly answers: Map<number, string>;
  /** The keys of the changes that it was told of, in order, since it watches. */
  readonly told: string[];
  /** Whether it watches what all clients change. */
  watches: boolean;
  /** The last server request that was acknowledged. */
  acked: number;
  hasEnded: boolean;
}

/** All sessions that there were. */
export class History implements Follower {
  /** Requests that were executed, and those that were answered again by the state. */
  executed = 0;
  repeated = 0;
  /** Sessions that have ended. */
  ended = 0;
  readonly #checker: Checker;
  readonly #sessions = new Map<string, SessionStory>();
  /** The sessions that attempts have begun, and when by the log. */
  readonly #attempts = new Map<string, { readonly id: string; readonly time: number }>();
  /** Keys that clients count on, by the commands that do so. */
  readonly #keys = new Map<string, string>();
  /** Keys that were counted on. */
  readonly #counted = new Set<string>();
  /** Requests that a server has refused: they may be executed later than those after them. */
  readonly #refused = new Set<string>();
  /** Replies by session and id. */
  readonly #replies = new Map<string, string>();
  /** What came of entries. */
  readonly #results: string[] = [];
  #index = 0;
  #time = 0;
  #looks = 0;

  /** There is none yet. */
  constructor(checker: Checker) {
    this.#checker = checker;
  }

  /** The session of an id, as the log has it. */
  find(id: string): SessionStory | undefined {
    return this.#sessions.get(id);
  }

  /** Sessions that have not ended. */
  get living(): SessionStory[] {
    return [...this.#sessions.values()].filter(({ hasEnded }) => !hasEnded);
  }

  /** How many sessions have begun. */
  get begun(): number {
    return this.#sessions.size;
  }

  /** A client is going to count on a key. */
  counts(key: string): void {
    this.#keys.set(incrementCommand(resolvePath(key) as Uint8Array, 1).toHex(), key);
  }

  /** Whether a key was counted on. */
  wasCounted(key: string): boolean {
    return this.#counted.has(key);
  }

  /** A server refuses a request without executing it. */
  refuses(session: string, id: number): void {
    this.#refused.add(`${session} ${id}`);
  }

  /** A server replies to a request. */
  replies(session: string, id: number, reply: Uint8Array): void {
    const name = `${session} ${id}`;
    const text = reply.toHex();
    const known = this.#replies.get(name);
    this.#replies.set(name, text);
    if (known !== undefined && known !== text) this.#checker.note(`Two replies to ${name}`);
    if (!this.find(session)?.answers.has(id)) this.#checker.note(`${name} was not executed`);
  }

  /** A session is told something: whether it is what it is to be told under this id. */
  tells(session: string, id: number, payload: Uint8Array): void {
    const { push, key } = JSON.parse(new TextDecoder().decode(payload));
    const wanted = this.find(session)?.told[id - 1];
    if (push === "change" && `^${key}` === wanted) return;
    this.#checker.note(`${session} is told ${push} of ${key} by ${id} in place of ${wanted}`);
  }

  /** See {@linkcode Follower.watched}. */
  watched(id: string, machine: Machine): void {
    const apply = machine.apply.bind(machine);
    machine.apply = (entries): (Result | undefined)[] => {
      const results = apply(entries);
      for (const [i, entry] of entries.entries()) this.#follow(id, entry, results[i]);
      if (machine.context.index === this.#index) this.#look(id, machine);
      return results;
    };
  }

  #follow(server: string, entry: LogEntry, result: Result | undefined): void {
    const { index } = entry;
    const text = result?.ok ? result.body.toHex() : result?.reason ?? "";
    const known = this.#results[index] ??= text;
    if (known !== text) this.#checker.note(`Entry ${index} comes to something else at ${server}`);
    if (index !== this.#index + 1) return;
    this.#index = index;
    this.#time = Math.max(this.#time, entry.time);
    if (entry.type !== "command" || result === undefined) return;
    const read = readSessionEntry(entry.data);
    switch (read?.kind) {
      case "create":
        return this.#begin(read.client, read.attempt, result);
      case "request":
        return this.#ask(read.request, result);
      case "ack":
        for (const { session, upTo } of read.acks) {
          const story = this.find(session.toHex());
          if (story) story.acked = Math.max(story.acked, Math.min(upTo, story.told.length));
        }
        return;
      case "expire":
        for (const session of read.sessions) {
          const story = this.find(session.toHex());
          if (story === undefined || story.hasEnded) continue;
          story.hasEnded = true;
          this.ended++;
        }
    }
  }

  #begin(client: string, attempt: string, result: Result): void {
    if (!result.ok) return this.#checker.note(`A session does not begin: ${result.reason}`);
    const id = result.body.toHex();
    const before = this.#attempts.get(attempt);
    const isSame = before !== undefined && this.#time - before.time <= SAME_ATTEMPT_MS &&
      !this.find(before.id)?.hasEnded;
    if (isSame && before.id !== id) this.#checker.note(`Attempt ${attempt} has two sessions`);
    if (this.#sessions.has(id)) return;
    this.#attempts.set(attempt, { id, time: this.#time });
    this.#sessions.set(id, {
      id,
      client,
      floor: 0,
      highest: 0,
      answers: new Map(),
      told: [],
      watches: false,
      acked: 0,
      hasEnded: false,
    });
  }

  #ask({ session, id, low, deed }: SessionRequest, result: Result): void {
    const name = `${session.toHex()} ${id}`;
    const story = this.find(session.toHex());
    const expect = (wanted: string): void => {
      const got = result.ok ? "executed" : result.reason;
      if (got !== wanted) this.#checker.note(`${name}: expected ${wanted}, got ${got}`);
    };
    if (story === undefined || story.hasEnded) return expect("SESSION_EXPIRED");
    story.floor = Math.max(story.floor, low);
    if (id < story.floor) return expect("RESPONSE_EVICTED");
    expect("executed");
    if (!result.ok) return;
    const answer = result.body.toHex();
    const before = story.answers.get(id);
    if (before !== undefined) {
      this.repeated++;
      if (before !== answer) this.#checker.note(`Two answers to ${name}`);
      return;
    }
    story.answers.set(id, answer);
    this.executed++;
    if (id < story.highest && !this.#mayBeLate(story, id)) {
      this.#checker.note(`${name} is executed after ${story.highest}`);
    }
    story.highest = Math.max(story.highest, id);
    if (deed.kind === "watch") story.watches = true;
    if (deed.kind === "command") this.#count(name, deed.bytes, decodeAnswer(result.body).result);
  }

  #mayBeLate({ id: session, client }: SessionStory, id: number): boolean {
    return client.startsWith("mixed") || this.#refused.has(`${session} ${id}`);
  }

  #count(name: string, command: Uint8Array, result: Result): void {
    const key = this.#keys.get(command.toHex());
    if (key === undefined) return this.#checker.note(`Nobody has asked for ${name}`);
    if (!result.ok || new TextDecoder().decode(result.body) !== "1") {
      this.#checker.note(`${name} has counted ${key} to ${JSON.stringify(result)}`);
    }
    if (this.#counted.has(key)) this.#checker.note(`${key} is counted twice, at last by ${name}`);
    this.#counted.add(key);
    for (const story of this.living) if (story.watches) story.told.push(key);
  }

  /** What the state has of one of the sessions is what the log says. */
  #look(server: string, machine: Machine): void {
    const stories = [...this.#sessions.values()];
    const story = stories[this.#looks++ % stories.length];
    if (story === undefined) return;
    const session = Uint8Array.fromHex(story.id);
    const found = machine.query(sessionQuestion(session));
    if (found.ok === story.hasEnded) {
      return this.#checker.note(`${server} ${found.ok ? "still has" : "lacks"} ${story.id}`);
    }
    const waiting = machine.query(requestsQuestion({ session }));
    if (!found.ok || !waiting.ok) return;
    const { floor, highest, firstPending, lastRequest, cached } = decodeSession(found.body);
    const kept = [...story.answers.keys()].filter((id) => id >= story.floor);
    const { requests } = decodeRequests(waiting.body);
    const has = [floor, highest, firstPending, lastRequest, cached, requests.length];
    const told = story.told.length;
    const wanted = [story.floor, story.highest, story.acked + 1, told, kept.length];
    wanted.push(told - story.acked);
    if (String(has) !== String(wanted)) {
      this.#checker.note(`${server} has ${has} of ${story.id} at ${this.#index}, not ${wanted}`);
    }
    for (const { id, payload } of requests) this.tells(story.id, id, payload);
  }
}
