/**
 * Operations of a history: what is asked over a connection, and what the answer, or none, means.
 *
 * @module
 */

import type { Connection, Reply } from "./connection.ts";
import type { History, Operation, Request, Step } from "./history.ts";

/** Does an operation, and keeps it in the history. Throws when a server says what it must not say. */
export async function operate(
  connection: Pick<Connection, "ask">,
  process: number,
  request: Request,
  history: Pick<History, "now" | "add">,
): Promise<Operation> {
  const start = history.now();
  const reply = await connection.ask(lineOf(request));
  const operation = { process, ...request, start, ...meaning(request, reply, history.now()) };
  history.add(operation);
  return operation;
}

function lineOf(request: Request): Parameters<Connection["ask"]>[0] {
  const { action, key, value, if_rev, then = [] } = request;
  if (action === "TXN") {
    return {
      action,
      if: request.if?.map(({ key, value }) =>
        value === "null" ? { key, exists: false } : { key, value: JSON.parse(value) }
      ),
      then: then.map(stepOf),
      else: request.else?.map(stepOf),
    };
  }
  if (action === "MSET") {
    return { action, items: then.map(({ key, value }) => ({ key, ...valueOf(value) })) };
  }
  if (action === "MGET") return { action, keys: then.map(({ key }) => key) };
  return { action, key, ...valueOf(value), if_rev };
}

function stepOf({ action, key, value }: Step): object {
  return { action, key, ...valueOf(value) };
}

function valueOf(value: string | undefined): { readonly value?: unknown } {
  return value === undefined ? {} : { value: JSON.parse(value) };
}

/** What a server has by itself, however old, as text; `undefined` without an answer. */
export async function peek(connection: Connection, key: string): Promise<string | undefined> {
  const reply = await connection.ask({ action: "GET", key, consistency: "stale" });
  if (reply?.status === "ok") return `${JSON.stringify(reply.result)} @${reply.rev}`;
  return reply?.code === 404 ? "nothing" : undefined;
}

function meaning(
  { action, then = [] }: Request,
  reply: Reply | undefined,
  end: number,
): Pick<Operation, "outcome" | "end" | "seen" | "rev" | "succeeded" | "results"> {
  if (reply === undefined) return { outcome: "unknown" };
  const { status, code = 0, reason, result, rev = 0 } = reply;
  if (status === "ok" && action === "TXN") {
    const { succeeded, results } = result as { succeeded: boolean; results: unknown[] };
    return { outcome: "done", end, succeeded, results: results.map(textOf), rev };
  }
  if (status === "ok" && action === "MSET") {
    return { outcome: "done", end, succeeded: true, results: then.map(() => textOf(result)), rev };
  }
  if (status === "ok" && action === "MGET") {
    const results = (result as unknown[]).map(textOf);
    return { outcome: "done", end, succeeded: true, results };
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

function textOf(value: unknown): string {
  return JSON.stringify(value);
}
