/**
 * Tags travel in memberlist's node meta (docs/spec/serf.md 3.1).
 *
 * @module
 */

import { decode, encode, record, str } from "../../../protocol/msgpack/mod.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import type { LimitedLogger } from "../../memberlist/core/limited_logger.ts";
import type { MemberNode } from "../../memberlist/core/node.ts";
import { TagsTooLargeError } from "./errors.ts";

/** Most bytes of node meta, the magic byte included (docs/spec/memberlist.md 10). */
export const MAX_META_BYTES = 512;

/** Marks meta that holds a map of tags. */
const TAG_MAGIC = 255;

/** The first Serf protocol version that sends tags; before it the meta is the tag `role` as it is. */
const FIRST_VERSION_WITH_TAGS = 3;

const tagMap = record(str);

/**
 * Tags of a node.
 *
 * @example
 * ```ts
 * import { Agent, type Tags } from "@skein/agent";
 *
 * const tags: Tags = { role: "web", dc: "east" };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0", tags });
 * ```
 */
export type Tags = Readonly<Record<string, string>>;

/**
 * The meta for these tags.
 *
 * @param protocolVersion the own Serf protocol version; below 3 only the tag `role` is sent
 * @throws {TagsTooLargeError} above {@linkcode MAX_META_BYTES}
 */
export function encodeTags(tags: Tags, protocolVersion: number): Uint8Array {
  const meta = protocolVersion < FIRST_VERSION_WITH_TAGS
    ? encodeUtf8(Object.hasOwn(tags, "role") ? tags.role ?? "" : "")
    : withMagic(encode(tagMap, tags, "gossip"));
  if (meta.length > MAX_META_BYTES) {
    throw new TagsTooLargeError(
      `Encoded length of tags exceeds limit of ${MAX_META_BYTES} bytes`,
    );
  }
  return meta;
}

/**
 * The tags in a node's meta, frozen. Meta without the magic byte, also empty meta, is the tag `role`.
 *
 * @throws {DecodeError} when there is a magic byte and no map of texts behind it
 */
export function decodeTags(meta: Uint8Array): Tags {
  if (meta[0] !== TAG_MAGIC) {
    return Object.freeze({ role: decodeUtf8(meta) });
  }
  return Object.freeze(decode(tagMap, meta, 1) ?? {});
}

/** The tags of a node, frozen; none when its meta cannot be read, of which `noise` is told. */
export function tagsOf({ name, meta }: MemberNode, noise: LimitedLogger): Tags {
  try {
    return decodeTags(meta);
  } catch (error) {
    noise.write("error", "tags", `Failed to decode tags of '${name}': ${error}`);
    return Object.freeze({});
  }
}

/** A frozen copy of tags. */
export function copyTags(tags: Tags): Tags {
  return Object.freeze({ ...tags });
}

function withMagic(map: Uint8Array): Uint8Array {
  const meta = new Uint8Array(1 + map.length);
  meta[0] = TAG_MAGIC;
  meta.set(map, 1);
  return meta;
}
