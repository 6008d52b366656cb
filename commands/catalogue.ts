/**
 * The commands, one line each.
 *
 * Each command is loaded when it is asked for, so that `members` does not wait for the agent's code. Where a path begins above this
 * folder and is put together, the runtime does not even read the file before that, which every start of an agent would pay for; a
 * bundle takes in all files that the path may mean.
 *
 * @module
 */

import type { Catalogue, Command } from "./shell/command.ts";

/** The module of a command. */
function load<M>(path: string): Promise<M> {
  return import(`../commands/${path}.ts`);
}

function command(path: string): () => Promise<{ readonly command: Command }> {
  return () => load(path);
}

/** Every command by name, in the order in which the list shows them. */
export const COMMANDS: Catalogue = {
  agent: { synopsis: "Runs a skein agent", load: () => import("./agent/agent.ts") },
  completion: {
    synopsis: "Prints a script that lets a shell complete skein's commands",
    load: async () => ({
      command: (await load<typeof import("./agent/completion.ts")>("agent/completion"))
        .completionCommand(COMMANDS),
    }),
  },
  event: {
    synopsis: "Sends a custom event through the cluster",
    load: command("serf/event"),
  },
  "force-leave": {
    synopsis: 'Forces a member of the cluster to enter the "left" state',
    load: command("serf/force_leave"),
  },
  help: {
    synopsis: "Lists the commands, or explains one",
    load: async () => ({ command: (await import("./agent/help.ts")).helpCommand(COMMANDS) }),
  },
  info: {
    synopsis: "Provides debugging information for operators",
    load: command("serf/info"),
  },
  join: { synopsis: "Tells an agent to join a cluster", load: command("serf/join") },
  keygen: { synopsis: "Generates a new encryption key", load: command("serf/keygen") },
  keys: {
    synopsis: "Manages the encryption keys of the cluster",
    load: command("serf/keys"),
  },
  kv: {
    synopsis: "Reads and changes the key-value store",
    load: () => import("./kv/kv.ts"),
  },
  leave: {
    synopsis: "Gracefully leaves the cluster and shuts the agent down",
    load: command("serf/leave"),
  },
  members: {
    synopsis: "Lists the members of the cluster",
    load: command("serf/members"),
  },
  monitor: {
    synopsis: "Streams logs and events from an agent",
    load: command("serf/monitor"),
  },
  query: { synopsis: "Sends a query to the cluster", load: command("serf/query") },
  raft: {
    synopsis: "Tells how the replicated state is, and changes who keeps it",
    load: command("raft/raft"),
  },
  reachability: {
    synopsis: "Tests network reachability",
    load: command("serf/reachability"),
  },
  reload: {
    synopsis: "Makes an agent read its configuration again",
    load: command("serf/reload"),
  },
  rtt: {
    synopsis: "Estimates the network round trip time between two members",
    load: command("serf/rtt"),
  },
  tags: { synopsis: "Modifies the tags of a running agent", load: command("serf/tags") },
  validate: {
    synopsis: "Checks the configuration of an agent",
    load: command("agent/validate"),
  },
  version: { synopsis: "Prints the version of skein", load: command("agent/version") },
};
