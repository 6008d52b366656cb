/**
 * A topics port on topics in memory.
 *
 * @module
 */

import { AgentLog } from "../../../server/logging/log.ts";
import { TopicPort, type TopicPortOptions } from "../../../server/topics/port.ts";
import { MemoryTopics } from "./memory_topics.ts";
import { RawTopics } from "./raw_client.ts";

/** A port, what is behind it, and what was logged. */
export interface TopicStage extends AsyncDisposable {
  readonly port: TopicPort;
  readonly topics: MemoryTopics;
  readonly log: AgentLog;
  /** Connects. */
  client(): Promise<RawTopics>;
}

/** Begins to serve on a free port of `host`. */
export function serveTopics(
  host: string,
  options: Partial<TopicPortOptions> = {},
  topics: MemoryTopics = new MemoryTopics(),
): TopicStage {
  const log = new AgentLog("alpha");
  const port = TopicPort.listen({
    address: `${host}:0`,
    state: topics,
    messages: topics,
    cluster: topics,
    log,
    maxConnections: 10_000,
    idleLimitMs: 300_000,
    requestLimitMs: 30_000,
    autoCreate: true,
    ...options,
  });
  return {
    port,
    topics,
    log,
    client: () => RawTopics.open(port.address),
    [Symbol.asyncDispose]: () => port.close(),
  };
}
