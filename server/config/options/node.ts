/**
 * The options that say who a node is and where it is found (docs/spec/agent.md 6.2, 6.3, 6.5).
 *
 * @module
 */

import type { OptionTable } from "./option.ts";

/** Name, addresses and tags. */
export const NODE_OPTIONS = {
  node_name: {
    kind: "text",
    setting: "nodeName",
    default: "",
    flag: "node",
    placeholder: "NAME",
    doc: "Name of this node, unique in the cluster.",
    unset: "the host name",
  },
  bind: {
    kind: "text",
    setting: "bind",
    default: "0.0.0.0",
    flag: "bind",
    placeholder: "ADDRESS",
    doc: "Address for gossip, UDP and TCP. An IPv6 address needs brackets: [::1] or [::1]:7946. " +
      "0.0.0.0 and [::] are all addresses, of both families. Port 0 takes a free one.",
    unset: "0.0.0.0:7946",
    examples: ["0.0.0.0:7946", "[::]:7946"],
  },
  advertise: {
    kind: "text",
    setting: "advertise",
    default: "",
    flag: "advertise",
    placeholder: "ADDRESS",
    doc: "Address that other members use to reach this one; without a port, 7946. For a bind " +
      "address that is all addresses, a private one of an interface that is up is taken, first " +
      "of that with the default route.",
    unset: "the bind address",
  },
  interface: {
    kind: "text",
    setting: "interface",
    default: "",
    flag: "iface",
    placeholder: "NAME",
    doc: "Network interface to bind to, when the bind address is 0.0.0.0. Another bind address " +
      "must be one of the interface's.",
  },
  rpc_addr: {
    kind: "text",
    setting: "rpcAddr",
    default: "127.0.0.1:7373",
    flag: "rpc-addr",
    placeholder: "ADDRESS",
    doc: "Address of the RPC listener, which the other commands talk to. :7373 and 0.0.0.0:7373 " +
      "are all addresses, of both families.",
  },
  rpc_auth: {
    kind: "text",
    setting: "rpcAuth",
    default: "",
    doc: "Token that RPC clients must show. There is no flag for it, because others could read " +
      "it in the list of processes; rpc_auth_file names a file.",
    secret: true,
  },
  rpc_auth_file: {
    kind: "text",
    isOurs: true,
    setting: "rpcAuthFile",
    default: "",
    flag: "rpc-auth-file",
    placeholder: "PATH",
    doc: "File that holds the token of rpc_auth and nothing else.",
  },
  tags: {
    kind: "map",
    setting: "tags",
    default: {},
    flag: "tag",
    placeholder: "KEY=VALUE",
    doc: "Tags of this node. On a reload, tags that were changed over RPC stay as they are, " +
      "unless the configuration now says something else about them.",
    reloads: true,
  },
  tags_file: {
    kind: "text",
    setting: "tagsFile",
    default: "",
    flag: "tags-file",
    placeholder: "PATH",
    doc: "File that keeps the tags over restarts. It excludes tags from the configuration and " +
      "from flags.",
  },
  role: {
    kind: "text",
    flag: "role",
    placeholder: "NAME",
    doc: "Sets the tag 'role', and wins over tags. Deprecated: use a tag.",
    reloads: true,
  },
} as const satisfies OptionTable;
