/**
 * Who may do what on a key-value port that has a tokens file.
 *
 * @module
 */

import { Places } from "../../../cluster/places.ts";
import type { Failure } from "../../../cluster/machine/mod.ts";
import {
  ACTIONS,
  AUTH_FAILED,
  AUTH_REQUIRED,
  type AuthRequest,
  FORBIDDEN,
  type Members,
  type Problem,
  RATE_LIMITED,
} from "../../../protocol/kv/mod.ts";
import { machineOf } from "../../net/admission.ts";
import { OVERLOADED } from "../../replica/service.ts";
import { Attempts } from "./attempts.ts";
import type { Entry } from "./entries.ts";
import { needsOf, OPEN } from "./needs.ts";
import { allows, type Need } from "./rights.ts";
import { decoy, digestOf, isEqualDigest, stretch } from "./secrets.ts";

/** Passwords that are looked at at a time: each takes some 80 ms of a processor, and 32 MiB. */
const MAX_PASSWORDS = 1;
/** Passwords that wait for their turn; further ones are refused. */
export const MAX_WAITING_PASSWORDS = 32;

/** A client, as far as its rights depend on it. */
interface Client {
  readonly entry?: Entry;
  readonly use: string;
}

/** The entries of a tokens file, as they are now, and those who have failed. */
export class Access {
  readonly #attempts: Attempts;
  readonly #places = new Places(MAX_PASSWORDS);
  /** Makes digests of passwords that were right, which are worth nothing after this process. */
  readonly #secret = crypto.randomUUID();
  /** The digest of the last password of an entry that was right: to look at it again costs little. */
  #right = new WeakMap<Entry, Uint8Array>();
  #entries: readonly Entry[];
  #waiting = 0;

  /** @param now Tells the time, in milliseconds. */
  constructor(entries: readonly Entry[], now: () => number = () => performance.now()) {
    this.#entries = entries;
    this.#attempts = new Attempts(now);
  }

  /** Whether these entries are those that count now. */
  isSame(entries: readonly Entry[]): boolean {
    const texts = new Set(this.#entries.map(({ text }) => text));
    return entries.length === texts.size && entries.every(({ text }) => texts.has(text));
  }

  /** From now on these entries count. Those that say the same as before stay, and with them who was let in by them. */
  replace(entries: readonly Entry[]): void {
    const before = new Map(this.#entries.map((entry) => [entry.text, entry]));
    this.#entries = entries.map((entry) => before.get(entry.text) ?? entry);
  }

  /** Whether an entry counts as it is. */
  has(entry: Entry): boolean {
    return this.#entries.includes(entry);
  }

  /** Whether an entry allows something. */
  allows({ rights }: Entry, need: Need): boolean {
    return allows(rights, need);
  }

  /**
   * Why a client may not have its request done; `undefined` when it may, or when something else is wrong with it.
   *
   * @param action Its name, "" when there is no such action.
   */
  refusal(action: string, request: Members, { entry, use }: Client): Failure | undefined {
    if (entry === undefined) return OPEN.has(action) ? undefined : AUTH_REQUIRED;
    // What is no action, or no request for one, is told by whoever would do it.
    const members = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (members === undefined || members.wrong(request) !== undefined) return undefined;
    const needs = needsOf(action, request, use);
    if ("ok" in needs) return needs;
    return needs.every((need) => allows(entry.rights, need)) ? undefined : FORBIDDEN;
  }

  /** The entry of a token or of a user and a password that came from an address, or why there is none. */
  async authenticate(
    { token, user = "", password = "" }: AuthRequest,
    address: string,
  ): Promise<Entry | Problem> {
    // With IPv6 one machine has more addresses than can be remembered.
    const source = machineOf(address);
    const found = token === undefined
      ? await this.#byPassword(user, password, source)
      : await this.#byToken(token, source);
    // It may have been taken away meanwhile.
    return "ok" in found || this.has(found) ? found : this.#fail(source);
  }

  #fail(source: string): Problem {
    this.#attempts.failed(source);
    return AUTH_FAILED;
  }

  /** A token cannot be guessed, so it is looked at also while its address has to wait: nobody locks it out. */
  async #byToken(token: string, source: string): Promise<Entry | Problem> {
    const digest = await digestOf(token);
    let found: Entry | undefined;
    // All of them, so that the time does not tell where it is.
    for (const entry of this.#entries) {
      const isIt = isEqualDigest(digest, entry.hash.digest);
      if (entry.hash.kind === "token" && isIt) found = entry;
    }
    return found ?? this.#fail(source);
  }

  async #byPassword(
    user: string,
    password: string,
    source: string,
  ): Promise<Entry | Problem> {
    if (!this.#entries.some(({ hash }) => hash.kind === "password")) return this.#fail(source);
    if (this.#attempts.mustWait(source)) return RATE_LIMITED;
    const entry = this.#entries.find(({ name, hash }) => name === user && hash.kind === "password");
    const known = await digestOf(`${this.#secret} ${password}`);
    const right = entry && this.#right.get(entry);
    if (entry && right && isEqualDigest(known, right)) return entry;
    if (this.#waiting >= MAX_WAITING_PASSWORDS) return OVERLOADED;
    this.#waiting++;
    try {
      return await this.#places.run(async () => {
        // Others of this address may have failed since.
        if (this.#attempts.mustWait(source)) return RATE_LIMITED;
        const hash = entry?.hash.kind === "password" ? entry.hash : decoy();
        const digest = await stretch(password, hash.salt, hash.logRounds);
        if (entry === undefined || !isEqualDigest(digest, hash.digest)) {
          return this.#fail(source);
        }
        this.#right.set(entry, known);
        return entry;
      });
    } finally {
      this.#waiting--;
    }
  }
}
