/**
 * The dispatcher: one table from command names to what they do (agent.md 3).
 *
 * @module
 */

import { timingSafeEqual } from "node:crypto";
import {
  type CommandName,
  COMMANDS,
  type Commands,
  IpcError,
  JoinResponse,
  MAX_IPC_VERSION,
  MIN_IPC_VERSION,
  StatsResponse,
} from "../../protocol/ipc.ts";
import { type Codec, encode } from "../../protocol/msgpack/mod.ts";
import { parseLogLevel } from "../logging.ts";
import { LEAVE_IN_PROGRESS, type RpcBackend } from "./backend.ts";
import { parseEventFilter } from "../event_filter.ts";
import { MAX_JOIN_ADDRESSES, MAX_STREAMS } from "./limits.ts";
import { encodeMembers, type MemberList } from "./member_list.ts";
import type { Session } from "./session.ts";

/** What commands work with, besides the connection's own state. */
export interface Services {
  /** The agent. */
  readonly backend: RpcBackend;
  /** The token that clients must show; "" for none. */
  readonly rpcAuth: string;
  /** The encoded member list. */
  readonly memberList: MemberList;
  /** The figures of the RPC server for `stats`. */
  rpcStats(): Record<string, string>;
}

/** A request that is being answered. */
export interface Call {
  /** The connection. */
  readonly session: Session;
  /** The client's number for the request. */
  readonly seq: number | bigint;
  /** The agent and what is shared by all connections. */
  readonly services: Services;
}

/** What a command answers. */
export interface Answer {
  /** What went wrong; missing on success. */
  readonly error?: string;
  /** The encoded body. */
  readonly body?: Uint8Array;
  /** Runs when the response is on its way, so that no record can come before it. */
  readonly after?: () => void;
}

/** One row of the table. */
export interface Handler {
  /** How the body of the request is read, `null` when there is none. */
  readonly request: Codec<unknown> | null;
  /** Whether it may come before `auth`. */
  readonly open: boolean;
  /** Does it. What it throws becomes the error of the response. */
  readonly run: (call: Call, body: unknown) => Answer | Promise<Answer>;
}

type BodyOf<N extends CommandName> = Commands[N]["request"] extends Codec<infer T> ? T : null;

const DONE: Answer = {};

const handlers = new Map<string, Handler>();

/**
 * The handler of a command, `undefined` when there is none of this name. Queries, keys and coordinates are not in this
 * version: `query`, `respond`, the four key commands and `get-coordinate` have none.
 */
export function handlerOf(name: string): Handler | undefined {
  return handlers.get(name);
}

function on<N extends CommandName>(
  name: N,
  run: (call: Call, body: BodyOf<N>) => Answer | Promise<Answer>,
): void {
  handlers.set(name, {
    request: COMMANDS[name].request as Codec<unknown> | null,
    open: name === "handshake" || name === "auth",
    run: run as Handler["run"],
  });
}

on("handshake", ({ session }, { Version }) => {
  if (Version < MIN_IPC_VERSION || Version > MAX_IPC_VERSION) {
    return { error: IpcError.unsupportedVersion };
  }
  if (session.shaken) return { error: IpcError.duplicateHandshake };
  session.shaken = true;
  return DONE;
});

on("auth", ({ session, services }, { AuthKey }) => {
  if (!sameText(AuthKey, services.rpcAuth)) return { error: IpcError.invalidAuthToken };
  session.authenticated = true;
  return DONE;
});

on("members", ({ services }) => ({ body: services.memberList.all() }));

on("members-filtered", ({ services }, filter) => {
  try {
    return { body: services.memberList.filtered(filter) };
  } catch (error) {
    return { error: `Failed to compile regex: ${textOf(error)}`, body: encodeMembers([]) };
  }
});

on("join", async ({ services }, { Existing, Replay }) => {
  const addresses = Existing ?? [];
  try {
    if (addresses.length > MAX_JOIN_ADDRESSES) {
      throw new Error(`Join has ${addresses.length} of ${MAX_JOIN_ADDRESSES} addresses`);
    }
    const joined = await services.backend.join(addresses, { replay: Replay });
    return { body: encode(JoinResponse, { Num: joined }, "rpc") };
  } catch (error) {
    return { error: textOf(error), body: encode(JoinResponse, { Num: 0 }, "rpc") };
  }
});

on("force-leave", async ({ services }, { Node, Prune }) => {
  await services.backend.forceLeave(Node, { prune: Prune });
  return DONE;
});

on("event", ({ services }, { Name, Payload, Coalesce }) => {
  // The payload is a view of the read buffer, and the event outlives it.
  services.backend.userEvent(Name, Payload === null ? null : Payload.slice(), Coalesce);
  return DONE;
});

on("tags", async ({ services }, { Tags, DeleteTags }) => {
  await services.backend.updateTags(Tags ?? {}, DeleteTags ?? []);
  return DONE;
});

on("stream", ({ session, seq }, { Type }) => {
  const wants = parseEventFilter(Type);
  if (wants === undefined) return { error: IpcError.invalidFilter };
  if (session.hasStream(seq)) return { error: IpcError.streamExists };
  if (session.streams >= MAX_STREAMS) {
    return { error: `Connection has ${MAX_STREAMS} streams, the most that are allowed` };
  }
  return { after: () => session.startStream(seq, wants) };
});

on("monitor", ({ session, seq }, { LogLevel }) => {
  const level = parseLogLevel(LogLevel);
  if (level === undefined) return { error: `Unknown log level: ${LogLevel.toUpperCase()}` };
  if (session.monitoring) return { error: IpcError.monitorExists };
  return { after: () => session.startMonitor(seq, level) };
});

on("stop", ({ session }, { Stop }) => {
  session.stop(Stop);
  return DONE;
});

on("stats", ({ services }) => {
  const stats = { ...services.backend.stats(), rpc: services.rpcStats() };
  return { body: encode(StatsResponse, stats, "rpc") };
});

/** A second leave while one runs fails without ending the agent; any other failure ends it (agent.md 3 and 10). */
on("leave", async ({ session, services: { backend } }) => {
  backend.log.write("INFO", "agent.ipc", "Graceful leave triggered");
  const after = (): void => void session.output.drained(0).then(() => backend.shutdown());
  try {
    await backend.leave();
    return { after };
  } catch (error) {
    const text = textOf(error);
    backend.log.write("ERR", "agent.ipc", `leave failed: ${text}`);
    return text === LEAVE_IN_PROGRESS ? { error: text } : { error: text, after };
  }
});

/** The text of what was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Compares in a time that does not tell where the texts differ. */
function sameText(a: string, b: string): boolean {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
