/**
 * How servers found a cluster: when as many as are expected see each other and none has a log, the one with the least id asks the
 * others, and founds it once all of them have promised to follow nobody else.
 *
 * Gossip alone would not do: two servers that see different sets could both believe to have the least id. A promise is given to one
 * founder at a time, and the two sets of two founders share a server unless there are twice as many as expected.
 *
 * @module
 */

import { shortId } from "../gossip_tag.ts";
import type { GossipServer } from "../servers.ts";

/** Whom a server waits for, or whom it can found a cluster with. */
export type Gathering =
  | { readonly state: "waiting"; readonly text: string }
  | { readonly state: "following"; readonly founder: string }
  | { readonly state: "founding"; readonly ids: readonly string[] };

/** A server without a log. */
export interface Gatherer {
  readonly id: string;
  /** The cluster that it has been told to belong to, if it has. */
  readonly clusterId: string | undefined;
  /** How many servers are to found a cluster; 0 when it waits to be added to one. */
  readonly expect: number;
}

/** What a server without a log makes of the servers that it sees. */
export function gather(
  { id: own, clusterId, expect }: Gatherer,
  servers: readonly GossipServer[],
): Gathering {
  const alive = servers.filter(({ status }) => status === "alive");
  const members = alive.filter(({ id, cluster }) => id !== own && cluster !== undefined);
  const member = members.find(({ cluster }) =>
    clusterId === undefined || cluster === shortId(clusterId)
  );
  if (member === undefined && clusterId !== undefined && members.length > 0) {
    return { state: "waiting", text: elsewhere(clusterId, members) };
  }
  if (member !== undefined) {
    return {
      state: "waiting",
      text: `waiting to be added to the cluster of '${member.name}'`,
    };
  }
  if (expect === 0) {
    return {
      state: "waiting",
      text: "waiting for a cluster to be added to, by -join or -retry-join",
    };
  }
  const equal = alive.filter((server) => server.expect === expect);
  const names = equal.map(({ name }) => `'${name}'`).sort().join(", ") || "none yet";
  if (equal.length < expect) {
    const other = alive.find((server) => server.expect !== expect && server.expect > 0);
    const hint = other === undefined
      ? ""
      : `; '${other.name}' expects ${other.expect}, which has to be the same everywhere`;
    return {
      state: "waiting",
      text: `waiting for ${expect - equal.length} of ${expect} servers, here are ${names}${hint}`,
    };
  }
  if (equal.length > expect) {
    return {
      state: "waiting",
      text:
        `${equal.length} servers expect ${expect} (${names}): start the others without -bootstrap-expect`,
    };
  }
  const ids = equal.map(({ id }) => id);
  const founder = ids[0] as string;
  return founder === own ? { state: "founding", ids } : { state: "following", founder };
}

/** What is said where no server of the own cluster is seen, but servers of others. */
function elsewhere(clusterId: string, others: readonly GossipServer[]): string {
  const found = others.map(({ name, cluster }) => `'${name}' of cluster ${cluster}`).join(", ");
  return `it belongs to cluster ${shortId(clusterId)}, and finds only ${found}: ` +
    "join servers of its own, or stop it and have it belong there: skein raft rebuild -force -cluster-id ID";
}
