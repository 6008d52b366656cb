/**
 * The member list as clients get it: encoded once, until a member changes.
 *
 * @module
 */

import {
  compilePattern,
  loadPatterns,
  MAX_PATTERN_SIZE,
  type Member,
  memberFields,
  type Pattern,
} from "../../cluster/serf/mod.ts";
import { Member as MemberCodec, type MembersFilteredRequest } from "../../protocol/ipc/mod.ts";
import { encode, Writer } from "../../protocol/msgpack/mod.ts";
import type { RpcBackend } from "./backend.ts";

/** Every member ever shown with its encoded form; a changed member is another object. */
const encodedMembers = new WeakMap<Member, Uint8Array>();

/** A member in its encoded form. */
export function encodeMember(member: Member): Uint8Array {
  let bytes = encodedMembers.get(member);
  if (bytes === undefined) {
    bytes = encode(MemberCodec, memberFields(member, member.status), "rpc");
    encodedMembers.set(member, bytes);
  }
  return bytes;
}

/** `{key: members}`, or with `event` `{Event: event, key: members}`. */
export function encodeMembers(members: readonly Member[], event?: string): Uint8Array {
  const writer = new Writer("rpc", 32 + 160 * members.length);
  writer.mapHeader(event === undefined ? 1 : 2);
  if (event !== undefined) {
    writer.str("Event");
    writer.str(event);
  }
  writer.str("Members");
  writer.arrayHeader(members.length);
  for (const member of members) writer.raw(encodeMember(member));
  return writer.finish();
}

/** The answers to `members` and `members-filtered`. */
export class MemberList {
  readonly #backend: RpcBackend;
  #version = NaN;
  #all: Uint8Array = new Uint8Array(0);

  /** @param backend Whose members. */
  constructor(backend: RpcBackend) {
    this.#backend = backend;
  }

  /** All members as a response body. */
  all(): Uint8Array {
    const { membersVersion } = this.#backend;
    if (membersVersion !== this.#version) {
      this.#all = encodeMembers(this.#backend.members());
      this.#version = membersVersion;
    }
    return this.#all;
  }

  /**
   * The members that match as a response body. Rejects with `PatternError` when a pattern is none, or all together are
   * too large.
   */
  async filtered(filter: MembersFilteredRequest): Promise<Uint8Array> {
    await loadPatterns();
    const matches = memberFilter(filter);
    if (matches === undefined) return this.all();
    return encodeMembers(this.#backend.members().filter(matches));
  }
}

/**
 * The test for a filter (docs/spec/agent.md 3, members); `undefined` when everything matches. A pattern P stands for
 * `^P$`, by concatenation: `a|b` is "starts with a or ends with b". Tags come first, then status, then name; together they
 * may take {@linkcode MAX_PATTERN_SIZE} instructions.
 */
export function memberFilter(
  filter: MembersFilteredRequest,
): ((member: Member) => boolean) | undefined {
  let room = MAX_PATTERN_SIZE;
  const compile = (source: string): Pattern => {
    const pattern = compilePattern(`^${source}$`, room);
    room -= pattern.size;
    return pattern;
  };
  const tags = Object.entries(filter.Tags ?? {}).map(([tag, source]) => ({
    tag,
    pattern: compile(source),
  }));
  const status = filter.Status === "" ? undefined : compile(filter.Status);
  const name = filter.Name === "" ? undefined : compile(filter.Name);
  if (tags.length === 0 && status === undefined && name === undefined) return undefined;
  return (member) =>
    (status === undefined || status.test(member.status)) &&
    (name === undefined || name.test(member.name)) &&
    tags.every(({ tag, pattern }) => pattern.test(tagOf(member, tag)));
}

/** A missing tag counts as the empty text. */
function tagOf({ tags }: Member, tag: string): string {
  return Object.hasOwn(tags, tag) ? tags[tag] ?? "" : "";
}
