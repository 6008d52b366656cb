/**
 * What servers tell each other through gossip: one tag, which says where a server is found and whether it belongs to a cluster.
 * Agents that keep no state and ask servers for their clients tell where they are found.
 *
 *     1:PORT:NODE:CLUSTER:EXPECT[:sSESSIONS][:tTOPICS][:leaving]      1:7376:0f3c...:9e21bb04:3:s7375:t9092
 *     gateway:1:PORT:NODE                                             gateway:1:7376:77ab...
 *
 * NODE is the whole id of the node, 32 hex digits: a leader that takes a server in has to name it. CLUSTER is the beginning of
 * the cluster's id, `-` while the server belongs to none. SESSIONS and TOPICS are the ports for clients of those, at the same host.
 *
 * @module
 */

/** Name of the tag. */
export const STATE_TAG = "skein";

/** Digits of a cluster's id that are told. */
const CLUSTER_DIGITS = 8;

const TAG =
  /^1:([0-9]{1,5}):([0-9a-f]{32}):(-|[0-9a-f]{8}):([0-9]{1,2})(?::s([0-9]{1,5}))?(?::t([0-9]{1,5}))?(:leaving)?$/;

const GATEWAY_TAG = /^gateway:1:([0-9]{1,5}):([0-9a-f]{32})$/;

/** What an agent tells that keeps no state. */
export interface GatewayTag {
  /** Port on which it listens for servers. */
  readonly port: number;
  /** Id that it has chosen for its life. */
  readonly id: string;
}

/** What a server tells. */
export interface ServerTag {
  /** Port on which it listens for other servers. */
  readonly port: number;
  /** Id of its data directory. */
  readonly id: string;
  /** Beginning of its cluster's id; `undefined` while its log is empty. */
  readonly cluster: string | undefined;
  /** How many servers are to found the cluster; 0 when it waits to be added to one. */
  readonly expect: number;
  /** Port for clients with sessions at the host that gossip shows; `undefined`: none. */
  readonly sessionPort: number | undefined;
  /** Port for clients of topics at that host; `undefined`: none. */
  readonly topicsPort: number | undefined;
  /** Whether it is about to leave, and is not to be taken in again. */
  readonly isLeaving: boolean;
}

/** The beginning of a cluster's id, as the tag has it. */
export function shortId(clusterId: string): string {
  return clusterId.slice(0, CLUSTER_DIGITS);
}

/** The text of the tag. */
export function encodeTag(
  { port, id, cluster, expect, sessionPort, topicsPort, isLeaving }: ServerTag,
): string {
  const sessions = sessionPort === undefined ? "" : `:s${sessionPort}`;
  const topics = topicsPort === undefined ? "" : `:t${topicsPort}`;
  const leaving = isLeaving ? ":leaving" : "";
  return `1:${port}:${id}:${cluster ?? "-"}:${expect}${sessions}${topics}${leaving}`;
}

/** What a tag tells; `undefined` when it is none that this version knows. */
export function decodeTag(text: string | undefined): ServerTag | undefined {
  const [, port, id, cluster, expect, sessions, topics, leaving] = text?.match(TAG) ?? [];
  if (id === undefined) return undefined;
  if ([port, sessions, topics].some((one) => Number(one) > 0xffff)) return undefined;
  return {
    port: Number(port),
    id,
    cluster: cluster === "-" ? undefined : cluster,
    expect: Number(expect),
    sessionPort: sessions === undefined ? undefined : Number(sessions),
    topicsPort: topics === undefined ? undefined : Number(topics),
    isLeaving: leaving !== undefined,
  };
}

/** The text of the tag of an agent that keeps no state. */
export function encodeGatewayTag({ port, id }: GatewayTag): string {
  return `gateway:1:${port}:${id}`;
}

/** What the tag of such an agent tells; `undefined` when it is none that this version knows. */
export function decodeGatewayTag(text: string | undefined): GatewayTag | undefined {
  const [, port, id] = text?.match(GATEWAY_TAG) ?? [];
  return id === undefined || Number(port) > 0xffff ? undefined : { port: Number(port), id };
}
