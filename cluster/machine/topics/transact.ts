/**
 * TRANSACT: appends messages to several partitions and commits offsets of a group, all of it or nothing.
 *
 * It is one entry, and nothing is written before all of it is known to be right. An offset may be committed on the condition
 * that another one is there: so of several who have read the same messages, one alone can say what has come of them. What a
 * producer has sent before is not done again, and has the same answer.
 *
 * @module
 */

import type { Reader, Writer } from "../../../protocol/msgpack/mod.ts";
import { type Command, type Context, encodeCall } from "../module.ts";
import type { Failure } from "../result.ts";
import type { StoreReader, Transaction } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import {
  type Commit,
  COMMITTED,
  judgeCommit,
  keepCommit,
  NOT_COMMITTED,
  touchGroup,
} from "./commit.ts";
import { type Committer, fenceOf, NO_MEMBER } from "./groups/fence.ts";
import {
  BAD_COMMITS,
  BAD_GROUP,
  BAD_ITEMS,
  BAD_PARTS,
  MAX_NAME_BYTES,
  MAX_TRANSACT_ITEMS,
  METADATA_TOO_LONG,
  OFFSET_MOVED,
  OUT_OF_ORDER,
  PARTITION_NOT_FOUND,
  QUOTA_EXCEEDED,
  REBALANCING,
  TOPIC_NOT_FOUND,
} from "./limits.ts";
import { isGroup } from "./names.ts";
import { carryOut } from "./producing/carry_out.ts";
import {
  decodeAllProduced,
  encodeProduced,
  type Produce,
  type Produced,
  readPart,
  writePart,
} from "./producing/part.ts";
import { type Plan, Planning } from "./producing/plan.ts";
import { TOPICS } from "./rows/keys.ts";
import { getCommitted } from "./rows/offsets.ts";
import { getTopic } from "./rows/topic.ts";
import { getTotals, putTotals } from "./rows/totals.ts";

/** Number of the command. */
export const TRANSACT = 16;

/** The offset that a group has may be any. */
export const ANY_OFFSET = -2;

/** An offset to be committed, if the group has another one. */
export interface ExpectedCommit extends Commit {
  /** The offset that it has; `NOT_COMMITTED`: none, {@linkcode ANY_OFFSET}: whatever it is. */
  readonly expected: number;
}

/** What is to be done. */
export interface Transact {
  /** Messages, of each partition once. They, their ids and the offsets are at most {@linkcode MAX_TRANSACT_ITEMS}. */
  readonly parts: readonly Produce[];
  /** For whom offsets are committed; empty: nobody, and none are. */
  readonly group: Uint8Array;
  readonly committer?: Committer;
  /** Of each partition one. */
  readonly commits: readonly ExpectedCommit[];
}

type Arguments = Required<Transact> & { readonly parts: readonly Required<Produce>[] };

const VERSION = 1;
const MAX = Number.MAX_SAFE_INTEGER;
const MAX_U32 = 0xffff_ffff;

const decoder = new TextDecoder();

/** By what is wrong with an offset. */
const REFUSALS: Readonly<Record<number, Failure>> = {
  [COMMITTED.topicNotFound]: TOPIC_NOT_FOUND,
  [COMMITTED.partitionNotFound]: PARTITION_NOT_FOUND,
  [COMMITTED.metadataTooLong]: METADATA_TOO_LONG,
  [COMMITTED.quotaExceeded]: QUOTA_EXCEEDED,
};

/** The command. Its result is a {@linkcode Produced} for each part; a failure names the part that is refused. */
export function transactCommand(
  { parts, group, committer = NO_MEMBER, commits }: Transact,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, TRANSACT, (writer) => {
    writer.uint(parts.length);
    for (const part of parts) writePart(writer, part);
    writer.bytes(group);
    writer.uint(committer.member);
    writer.uint(committer.generation);
    writer.uint(commits.length);
    for (const commit of commits) writeCommit(writer, commit);
  });
}

