/**
 * The actions: which members a request of each may have, and which one is wrong.
 *
 * The checks are written by hand because every request goes through one of them; a test holds them to a schema.
 *
 * @module
 */

import {
  isNoCount,
  isNoKey,
  isNoRevision,
  isNoSwitch,
  isNoText,
  wrongFreshness,
  wrongTarget,
  wrongTtl,
} from "./checks.ts";
import {
  MAX_CLIENT_LENGTH,
  MAX_ITEMS,
  MAX_LEVELS,
  MAX_LISTED,
  MAX_SKILL_LENGTH,
  MAX_SUBSCRIPTIONS,
} from "../limits.ts";
import type { Members } from "../request.ts";
import { hasOthers, unknownInTransaction, wrongTransaction } from "./transaction.ts";

/** What is known of an action's requests. */
export interface ActionMembers {
  /** The members that it has, besides `id` and `action`. */
  readonly known: readonly string[];
  /** The member that is missing or wrong; `undefined` when all are right. */
  readonly wrong: (request: Members) => string | undefined;
  /** The member with a part that has a member which is not known, of a request whose members are right. Default: none has parts. */
  readonly unknownPart?: (request: Members) => string | undefined;
}

/** Members of a whole request of a session, which a step of one must not have. */
const OF_THE_WHOLE = ["rid", "low"] as const;

/** Every action by name. */
export const ACTIONS: Readonly<Record<string, ActionMembers>> = {
  PING: { known: ["value"], wrong: () => undefined },
  ECHO: { known: ["value"], wrong: wrongEcho },
  HELLO: { known: ["client", "strict", "version"], wrong: wrongHello },
  AUTH: { known: ["token", "user", "password"], wrong: wrongAuth },
  USE: { known: ["namespace"], wrong: wrongUse },
  INFO: { known: ["section"], wrong: wrongInfo },
  QUIT: { known: [], wrong: () => undefined },
  SET: {
    known: [
      ...["key", "namespace", "value", "nx", "xx", "if_rev", "get"],
      ...["ttl", "ttl_ms", "keep_ttl"],
    ],
    wrong: wrongSet,
  },
  GET: { known: ["key", "namespace", "consistency"], wrong: wrongRead },
  DEL: { known: ["key", "namespace", "if_rev", "tree", "if_exists"], wrong: wrongDelete },
  EXISTS: { known: ["key", "namespace", "consistency"], wrong: wrongRead },
  KEYS: {
    known: ["prefix", "namespace", "after", "limit", "depth", "values", "consistency"],
    wrong: wrongKeys,
  },
  CHILDREN: { known: ["key", "namespace", "after", "limit", "consistency"], wrong: wrongChildren },
  INCR: { known: ["key", "namespace", "by", "ttl", "ttl_ms"], wrong: wrongIncrement },
  DECR: { known: ["key", "namespace", "by", "ttl", "ttl_ms"], wrong: wrongIncrement },
  SUBSCRIBE: { known: ["channel", "channels"], wrong: wrongSubscribe },
  UNSUBSCRIBE: { known: ["channel", "channels"], wrong: wrongChannels },
  WATCH: {
    known: ["key", "namespace", "tree", "initial", "old", "from_rev", "coalesce"],
    wrong: wrongWatch,
  },
  UNWATCH: { known: ["watch"], wrong: wrongUnwatch },
  PUBLISH: { known: ["channel", "message"], wrong: wrongPublish },
  TTL: { known: ["key", "namespace", "consistency"], wrong: wrongRead },
  EXPIRE: { known: ["key", "namespace", "ttl", "ttl_ms"], wrong: wrongExpire },
  PERSIST: { known: ["key", "namespace"], wrong: wrongPersist },
  MGET: { known: ["keys", "namespace", "consistency"], wrong: wrongGetMany },
  MSET: {
    known: ["items", "namespace"],
    wrong: wrongSetMany,
    unknownPart: ({ items }) =>
      (items as readonly Members[]).some((item) => hasOthers(item, ITEM)) ? "items" : undefined,
  },
  SESSION: { known: ["op", "session", "capabilities", "ack"], wrong: wrongSession },
  DISPATCH: { known: ["capability", "value", "payload"], wrong: wrongDispatch },
  TXN: {
    known: ["if", "then", "else", "namespace"],
    wrong: (request) => wrongTransaction(request, STEPS),
    unknownPart: (request) => unknownInTransaction(request, (name) => ACTIONS[name]?.known ?? []),
  },
};

