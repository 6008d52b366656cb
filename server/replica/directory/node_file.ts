/**
 * Who a server is: the file `node.json` of its data directory.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Disk, FileNotFoundError } from "../../../cluster/runtime.ts";
import {
  type Fields,
  listOf,
  matching,
  optional,
  problemOf,
  record,
  text,
} from "../../../protocol/json_shape.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import { parseJsonText } from "../../files/json_text.ts";
import { replaceFile } from "../../files/replace.ts";
import { DamagedNodeFileError, DirectoryFormatError } from "./errors.ts";

/**
 * The format of data directories that is written, and the only one that is read. In the first one topics had no ids of messages and
 * no members of groups: its rows are shorter, and its log has commands that are none any more. The second had the first format of
 * the log.
 */
export const DIRECTORY_FORMAT = 3;

/** Name of the file. */
export const NODE_FILE = "node.json";

/** Bytes of an id. */
const ID_BYTES = 16;

/** Largest file that is read, in bytes. */
const MAX_FILE_BYTES = 4 * 1024;

/** 128 random bits in lower-case hex. */
const id = matching(/^[0-9a-f]{32}$/);

/** Earlier ids of a server that are kept, at most: those that are not known to be out of the members. */
export const MAX_REPLACED = 8;

const FIELDS: Fields = {
  format: (value) => value === DIRECTORY_FORMAT,
  nodeId: id,
  clusterId: optional(id),
  rebuilt: optional(record({ replaces: listOf(id, MAX_REPLACED) })),
  /** See {@linkcode checkOf}. */
  check: text(MAX_FILE_BYTES),
};

/** Who a server is. */
export interface NodeIdentity {
  /** Its id: 128 random bits in hex. */
  readonly nodeId: string;
  /** The id of its cluster, of the same form; `undefined` until it belongs to one. */
  readonly clusterId: string | undefined;
  /**
   * That its directory was emptied after a cluster had been there: it never founds one. `replaces` are the ids that it had before,
   * the oldest first.
   */
  readonly rebuilt?: { readonly replaces: readonly string[] } | undefined;
}

/** Whether a text has the form of an id. */
export function isId(text: unknown): boolean {
  return id(text);
}

/**
 * What the file of a directory says, `undefined` when there is none. `path` is that of the directory, for errors.
 *
 * Rejects as {@linkcode Disk} does, and with {@linkcode DamagedNodeFileError} or {@linkcode DirectoryFormatError}.
 */
export async function readNodeFile(disk: Disk, path: string): Promise<NodeIdentity | undefined> {
  const bytes = await disk.read(NODE_FILE, 0, MAX_FILE_BYTES + 1).catch((error) => {
    if (error instanceof FileNotFoundError) return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const damaged = (problem: string): DamagedNodeFileError =>
    new DamagedNodeFileError(`${path}/${NODE_FILE}`, `is damaged (${problem})`);
  if (bytes.length > MAX_FILE_BYTES) throw damaged(`more than ${MAX_FILE_BYTES} bytes`);
  const value = parsed(bytes, damaged);
  const { format } = Object(value) as { format?: unknown };
  if (Number.isSafeInteger(format) && format !== DIRECTORY_FORMAT) {
    throw new DirectoryFormatError(path, format as number, DIRECTORY_FORMAT);
  }
  const problem = problemOf(value, FIELDS);
  if (problem !== undefined) throw damaged(problem);
  const { nodeId, clusterId, rebuilt, check } = value as NodeIdentity & { readonly check: string };
  const identity = { nodeId, clusterId, rebuilt };
  if (check !== checkOf(identity)) throw damaged("wrong check");
  return identity;
}

/** Replaces the file. Rejects as {@linkcode Disk} does. */
export async function writeNodeFile(disk: Disk, identity: NodeIdentity): Promise<void> {
  const text = JSON.stringify(
    { format: DIRECTORY_FORMAT, ...identity, check: checkOf(identity) },
    null,
    2,
  );
  const bytes = encodeUtf8(`${text}\n`);
  await replaceFile(disk, NODE_FILE, () => [bytes]);
}

/** With another id a server would be somebody else, who may vote a second time: checksum of the ids, CRC-32 in hex. */
function checkOf({ nodeId, clusterId = "", rebuilt }: NodeIdentity): string {
  const before = rebuilt === undefined ? "" : `rebuilt ${rebuilt.replaces.join()}`;
  return crc32(nodeId + clusterId + before).toString(16).padStart(8, "0");
}

/** A new id: of a server, of a cluster, of a comparison of servers. */
export function newId(): string {
  return randomBytes(ID_BYTES).toString("hex");
}

function parsed(bytes: Uint8Array, damaged: (problem: string) => Error): unknown {
  try {
    return parseJsonText(decodeUtf8(bytes));
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error));
  }
}
