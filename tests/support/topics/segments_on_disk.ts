/**
 * What servers have of topics: read through their ports, and on their disks.
 *
 * @module
 */

import { join } from "node:path";
import { FLAG } from "../../../protocol/topics/mod.ts";
import { decodeMessages } from "./messages.ts";
import { fetching, isRefused, type RawTopics } from "./raw_client.ts";

const decoder = new TextDecoder();

/**
 * The values of a partition by their offsets, from whichever server is asked: what it has. Stops with the code when it refuses.
 */
export async function read(
  client: RawTopics,
  topic: string,
  partition: number,
): Promise<{ readonly values: Map<number, string>; readonly refused: number | undefined }> {
  const values = new Map<number, string>();
  for (let offset = -2;;) {
    const answer = await client.ask("fetch", fetching(topic, offset, { partition }), {
      flags: FLAG.anyServer,
    });
    if (isRefused(answer)) return { values, refused: answer.code };
    const { messages } = answer;
    if (messages.count === 0) return { values, refused: undefined };
    for (const { offset: at, value } of decodeMessages(messages.bytes)) {
      values.set(Number(at), decoder.decode(value as Uint8Array));
      offset = Number(at) + 1;
    }
  }
}

/** The files of segments below the data directory of a server, the largest first. */
export function segmentFiles(dataDir: string): { readonly path: string; readonly bytes: number }[] {
  const topics = join(dataDir, "topics");
  const files = [...Deno.readDirSync(topics)].flatMap(({ name: topic }) =>
    [...Deno.readDirSync(join(topics, topic))].map(({ name }) => {
      const path = join(topics, topic, name);
      return { path, bytes: Deno.statSync(path).size };
    })
  );
  return files.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
}
