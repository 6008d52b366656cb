/**
 * What comes back from a query, as records for the client that asked (docs/spec/agent.md 4.3).
 *
 * @module
 */

import type { RunningQuery } from "../../cluster/serf/mod.ts";
import { QueryRecord, ResponseHeader } from "../../protocol/ipc/mod.ts";
import { encode, type Writer } from "../../protocol/msgpack/mod.ts";
import { pause } from "../net/deadline.ts";
import type { Outbox } from "../net/outbox.ts";

/**
 * Pause between the last answer and `done` when all have answered, in milliseconds. Serf's command line takes acks,
 * answers and the end from three places at random: what it has not taken when the end comes is lost. A Go agent sends
 * `done` at the deadline, when that cannot happen.
 */
const DONE_PAUSE_MS = 100;

/**
 * Sends acks and responses as they come and `done` after the last one. While the client does not read, they wait in the
 * query, which has room for one of each member. Resolves, and never rejects, when the query has ended.
 *
 * @param seq The Seq of the `query` request.
 * @param ended Aborts when the client asks no more: it gets what there is at once.
 */
export async function sendQueryRecords(
  outbox: Outbox<Writer>,
  seq: number | bigint,
  query: RunningQuery,
  ended: AbortSignal,
): Promise<void> {
  const header = encode(ResponseHeader, { Error: "", Seq: seq }, "rpc");
  const send = async (Type: string, From: string, Payload: Uint8Array | null): Promise<void> => {
    await outbox.drained();
    outbox.sureRecord(header, encode(QueryRecord, { Type, From, Payload }, "rpc"));
  };
  const acks = async (): Promise<void> => {
    for await (const from of query.acks) if (isNamed(from)) await send("ack", from, null);
  };
  const answers = async (): Promise<void> => {
    for await (const { from, payload } of query.answers) {
      if (isNamed(from)) await send("response", from, payload);
    }
  };
  await Promise.all([acks(), answers()]);
  const { reason, responded, acked } = await query.finished;
  if (reason === "complete" && responded + acked > 0) await pause(DONE_PAUSE_MS, ended);
  await send("done", "", null);
}

/** Nothing verifies the names of answers, and clients take a record without one for the last (docs/spec/agent.md 10). */
function isNamed(from: string): boolean {
  return from !== "";
}