/** The members that all actions have, or that are looked at before. */
const OF_ALL: readonly string[] = ["id", "action", ...OF_THE_WHOLE];

/** Highest id of a request of a session. */
const MAX_REQUEST_ID = Number.MAX_SAFE_INTEGER;

/** The name of a capability. */
const CAPABILITY = /^[A-Za-z0-9_-]+$/;

/** The members of an item of MSET. */
const ITEM: readonly string[] = ["key", "value", "ttl", "ttl_ms"];

/** The actions that may be steps of a transaction. */
const STEPS: Readonly<Record<string, ActionMembers["wrong"]>> = {
  SET: (step) => ofTheWhole(step) ?? wrongSet(step),
  GET: wrongTarget,
  DEL: (step) => step["tree"] === true ? "tree" : ofTheWhole(step) ?? wrongDelete(step),
  INCR: (step) => ofTheWhole(step) ?? wrongIncrement(step),
  DECR: (step) => ofTheWhole(step) ?? wrongIncrement(step),
  TTL: wrongTarget,
  EXPIRE: (step) => ofTheWhole(step) ?? wrongExpire(step),
  PERSIST: (step) => ofTheWhole(step) ?? wrongPersist(step),
};

/** What is wrong of the members that say which request of a session it is; `undefined` when nothing is, or there are none. */
export function wrongOnce({ rid, low }: Members): string | undefined {
  if (rid === undefined ? low !== undefined : isNoCount(rid, MAX_REQUEST_ID)) return "rid";
  return isNoRevision(low) ? "low" : undefined;
}

/** The first member of a request that its action does not have. */
export function unknownMember(
  request: Members,
  { known, unknownPart }: ActionMembers,
): string | undefined {
  for (const name in request) {
    if (!OF_ALL.includes(name) && !known.includes(name)) return name;
  }
  return unknownPart?.(request);
}

function wrongEcho({ value }: Members): string | undefined {
  return value === undefined ? "value" : undefined;
}

function wrongHello({ client, strict, version }: Members): string | undefined {
  if (isNoText(client) || (client as string | undefined ?? "").length > MAX_CLIENT_LENGTH) {
    return "client";
  }
  if (isNoSwitch(strict)) return "strict";
  return version === undefined || Number.isSafeInteger(version) ? undefined : "version";
}

/** A token, or a user and a password. */
function wrongAuth({ token, user, password }: Members): string | undefined {
  if (isNoText(token)) return "token";
  if (isNoText(user)) return "user";
  if (isNoText(password)) return "password";
  const isUser = user !== undefined || password !== undefined;
  if (isUser === (token !== undefined)) return "token";
  if (token !== undefined) return undefined;
  return user === undefined ? "user" : password === undefined ? "password" : undefined;
}

function wrongSession({ op, session, capabilities, ack }: Members): string | undefined {
  switch (op) {
    case "create":
      return capabilities === undefined || isMapOfTexts(capabilities) ? undefined : "capabilities";
    case "continue":
      return typeof session === "string" ? undefined : "session";
    case "close":
      return undefined;
    case "ack":
      return isNoCount(ack, MAX_REQUEST_ID) ? "ack" : undefined;
    default:
      return "op";
  }
}

function isMapOfTexts(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === "string");
}

function wrongDispatch({ capability, value, payload }: Members): string | undefined {
  if (typeof capability !== "string" || !CAPABILITY.test(capability)) return "capability";
  if (value !== undefined && (typeof value !== "string" || value === "")) return "value";
  const length = capability.length + 1 + (value as string | undefined ?? "").length;
  if (length > MAX_SKILL_LENGTH) return "capability";
  return payload === undefined ? "payload" : undefined;
}

function wrongUse({ namespace }: Members): string | undefined {
  return typeof namespace === "string" ? undefined : "namespace";
}

function wrongInfo({ section }: Members): string | undefined {
  return section === undefined || typeof section === "string" ? undefined : "section";
}

function wrongSet(request: Members): string | undefined {
  const { value, nx, xx, if_rev, get, keep_ttl } = request;
  const wrong = wrongTarget(request);
  if (wrong !== undefined) return wrong;
  if (value === undefined) return "value";
  if (isNoSwitch(nx) || (nx === true && xx === true)) return "nx";
  if (isNoSwitch(xx)) return "xx";
  if (isNoRevision(if_rev)) return "if_rev";
  if (isNoSwitch(get)) return "get";
  if (request["ttl"] === undefined && request["ttl_ms"] === undefined) {
    return isNoSwitch(keep_ttl) ? "keep_ttl" : undefined;
  }
  return isNoSwitch(keep_ttl) || keep_ttl === true ? "keep_ttl" : wrongTtl(request);
}

