/**
 * The commands that talk to the cluster: `event`, `query` and `respond` (docs/spec/agent.md 3).
 *
 * @module
 */

import { loadPatterns } from "../../../cluster/serf/mod.ts";
import { IpcError } from "../../../protocol/ipc/mod.ts";
import { Slab } from "../../../protocol/slab.ts";
import { background } from "../../logging/background.ts";
import { DONE, type Run } from "../handler.ts";
import { MAX_QUERIES } from "../limits.ts";

/** Nanoseconds of a millisecond. */
const NS_PER_MS = 1e6;

/** The log keeps the payloads of its last lines; the core copies what it keeps. */
const eventPayloads = new Slab();

/** Fires a user event. */
export const event: Run<"event"> = ({ services }, { Name, Payload, Coalesce }) => {
  const payload = Payload && eventPayloads.copy(Payload);
  services.backend.event(Name, payload, { coalesce: Coalesce });
  return DONE;
};

/** Asks the cluster. The records follow the response. */
export const query: Run<"query"> = async ({ client, seq, services }, body) => {
  if (client.queries >= MAX_QUERIES) {
    return { error: `Connection has ${MAX_QUERIES} running queries, the most that are allowed` };
  }
  const payload = kept(body.Payload);
  const tags = body.FilterTags ?? {};
  if (Object.keys(tags).length > 0) await loadPatterns();
  const running = services.backend.query(body.Name, payload, {
    nodes: body.FilterNodes ?? [],
    tags,
    requestAck: body.RequestAck,
    relayFactor: body.RelayFactor,
    timeoutMs: Number(body.Timeout) / NS_PER_MS,
  });
  return { after: () => background(client.startQuery(seq, running), services.backend.log) };
};

/** Answers a query that a stream of this connection delivered. A failure leaves the query open for another answer. */
export const respond: Run<"respond"> = ({ client }, { ID, Payload }) => {
  const answer = client.pendingQuery(ID);
  if (answer === undefined) return { error: IpcError.invalidQueryId };
  answer(kept(Payload));
  return DONE;
};

/** A payload as received is a view of the read buffer; what outlives the request needs its own memory. */
function kept(payload: Uint8Array | null): Uint8Array | null {
  return payload === null ? null : payload.slice();
}
