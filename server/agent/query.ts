/**
 * A query that a program asks: what it waits for, and who answers.
 *
 * @module
 */

import type { QueryAnswer, RunningQuery } from "../../cluster/serf/mod.ts";

/**
 * A query that was sent. A loop over it gets the answers as they come and ends when every member that was asked and is
 * still alive has answered, at the latest at the deadline; leaving the loop closes the query.
 *
 * @example
 * ```ts
 * import { Agent, type AgentQuery } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const query: AgentQuery = agent.query("load", null, { timeoutMs: 50 });
 * for await (const { from, payload } of query) console.log(from, payload);
 * console.log((await query.finished).silent);
 * ```
 */
export interface AgentQuery extends RunningQuery, AsyncIterable<QueryAnswer> {}

/** `query`, with a loop of its own. */
export function asAgentQuery(query: RunningQuery): AgentQuery {
  return {
    ltime: query.ltime,
    id: query.id,
    deadline: query.deadline,
    expected: query.expected,
    acks: query.acks,
    answers: query.answers,
    finished: query.finished,
    get closed(): boolean {
      return query.closed;
    },
    close: () => query.close(),
    [Symbol.asyncIterator](): AsyncIterator<QueryAnswer> {
      const answers = query.answers[Symbol.asyncIterator]();
      return {
        next: () => answers.next(),
        return: () => {
          query.close();
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}
