/**
 * Figures of a client.
 *
 * @module
 */

/** What went over the connections of a client; it counts on. */
export interface Traffic {
  requests: number;
  failures: number;
  retries: number;
  bytesSent: number;
  bytesReceived: number;
}

/**
 * What a client has done since it was made.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicStatistics } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await client.listTopics();
 * const { requests, failures, connections }: TopicStatistics = client.statistics;
 * console.log(requests, failures, connections);
 * ```
 */
export interface TopicStatistics {
  /** Requests that were sent, also again. */
  readonly requests: number;
  /** Those of them that failed. */
  readonly failures: number;
  /** Requests that were sent again. */
  readonly retries: number;
  /** Bytes of all requests. */
  readonly bytesSent: number;
  /** Bytes of all replies. */
  readonly bytesReceived: number;
  /** Connections that are open. */
  readonly connections: number;
}