/**
 * What has come of each part, by the body of the result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeTransacted(body: Uint8Array): Produced[] {
  return decodeAllProduced(body);
}

/** The command. */
export const transact: Command<Arguments> = {
  since: VERSION,
  read(reader) {
    const parts: Required<Produce>[] = [];
    for (let left = readUint(reader, 0, MAX_TRANSACT_ITEMS); left > 0; left--) {
      parts.push(readPart(reader));
    }
    const group = readBytes(reader);
    const committer = {
      member: readUint(reader, 0, MAX),
      generation: readUint(reader, 0, MAX_U32),
    };
    const commits: ExpectedCommit[] = [];
    for (let left = readUint(reader, 0, MAX_TRANSACT_ITEMS); left > 0; left--) {
      commits.push(readCommit(reader));
    }
    return { parts, group, committer, commits };
  },
  apply(state, context, args) {
    const plans = planAll(state, context, args);
    if (!Array.isArray(plans)) return plans;
    const isAgain = plans.some(({ known }) => known !== undefined);
    const refusal = isAgain ? undefined : judgeCommits(state, args);
    if (refusal !== undefined) return refusal;
    const produced = plans.map((plan) => carryOut(state, context, plan));
    if (!isAgain && args.commits.length > 0) keepCommits(state, context, args);
    return { ok: true, rev: 0, body: encodeProduced(state, produced) };
  },
};

/** What is to be done with all parts, or why nothing is: all of them were here before, or none was. */
function planAll(
  state: StoreReader,
  { time }: Context,
  { parts, commits }: Arguments,
): Plan[] | Failure {
  const planning = new Planning(state, time);
  const plans: Plan[] = [];
  const names = new Set<string>();
  for (const part of parts) {
    const name = nameOf(part);
    if (names.has(name)) return about(BAD_PARTS, name);
    names.add(name);
    const plan = planning.plan(part);
    if ("ok" in plan) return about(plan, name);
    if (parts.length + commits.length + planning.ids > MAX_TRANSACT_ITEMS) return BAD_ITEMS;
    const isOther = plans.length > 0 &&
      (plan.known === undefined) !== (plans[0]?.known === undefined);
    if (isOther) return about(OUT_OF_ORDER, name);
    plans.push(plan);
  }
  return plans;
}

/** Why offsets may not be committed. */
function judgeCommits(
  state: StoreReader,
  { parts, group, committer, commits }: Arguments,
): Failure | undefined {
  if (group.length === 0 && commits.length === 0) return undefined;
  if (!isGroup(group)) return BAD_GROUP;
  const fence = fenceOf(state, group, committer);
  if (typeof fence !== "function") return fence;
  const totals = getTotals(state);
  const names = new Set<string>();
  for (const commit of commits) {
    const name = nameOf(commit);
    if (names.has(name)) return about(BAD_COMMITS, name);
    names.add(name);
    const refusal = REFUSALS[judgeCommit(state, totals, group, commit)];
    if (refusal !== undefined) return about(refusal, name);
    if (!fence(commit.topic, commit.partition)) return about(REBALANCING, name);
    if (!isExpected(state, group, commit, parts.length > 0)) return about(OFFSET_MOVED, name);
  }
  return undefined;
}

/**
 * Whether a group has the offset that it is expected to have. With messages nothing else will do: who has read the same would
 * send them too. Without, one that is there already is no other one.
 */
function isExpected(
  state: StoreReader,
  group: Uint8Array,
  { topic: name, partition, offset, expected }: ExpectedCommit,
  hasMessages: boolean,
): boolean {
  if (expected === ANY_OFFSET) return true;
  const topic = getTopic(state, name);
  const found = topic && getCommitted(state, group, { topic: topic.id, partition });
  const now = found?.offset ?? NOT_COMMITTED;
  return now === expected || (!hasMessages && now === offset);
}

function keepCommits(
  state: Transaction,
  { time, groups }: Context,
  { group, commits, committer: { member } }: Arguments,
): void {
  if (member !== NO_MEMBER.member) groups?.push({ kind: "heard", member });
  const totals = getTotals(state);
  for (const commit of commits) if (keepCommit(state, time, group, commit)) totals.offsets++;
  putTotals(state, totals);
  touchGroup(state, time, group);
}

function writeCommit(
  writer: Writer,
  { topic, partition, offset, metadata, expected }: ExpectedCommit,
): void {
  writer.bytes(topic);
  writer.uint(partition);
  writer.uint(offset);
  writer.bytes(metadata);
  writer.uint(expected - ANY_OFFSET);
}

function readCommit(reader: Reader): ExpectedCommit {
  return {
    topic: readBytes(reader),
    partition: readUint(reader, 0, MAX_U32),
    offset: readUint(reader, 0, MAX),
    metadata: readBytes(reader),
    expected: readUint(reader, 0, MAX) + ANY_OFFSET,
  };
}

function nameOf(
  { topic, partition }: { readonly topic: Uint8Array; readonly partition: number },
): string {
  return `${decoder.decode(topic.subarray(0, MAX_NAME_BYTES))}/${partition}`;
}

/** The failure of one part. */
function about(failure: Failure, name: string): Failure {
  return { ...failure, field: failure.field === undefined ? name : `${failure.field} of ${name}` };
}
