/**
 * `skein kv lock`.
 *
 * @module
 */

import { KvClient, type KvLock, LockTimeoutError } from "../../../client/mod.ts";
import { formatDuration } from "../../../protocol/duration.ts";
import { LEASE_MS } from "../../../protocol/kv/lock/lease.ts";
import { type Command, CommandError, defineCommand } from "../../shell/command.ts";
import { durationFlag, stringFlag } from "../../shell/flags.ts";
import type { Terminal } from "../../shell/terminal.ts";
import { connectionOf, storeFlags, told } from "../store.ts";
import { Child, SignalTrap } from "./child.ts";

const { format: _, ...ownFlags } = storeFlags;

const TTL_MS = 15_000;

/** The grace, as a part of the lease. */
const GRACE = 1 / 5;

/** Exit codes as `timeout` and shells have them. */
const TOO_LATE = 124;
const NOT_RUNNABLE = 126;
const NOT_FOUND = 127;

/** The flags. */
export const lockFlags = {
  ttl: durationFlag(
    "The lease: when skein dies, others get the lock so much later. From 100ms up to 24h. Default: 15s.",
    LEASE_MS.least,
    LEASE_MS.most,
  ),
  wait: durationFlag(
    "How long the lock is waited for; 0s: one try. Default: for ever.",
    0,
  ),
  grace: durationFlag(
    "How long COMMAND has between SIGTERM and SIGKILL when the lock cannot be kept, at most half of " +
      "-ttl. Default: a fifth of it.",
    0,
    LEASE_MS.most / 2,
  ),
  "fence-env": stringFlag(
    "NAME",
    "Variable that tells COMMAND the fencing number. Default: SKEIN_LOCK_FENCE.",
  ),
  ...ownFlags,
} as const;

/** Runs a command while a lock is held. */
export const command: Command = defineCommand({
  usage: "kv lock [options] KEY [--] COMMAND [ARGUMENT...]",
  description: [
    "Takes the lock KEY, runs COMMAND, and gives the lock back. Nobody else who locks KEY gets it " +
    "meanwhile. The exit code is that of COMMAND.",
    "COMMAND finds the fencing number of the lock in the variable SKEIN_LOCK_FENCE: who holds the " +
    "lock later has a greater one. Whatever it writes to should refuse a number below one that it " +
    "has seen; nothing else protects it from a holder that was stopped, and goes on later.",
    "When the lock cannot be kept, because no agent renews it, COMMAND gets SIGTERM, and SIGKILL " +
    "-grace later, before anybody else can have the lock as far as clocks go. When skein itself was " +
    "stopped, or the key was deleted, that is too late. COMMAND alone gets the signals, not what " +
    "it has started. SIGTERM and SIGHUP are passed on to it.",
    "The exit code is 124 when the lock was not to be had within -wait, 126 or 127 when COMMAND " +
    "cannot be run or is not there, and 1 when the lock was lost and COMMAND ended with 0.",
  ],
  flags: lockFlags,
  arguments: { least: 2, few: "A key and a command must be specified" },
  async run({ values, args: [key = "", ...rest], terminal }) {
    const [program, ...args] = rest[0] === "--" ? rest.slice(1) : rest;
    if (program === undefined) {
      throw new CommandError("A command must be specified after '--'", { onStderr: true });
    }
    const ttlMs = values.ttl ?? TTL_MS;
    const graceMs = values.grace ?? ttlMs * GRACE;
    if (graceMs > ttlMs / 2) {
      const most = formatDuration(ttlMs / 2);
      throw new CommandError(`-grace is at most half of -ttl: ${most}`, { onStderr: true });
    }
    using trap = new SignalTrap();
    const connection = await connectionOf(values);
    await using client = await told(
      "Error connecting to the agent",
      KvClient.connect({ ...connection, reconnect: true }),
    );
    const held = await taken(
      client.lock(pathOf(key, values.namespace), {
        ttlMs,
        name: `skein kv lock ${Deno.pid}`,
        signal: trap.signal,
        ...values.wait !== undefined && { waitMs: values.wait },
      }),
      trap,
      terminal,
    );
    if (typeof held === "number") return held;
    try {
      const env = { [values["fence-env"] ?? "SKEIN_LOCK_FENCE"]: String(held.fence) };
      return await run(held, { program, args, env, graceMs, trap }, terminal);
    } finally {
      if (!await held.release()) {
        await terminal.err("The lock could not be given back: it is free when its lease has ended");
      }
    }
  },
});

/** A lock, or the exit code when there is none. */
async function taken(
  lock: Promise<KvLock>,
  trap: SignalTrap,
  terminal: Terminal,
): Promise<KvLock | number> {
  try {
    return await lock;
  } catch (error) {
    if (trap.signal.aborted) return trap.code;
    if (!(error instanceof LockTimeoutError)) return await told("Error", Promise.reject(error));
    await terminal.err(`Error: ${error.message}`);
    return TOO_LATE;
  }
}

/** What is run. */
interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly graceMs: number;
  readonly trap: SignalTrap;
}

/** Runs a command to its end; returns its exit code. */
async function run(
  held: KvLock,
  { program, args, env, graceMs, trap }: Run,
  terminal: Terminal,
): Promise<number> {
  let child: Child;
  try {
    child = new Child(program, args, env);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await terminal.err(`Error running '${program}': ${reason}`);
    return error instanceof Deno.errors.NotFound ? NOT_FOUND : NOT_RUNNABLE;
  }
  trap.passOn((signal) => child.kill(signal));
  const cut = child.endBefore(held, graceMs, async (reason) => {
    await terminal.err(`${reason}: '${program}' is told to end`);
  });
  const code = await child.exited;
  return await cut() && code === 0 ? 1 : code;
}

/** The path of a key in a namespace. */
function pathOf(key: string, namespace: string | undefined): string {
  return namespace === undefined || key.startsWith("^")
    ? key
    : `^${namespace.replace(/^\^/, "")}^${key}`;
}
