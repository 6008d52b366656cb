/**
 * Answering the questions about keys that agents ask each other (docs/spec/serf.md 12.2 and 12.4).
 *
 * @module
 */

import { DecodeError } from "../../../protocol/msgpack/mod.ts";
import { Keyring, KeyringError } from "../../memberlist/wire/keyring.ts";
import type { Core } from "../core/core.ts";
import type { QueryEvent } from "../model/event.ts";
import {
  decodeMessage,
  encodeMessage,
  KeyRequest,
  KeyResponse,
  MessageType,
} from "../model/messages.ts";
import { KEY_QUERIES, LIST_KEYS_QUERY, LIST_MANY_KEYS_QUERY } from "../model/query_names.ts";
import { endsOldAgents, listResponse } from "../queries/key_list.ts";

/** A change of the keys. */
interface Change {
  /** What failed, for the log. */
  readonly failure: string;
  /** Makes the change. */
  apply(keyring: Keyring, key: Uint8Array): void;
}

/**
 * Most keys that others may install: each is tried on a packet that no key fits, which takes some microseconds. Serf
 * itself has no bound.
 */
export const MAX_INSTALLED_KEYS = 256;

const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  [KEY_QUERIES.install, {
    failure: "Failed to install key",
    apply: installKey,
  }],
  [KEY_QUERIES.use, {
    failure: "Failed to change primary key",
    apply: (keyring, key) => keyring.use(key),
  }],
  [KEY_QUERIES.remove, {
    failure: "Failed to remove key",
    apply: (keyring, key) => keyring.remove(key),
  }],
]);

function installKey(keyring: Keyring, key: Uint8Array): void {
  const grown = new Keyring([...keyring, key]);
  if (grown.size > Math.max(keyring.size, MAX_INSTALLED_KEYS)) {
    throw new KeyringError(`keyring holds ${keyring.size} keys, remove one first`);
  }
  keyring.add(key);
}

/** Answers a query about keys. Returns false when it is none. A change is saved before it is confirmed. */
export function answerKeyQuery(core: Core, query: QueryEvent): boolean {
  const change = CHANGES.get(query.name);
  if (change !== undefined) {
    answerChange(core, query, change).catch((error) =>
      core.log.error(`Failed to answer '${query.name}': ${error}`, { error })
    );
    return true;
  }
  if (query.name !== LIST_KEYS_QUERY && query.name !== LIST_MANY_KEYS_QUERY) return false;
  answerList(core, query);
  return true;
}

/** Warns when there are so many keys that some agents must not be asked for them. */
export function warnOfManyKeys(core: Core): void {
  const { keyring } = core.config.memberlist;
  if (keyring === undefined || !endsOldAgents(core, keyring)) return;
  core.noise.write(
    "warn",
    "many keys",
    `The keyring holds ${keyring.size} keys: a Serf 0.9.4 agent with as many ends when anyone lists the keys`,
  );
}

async function answerChange(core: Core, query: QueryEvent, change: Change): Promise<void> {
  received(core, query);
  const message = await makeChange(core, query, change);
  const answer = { Result: message === undefined, Message: message ?? "" };
  send(core, query, keyResponse(answer));
}

/** Saves a change and makes it. Returns why that failed: no text when the request cannot be read, as Go. */
async function makeChange(
  core: Core,
  { payload, name }: QueryEvent,
  { failure, apply }: Change,
): Promise<string | undefined> {
  const { keyring } = core.config.memberlist;
  const key = readKey(payload);
  if (key === undefined) {
    core.noise.write("error", "key request", `Failed to decode key request of '${name}'`);
    return "";
  }
  if (keyring === undefined) return "No keyring to modify (encryption not enabled)";
  try {
    await core.keySaver.change((ring) => apply(ring, key));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof KeyringError) core.noise.write("error", name, `${failure}: ${message}`);
    else core.noise.write("error", "save keys", message);
    return message;
  }
  warnOfManyKeys(core);
  if (core.config.saveKeys === undefined) {
    core.noise.write(
      "warn",
      "unsaved keys",
      "Keys are not saved, this agent forgets the change when it ends",
    );
  }
  return undefined;
}

/** The key of a request; its type byte may be any. */
function readKey(payload: Uint8Array | null): Uint8Array | undefined {
  if (payload === null || payload.length === 0) return undefined;
  try {
    return decodeMessage(KeyRequest, payload).Key ?? new Uint8Array(0);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function answerList(core: Core, query: QueryEvent): void {
  received(core, query);
  const { memberlist: { keyring }, queryResponseSizeLimit: limit } = core.config;
  if (keyring === undefined) {
    const Message = "Keyring is empty (encryption not enabled)";
    return send(core, query, keyResponse({ Result: false, Message }));
  }
  const envelope = { LTime: query.ltime, ID: query.id, From: core.name };
  const answer = listResponse(keyring, envelope, limit);
  if (answer !== undefined) return send(core, query, answer);
  core.noise.write("error", query.name, `No list of keys fits ${limit} bytes`);
}

function received(core: Core, { name }: QueryEvent): void {
  const text = `Received ${name.slice(name.lastIndexOf("_") + 1)} query`;
  // Whoever has the key is a member, and each change of keys is worth a line.
  if (core.config.memberlist.keyring !== undefined) core.log.info(text);
  else core.noise.write("info", name, text);
}

function keyResponse(fields: Pick<KeyResponse, "Result" | "Message">): Uint8Array {
  const response: KeyResponse = { Keys: null, PrimaryKey: "", ...fields };
  return encodeMessage(MessageType.keyResponse, KeyResponse, response);
}

function send(core: Core, query: QueryEvent, answer: Uint8Array): void {
  try {
    query.respond(answer);
  } catch (error) {
    core.noise.write("error", "key answer", `Failed to answer '${query.name}': ${error}`);
  }
}
