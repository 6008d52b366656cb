/**
 * What comes back from a query, as records for the client that asked (agent.md 4.3).
 *
 * @module
 */

import type { RunningQuery } from "../../cluster/serf/mod.ts";
import { QueryRecord, ResponseHeader } from "../../protocol/ipc.ts";
import { encode } from "../../protocol/msgpack/mod.ts";
import type { Output } from "./output.ts";

/**
 * Sends acks and responses as they come and `done` after the last one. While the client does not read, they wait in the
 * query, which has room for one of each member. Resolves, and never rejects, when the query has ended.
 *
 * @param seq The Seq of the `query` request.
 */
export async function sendQueryRecords(
  output: Output,
  seq: number | bigint,
  query: RunningQuery,
): Promise<void> {
  const header = encode(ResponseHeader, { Error: "", Seq: seq }, "rpc");
  const send = (record: QueryRecord): void =>
    output.sureRecord(header, encode(QueryRecord, record, "rpc"));
  const acks = async (): Promise<void> => {
    for await (const from of query.acks) {
      if (!isNamed(from)) continue;
      await output.drained();
      send({ Type: "ack", From: from, Payload: null });
    }
  };
  const answers = async (): Promise<void> => {
    for await (const { from, payload } of query.answers) {
      if (!isNamed(from)) continue;
      await output.drained();
      send({ Type: "response", From: from, Payload: payload });
    }
  };
  await Promise.all([acks(), answers()]);
  send({ Type: "done", From: "", Payload: null });
}

/** Nothing verifies the names of answers, and clients take a record without one for the last (landscape.md 3.2). */
function isNamed(from: string): boolean {
  return from !== "";
}
