/**
 * `skein kv`: reads and changes the key-value store.
 *
 * @module
 */

import { defineActions, flagsOf } from "../shell/actions.ts";
import type { Command } from "../shell/command.ts";
import { childrenFlags, command as children } from "./children.ts";
import { command as del, delFlags } from "./del.ts";
import { command as expire } from "./expire.ts";
import { command as get, getFlags } from "./get.ts";
import { command as incr, incrFlags } from "./incr.ts";
import { command as keys, keysFlags } from "./keys.ts";
import { command as lock, lockFlags } from "./lock/lock.ts";
import { command as persist } from "./persist.ts";
import { command as pub, pubFlags } from "./live/pub.ts";
import { command as set, setFlags } from "./set.ts";
import { sessionFlags } from "./session.ts";
import { storeFlags } from "./store.ts";
import { command as sub, subFlags } from "./live/sub.ts";
import { command as token, tokenFlags } from "./access/token.ts";
import { command as watch, watchFlags } from "./live/watch.ts";
import { command as ttl } from "./ttl.ts";
import { command as txn } from "./txn.ts";

/** Reads and changes the key-value store of the agents that keep state. */
export const command: Command = defineActions({
  usage: "kv ACTION [options] [KEY] [VALUE]",
  description: [
    "Reads and changes the key-value store, and publishes on channels. Any agent with a key-value " +
    "port answers, one that was started with -server, -dev or -kv-addr.",
    "get KEY prints a value; set KEY VALUE sets one, with '-' for VALUE to what comes from " +
    "standard input; del KEY deletes one; incr KEY [NUMBER] adds to a whole number; keys " +
    "[PREFIX] lists what is below one, children [KEY] the names one level below; ttl KEY tells " +
    "how long a value has left, expire KEY DURATION has it go by itself, persist KEY has it stay; " +
    "txn [JSON] does several things at one moment, or none; watch KEY prints its changes; pub CHANNEL MESSAGE tells whoever " +
    "listens, as sub CHANNEL does; lock KEY COMMAND runs a command while a lock is held; token NAME " +
    "makes a token for an agent that asks for one. " +
    "'skein kv ACTION -h' tells more.",
    "A KEY is a path whose segments stand between '^', the first of them its namespace: 'a^b', or " +
    "'^a^b', is b in the namespace a. One without '^' is in the namespace global. -namespace " +
    "stands before a KEY that does not begin with '^'.",
    "Failures are told on standard error, and by the exit code.",
  ],
  flags: {
    ...flagsOf("get", getFlags, { ...storeFlags, ...sessionFlags }),
    ...flagsOf("set", setFlags, { ...storeFlags, ...sessionFlags }),
    ...flagsOf("incr", incrFlags, storeFlags),
    ...flagsOf("del", delFlags, storeFlags),
    ...flagsOf("keys", keysFlags, storeFlags),
    ...flagsOf("token", tokenFlags, storeFlags),
    ...flagsOf("children", childrenFlags, { ...storeFlags, ...keysFlags }),
    limit: { ...keysFlags.limit, help: `keys, children: ${keysFlags.limit.help}` },
    after: { ...keysFlags.after, help: `keys, children: ${keysFlags.after.help}` },
    consistency: {
      ...keysFlags.consistency,
      help: `get, keys, children, ttl: ${keysFlags.consistency.help}`,
    },
    ...flagsOf("watch", watchFlags, {
      ...storeFlags,
      ...subFlags,
      ...delFlags,
      ...sessionFlags,
    }),
    tree: { ...watchFlags.tree, help: "del, watch: All below KEY, too." },
    count: { ...watchFlags.count, help: "watch, sub: End after so many. Default: never." },
    once: { ...watchFlags.once, help: "watch, sub: End when the agent goes away." },
    ...flagsOf("lock", lockFlags, storeFlags),
    ...flagsOf("pub", pubFlags, storeFlags),
    ...flagsOf("sub", subFlags, { ...storeFlags, ...watchFlags }),
    session: { ...sessionFlags.session, help: `get, set, watch: ${sessionFlags.session.help}` },
    "session-addr": {
      ...sessionFlags["session-addr"],
      help: `get, set, watch: ${sessionFlags["session-addr"].help}`,
    },
    json: { ...setFlags.json, help: "set, pub: VALUE or MESSAGE is JSON, not a text." },
    ttl: {
      ...setFlags.ttl,
      help: `set, incr: ${setFlags.ttl.help} lock: ${lockFlags.ttl.help}`,
    },
    "if-rev": { ...setFlags["if-rev"], help: `set, del: ${setFlags["if-rev"].help}` },
    ...storeFlags,
  },
  actions: {
    get,
    set,
    del,
    incr,
    keys,
    children,
    ttl,
    expire,
    persist,
    txn,
    watch,
    pub,
    sub,
    lock,
    token,
  },
  // In Consul, etcd and Redis.
  elsewhere: {
    put: "set",
    delete: "del",
    rm: "del",
    list: "keys",
    ls: "keys",
    scan: "keys",
    publish: "pub",
    subscribe: "sub",
  },
  onStderr: true,
});
