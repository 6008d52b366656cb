/**
 * Operations of a history: what is asked over a connection, and what the answer, or none, means.
 *
 * @module
 */

import type { Connection, Reply } from "./connection.ts";
import type { History, Operation, Request } from "./history.ts";

/** Does an operation, and keeps it in the history. Throws when a server says what it must not say. */
export async function operate(
  connection: Connection,
  process: number,
  request: Request,
  history: History,
): Promise<Operation> {
  const start = history.now();
  const reply = await connection.ask(lineOf(request));
  const operation = { process, ...request, start, ...meaning(request, reply, history.now()) };
  history.add(operation);
  return operation;
}

function lineOf({ value, expected, ...rest }: Request): Parameters<Connection["ask"]>[0] {
  if (value === undefined) return rest;
  const { action, key } = rest;
  if (action !== "TXN") return { ...rest, value: JSON.parse(value) };
  return {
    action,
    if: [{ key, value: JSON.parse(expected ?? "") }],
    then: [{ action: "SET", key, value: JSON.parse(value) }],
    else: [{ action: "GET", key }],
  };
}

/** What a server has by itself, however old, as text; `undefined` without an answer. */
export async function peek(connection: Connection, key: string): Promise<string | undefined> {
  const reply = await connection.ask({ action: "GET", key, consistency: "stale" });
  if (reply?.status === "ok") return `${JSON.stringify(reply.result)} @${reply.rev}`;
  return reply?.code === 404 ? "nothing" : undefined;
}

function meaning(
  { action }: Request,
  reply: Reply | undefined,
  end: number,
): Pick<Operation, "outcome" | "end" | "seen" | "rev" | "swapped"> {
  if (reply === undefined) return { outcome: "unknown" };
  const { status, code = 0, reason, result, rev = 0 } = reply;
  if (status === "ok" && action === "TXN") {
    const { succeeded, results } = result as { succeeded: boolean; results: unknown[] };
    // Its revision is that of the whole store when nothing was changed.
    if (succeeded) return { outcome: "done", end, rev, swapped: true };
    return { outcome: "done", end, seen: JSON.stringify(results[0]) };
  }
  if (status === "ok") {
    const tells = action === "GET" || action === "INCR";
    return { outcome: "done", end, rev, ...tells && { seen: JSON.stringify(result) } };
  }
  if (code === 404) return { outcome: "missing", end };
  if (reason === "CONDITION_FAILED") return { outcome: "refused", end, rev };
  if (code === 503 || code === 507) return { outcome: "never", end };
  if (code === 504) return { outcome: "unknown" };
  throw new Error(`Unexpected answer to ${action}: ${JSON.stringify(reply)}`);
}
