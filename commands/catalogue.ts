/**
 * The commands, one line each.
 *
 * Each command is loaded when it is asked for, so that `members` does not wait for the agent's code.
 *
 * @module
 */

import type { Catalogue } from "./shell/command.ts";

/** Every command by name, in the order in which the list shows them. */
export const COMMANDS: Catalogue = {
  agent: { synopsis: "Runs a skein agent", load: () => import("./agent/agent.ts") },
  completion: {
    synopsis: "Prints a script that lets a shell complete skein's commands",
    load: async () => ({
      command: (await import("./agent/completion.ts")).completionCommand(COMMANDS),
    }),
  },
  event: {
    synopsis: "Sends a custom event through the cluster",
    load: () => import("./serf/event.ts"),
  },
  "force-leave": {
    synopsis: 'Forces a member of the cluster to enter the "left" state',
    load: () => import("./serf/force_leave.ts"),
  },
  help: {
    synopsis: "Lists the commands, or explains one",
    load: async () => ({ command: (await import("./agent/help.ts")).helpCommand(COMMANDS) }),
  },
  info: {
    synopsis: "Provides debugging information for operators",
    load: () => import("./serf/info.ts"),
  },
  join: { synopsis: "Tells an agent to join a cluster", load: () => import("./serf/join.ts") },
  keygen: { synopsis: "Generates a new encryption key", load: () => import("./serf/keygen.ts") },
  keys: {
    synopsis: "Manages the encryption keys of the cluster",
    load: () => import("./serf/keys.ts"),
  },
  kv: {
    synopsis: "Reads and changes the key-value store",
    load: () => import("./kv/kv.ts"),
  },
  leave: {
    synopsis: "Gracefully leaves the cluster and shuts the agent down",
    load: () => import("./serf/leave.ts"),
  },
  members: {
    synopsis: "Lists the members of the cluster",
    load: () => import("./serf/members.ts"),
  },
  monitor: {
    synopsis: "Streams logs and events from an agent",
    load: () => import("./serf/monitor.ts"),
  },
  query: { synopsis: "Sends a query to the cluster", load: () => import("./serf/query.ts") },
  raft: {
    synopsis: "Tells how the replicated state is, and changes who keeps it",
    load: () => import("./raft/raft.ts"),
  },
  reachability: {
    synopsis: "Tests network reachability",
    load: () => import("./serf/reachability.ts"),
  },
  reload: {
    synopsis: "Makes an agent read its configuration again",
    load: () => import("./serf/reload.ts"),
  },
  rtt: {
    synopsis: "Estimates the network round trip time between two members",
    load: () => import("./serf/rtt.ts"),
  },
  session: {
    synopsis: "Lists the sessions of clients, and ends them",
    load: () => import("./sessions/session.ts"),
  },
  tags: { synopsis: "Modifies the tags of a running agent", load: () => import("./serf/tags.ts") },
  topic: {
    synopsis: "Creates topics, produces messages to them and consumes them",
    load: () => import("./topics/topic.ts"),
  },
  validate: {
    synopsis: "Checks the configuration of an agent",
    load: () => import("./agent/validate.ts"),
  },
  version: { synopsis: "Prints the version of skein", load: () => import("./agent/version.ts") },
};