function wrongRead(request: Members): string | undefined {
  return wrongTarget(request) ?? wrongFreshness(request);
}

function wrongKeys(request: Members): string | undefined {
  const { prefix, after, depth, values } = request;
  if (prefix !== undefined && isNoKey(prefix)) return "prefix";
  if (after !== undefined && isNoKey(after)) return "after";
  if (depth !== undefined && isNoCount(depth, MAX_LEVELS)) return "depth";
  return isNoSwitch(values) ? "values" : wrongListing(request);
}

function wrongChildren(request: Members): string | undefined {
  const { key, after } = request;
  if (key !== undefined && isNoKey(key)) return "key";
  return isNoText(after) ? "after" : wrongListing(request);
}

function wrongListing(request: Members): string | undefined {
  const { namespace, limit } = request;
  if (isNoText(namespace)) return "namespace";
  if (limit !== undefined && isNoCount(limit, MAX_LISTED)) return "limit";
  return wrongFreshness(request);
}

function wrongDelete(request: Members): string | undefined {
  const { if_rev, tree, if_exists } = request;
  const wrong = wrongTarget(request);
  if (wrong !== undefined) return wrong;
  if (isNoRevision(if_rev)) return "if_rev";
  if (isNoSwitch(tree)) return "tree";
  return isNoSwitch(if_exists) ? "if_exists" : undefined;
}

function wrongIncrement(request: Members): string | undefined {
  const { by } = request;
  const wrong = wrongTarget(request);
  if (wrong !== undefined) return wrong;
  return by === undefined || Number.isSafeInteger(by) ? wrongTtl(request) : "by";
}

function wrongWatch(request: Members): string | undefined {
  const { tree, initial, old, from_rev, coalesce } = request;
  const wrong = wrongTarget(request);
  if (wrong !== undefined) return wrong;
  if (isNoSwitch(tree)) return "tree";
  if (isNoSwitch(initial)) return "initial";
  if (isNoSwitch(old)) return "old";
  // Changes from then on begin with those before what is there now.
  if (isNoRevision(from_rev) || (from_rev !== undefined && initial === true)) return "from_rev";
  return isNoSwitch(coalesce) ? "coalesce" : undefined;
}

function wrongUnwatch({ watch }: Members): string | undefined {
  return Number.isSafeInteger(watch) ? undefined : "watch";
}

function wrongSubscribe(request: Members): string | undefined {
  const isAboutNone = request["channel"] === undefined && request["channels"] === undefined;
  return isAboutNone ? "channel" : wrongChannels(request);
}

/** One of both, or none. */
function wrongChannels({ channel, channels }: Members): string | undefined {
  if (channels === undefined) {
    return channel !== undefined && isNoKey(channel) ? "channel" : undefined;
  }
  const isRight = channel === undefined && Array.isArray(channels) && channels.length > 0 &&
    channels.length <= MAX_SUBSCRIPTIONS && !channels.some(isNoKey);
  return isRight ? undefined : "channels";
}

function wrongPublish(request: Members): string | undefined {
  const { channel, message } = request;
  if (isNoKey(channel)) return "channel";
  if (request["durable"] !== undefined) return "durable";
  return message === undefined ? "message" : undefined;
}

function wrongExpire(request: Members): string | undefined {
  return wrongTarget(request) ?? wrongTtl(request, true);
}

function wrongPersist(request: Members): string | undefined {
  return wrongTarget(request);
}

function wrongGetMany(request: Members): string | undefined {
  const { keys, namespace } = request;
  if (!isList(keys) || keys.some(isNoKey)) return "keys";
  return isNoText(namespace) ? "namespace" : wrongFreshness(request);
}

function wrongSetMany(request: Members): string | undefined {
  const { items, namespace } = request;
  if (!isList(items) || items.some(isNoItem)) return "items";
  return isNoText(namespace) ? "namespace" : undefined;
}

function isNoItem(item: unknown): boolean {
  if (typeof item !== "object" || item === null) return true;
  const { key, value } = item as Members;
  return isNoKey(key) || value === undefined || wrongTtl(item as Members) !== undefined;
}

function isList(list: unknown): list is readonly unknown[] {
  return Array.isArray(list) && list.length > 0 && list.length <= MAX_ITEMS;
}

function ofTheWhole(step: Members): string | undefined {
  for (const name of OF_THE_WHOLE) if (step[name] !== undefined) return name;
  return undefined;
}
