/**
 * Who a server is: the file `node.json` of its data directory.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { z } from "zod";
import { type Disk, FileNotFoundError } from "../../../cluster/runtime.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import { parseJsonText } from "../../files/json_text.ts";
import { replaceFile } from "../../files/replace.ts";
import { DamagedNodeFileError, DirectoryFormatError } from "./errors.ts";

/** The format of data directories that is written, and the only one that is read. */
export const DIRECTORY_FORMAT = 1;

/** Name of the file. */
export const NODE_FILE = "node.json";

/** Largest file that is read, in bytes. */
const MAX_FILE_BYTES = 4 * 1024;

/** 128 random bits in lower-case hex. */
const id = z.string().regex(/^[0-9a-f]{32}$/, "expected 32 hex digits");

const versioned = z.looseObject({ format: z.int() });

const schema = z.strictObject({
  format: z.literal(DIRECTORY_FORMAT),
  nodeId: id,
  clusterId: id.optional(),
  /** See {@linkcode checkOf}. */
  check: z.string(),
});

/** Who a server is. */
export interface NodeIdentity {
  /** Its id: 128 random bits in hex. */
  readonly nodeId: string;
  /** The id of its cluster, of the same form; `undefined` until it belongs to one. */
  readonly clusterId: string | undefined;
}

/** Whether a text has the form of an id. */
export function isId(text: string): boolean {
  return id.safeParse(text).success;
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
  const { data } = versioned.safeParse(value);
  if (data !== undefined && data.format !== DIRECTORY_FORMAT) {
    throw new DirectoryFormatError(path, data.format, DIRECTORY_FORMAT);
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw damaged([...issue?.path ?? [], issue?.message].join(" "));
  }
  const { nodeId, clusterId, check } = result.data;
  const identity = { nodeId, clusterId };
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
function checkOf({ nodeId, clusterId = "" }: NodeIdentity): string {
  return crc32(nodeId + clusterId).toString(16).padStart(8, "0");
}

function parsed(bytes: Uint8Array, damaged: (problem: string) => Error): unknown {
  try {
    return parseJsonText(decodeUtf8(bytes));
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error));
  }
}
