/**
 * The commands, one line each.
 *
 * Each command is loaded when it is asked for, so that `members` does not wait for the agent's code.
 *
 * @module
 */

import type { Catalogue } from "./command.ts";

/** Every command by name, in the order in which the list shows them. */
export const COMMANDS: Catalogue = {
  agent: { synopsis: "Runs a skein agent", load: () => import("./agent.ts") },
  completion: {
    synopsis: "Prints a script that lets a shell complete skein's commands",
    load: async () => ({
      command: (await import("./completion.ts")).completionCommand(COMMANDS),
    }),
  },
  event: {
    synopsis: "Sends a custom event through the cluster",
    load: () => import("./event.ts"),
  },
  "force-leave": {
    synopsis: 'Forces a member of the cluster to enter the "left" state',
    load: () => import("./force_leave.ts"),
  },
  info: {
    synopsis: "Provides debugging information for operators",
    load: () => import("./info.ts"),
  },
  join: { synopsis: "Tells an agent to join a cluster", load: () => import("./join.ts") },
  keygen: { synopsis: "Generates a new encryption key", load: () => import("./keygen.ts") },
  keys: {
    synopsis: "Manages the encryption keys of the cluster",
    load: () => import("./keys.ts"),
  },
  leave: {
    synopsis: "Gracefully leaves the cluster and shuts the agent down",
    load: () => import("./leave.ts"),
  },
  members: { synopsis: "Lists the members of the cluster", load: () => import("./members.ts") },
  monitor: {
    synopsis: "Streams logs and events from an agent",
    load: () => import("./monitor.ts"),
  },
  query: { synopsis: "Sends a query to the cluster", load: () => import("./query.ts") },
  reachability: {
    synopsis: "Tests network reachability",
    load: () => import("./reachability.ts"),
  },
  rtt: {
    synopsis: "Estimates the network round trip time between two members",
    load: () => import("./rtt.ts"),
  },
  tags: { synopsis: "Modifies the tags of a running agent", load: () => import("./tags.ts") },
  validate: {
    synopsis: "Checks the configuration of an agent",
    load: () => import("./validate.ts"),
  },
  version: { synopsis: "Prints the version of skein", load: () => import("./version.ts") },
};
