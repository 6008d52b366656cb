/**
 * The port of clients of topics, of a server.
 *
 * @module
 */

import type { Address } from "../../../cluster/runtime.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import { ROLE } from "../../../protocol/topics/mod.ts";
import type { TopicsConfig } from "../../config/settings.ts";
import type { Guard } from "../../kv/access/guard.ts";
import type { StateServer } from "../../replica/state_server.ts";
import { AgentTopics } from "../../topics/local/local.ts";
import { TopicPort } from "../../topics/port.ts";
import type { TopicCluster, TopicState } from "../../topics/services.ts";
import type { AgentHost } from "../host.ts";

/**
 * Lets clients of topics in, and tells the other servers where.
 *
 * @throws {TopicListenError} when the address cannot be used.
 */
export function listenForTopics(
  { config, log }: AgentHost,
  { host, port }: Address,
  { server, ...options }: TopicsConfig & { readonly server: StateServer },
  guard: Guard | undefined,
): TopicPort {
  const topics = TopicPort.listen({
    ...options,
    address: joinHostPort(host, port),
    state: {
      askHere: (...request) => server.replica.askHere(...request),
      heard: (member) => server.groups.heard(member),
      peek: peekAt(server),
    },
    messages: server.messages,
    cluster: clusterOf(config.nodeName, server),
    log,
    access: guard?.access,
    tls: guard?.tls,
  });
  server.announce("topics", topics.address);
  return topics;
}

/** The topics of a server for the program around it. */
export function localTopics(
  name: string,
  server: StateServer,
  { autoCreate }: TopicsConfig,
): AgentTopics {
  const state: TopicState = {
    // Whoever leads does it.
    askHere(kind, bytes, timeoutMs, done) {
      if (kind === "command") server.propose(bytes, timeoutMs, done);
      else server.query(bytes, "linearizable", timeoutMs, ({ result }) => done(result));
    },
    heard: (member) => server.groups.heard(member),
    peek: peekAt(server),
  };
  const cluster = clusterOf(name, server);
  return new AgentTopics({ state, messages: server.messages, cluster, autoCreate });
}

function peekAt(server: StateServer): TopicState["peek"] {
  return (question) => server.replica.machine.query(question, Date.now());
}

function clusterOf(name: string, server: StateServer): TopicCluster {
  return {
    name,
    get clusterId() {
      return server.clusterId ?? "";
    },
    get leader() {
      return server.leaderName;
    },
    get isLeader() {
      return server.leader === name;
    },
    get isFull() {
      return server.replica.isFull;
    },
    servers: () =>
      server.places("topics").map(({ name, address, role }) => ({
        id: name,
        host: address?.host ?? "",
        port: address?.port ?? 0,
        role: role === "voter" ? ROLE.voter : ROLE.learner,
      })),
  };
}
