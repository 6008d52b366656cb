/**
 * The table of commands: which bodies each has (docs/spec/agent.md 1.4).
 *
 * @module
 */

import type { Codec } from "../msgpack/mod.ts";
import { isErrorBeforeDispatch } from "./errors.ts";
import {
  AuthRequest,
  CoordinateRequest,
  EventRequest,
  ForceLeaveRequest,
  HandshakeRequest,
  JoinRequest,
  KeyRequest,
  MembersFilteredRequest,
  MonitorRequest,
  QueryRequest,
  RaftRequest,
  RespondRequest,
  SessionRequest,
  StopRequest,
  StreamRequest,
  TagsRequest,
} from "./requests.ts";
import {
  CoordinateResponse,
  JoinResponse,
  KeyResponse,
  MembersResponse,
  RaftResponse,
  ReloadResponse,
  SessionResponse,
  StatsResponse,
} from "./responses.ts";

/** What follows the headers of a command. */
export interface Command<
  Request extends Codec<unknown> | null,
  Response extends Codec<unknown> | null,
> {
  /** The body of the request, `null` when there is none. */
  readonly request: Request;
  /** The body of the response, `null` when there is none. */
  readonly response: Response;
  /** Whether the response has its body also when its header carries an error of the command. */
  readonly bodyOnError: boolean;
}

/** The commands by name. */
export interface Commands {
  /** Opens the conversation. */
  readonly handshake: Command<Codec<HandshakeRequest>, null>;
  /** Gives the agent's token. */
  readonly auth: Command<Codec<AuthRequest>, null>;
  /** Fires a user event. */
  readonly event: Command<Codec<EventRequest>, null>;
  /** Makes a failed member leave. */
  readonly "force-leave": Command<Codec<ForceLeaveRequest>, null>;
  /** Joins a cluster. */
  readonly join: Command<Codec<JoinRequest>, Codec<JoinResponse>>;
  /** Lists all members. */
  readonly members: Command<null, Codec<MembersResponse>>;
  /** Lists the members that match. */
  readonly "members-filtered": Command<Codec<MembersFilteredRequest>, Codec<MembersResponse>>;
  /** Streams events. */
  readonly stream: Command<Codec<StreamRequest>, null>;
  /** Streams log lines. */
  readonly monitor: Command<Codec<MonitorRequest>, null>;
  /** Ends a stream or monitor. */
  readonly stop: Command<Codec<StopRequest>, null>;
  /** Leaves the cluster and ends the agent. */
  readonly leave: Command<null, null>;
  /** Changes the agent's tags. */
  readonly tags: Command<Codec<TagsRequest>, null>;
  /** Asks the cluster. */
  readonly query: Command<Codec<QueryRequest>, null>;
  /** Answers a query. */
  readonly respond: Command<Codec<RespondRequest>, null>;
  /** Adds a key to every keyring. */
  readonly "install-key": Command<Codec<KeyRequest>, Codec<KeyResponse>>;
  /** Makes a key the primary one. */
  readonly "use-key": Command<Codec<KeyRequest>, Codec<KeyResponse>>;
  /** Removes a key from every keyring. */
  readonly "remove-key": Command<Codec<KeyRequest>, Codec<KeyResponse>>;
  /** Counts the keys in use. */
  readonly "list-keys": Command<null, Codec<KeyResponse>>;
  /** The agent's figures. */
  readonly stats: Command<null, Codec<StatsResponse>>;
  /** A node's network coordinate. */
  readonly "get-coordinate": Command<Codec<CoordinateRequest>, Codec<CoordinateResponse>>;
  /** Reads the agent's configuration again; skein's only. */
  readonly reload: Command<null, Codec<ReloadResponse>>;
  /** Tells of the replicated state, and changes who takes part in it. */
  readonly raft: Command<Codec<RaftRequest>, Codec<RaftResponse>>;
  /** Tells of the sessions of clients, and ends them. */
  readonly session: Command<Codec<SessionRequest>, Codec<SessionResponse>>;
}

/** The name of a command. */
export type CommandName = keyof Commands;

/** The table itself. Look a name that came from outside up with {@linkcode isCommandName} first. */
export const COMMANDS: Commands = {
  handshake: { request: HandshakeRequest, response: null, bodyOnError: false },
  auth: { request: AuthRequest, response: null, bodyOnError: false },
  event: { request: EventRequest, response: null, bodyOnError: false },
  "force-leave": { request: ForceLeaveRequest, response: null, bodyOnError: false },
  join: { request: JoinRequest, response: JoinResponse, bodyOnError: true },
  members: { request: null, response: MembersResponse, bodyOnError: false },
  "members-filtered": {
    request: MembersFilteredRequest,
    response: MembersResponse,
    bodyOnError: false,
  },
  stream: { request: StreamRequest, response: null, bodyOnError: false },
  monitor: { request: MonitorRequest, response: null, bodyOnError: false },
  stop: { request: StopRequest, response: null, bodyOnError: false },
  leave: { request: null, response: null, bodyOnError: false },
  tags: { request: TagsRequest, response: null, bodyOnError: false },
  query: { request: QueryRequest, response: null, bodyOnError: false },
  respond: { request: RespondRequest, response: null, bodyOnError: false },
  "install-key": { request: KeyRequest, response: KeyResponse, bodyOnError: true },
  "use-key": { request: KeyRequest, response: KeyResponse, bodyOnError: true },
  "remove-key": { request: KeyRequest, response: KeyResponse, bodyOnError: true },
  "list-keys": { request: null, response: KeyResponse, bodyOnError: true },
  stats: { request: null, response: StatsResponse, bodyOnError: false },
  "get-coordinate": {
    request: CoordinateRequest,
    response: CoordinateResponse,
    bodyOnError: false,
  },
  reload: { request: null, response: ReloadResponse, bodyOnError: false },
  raft: { request: RaftRequest, response: RaftResponse, bodyOnError: false },
  session: { request: SessionRequest, response: SessionResponse, bodyOnError: false },
};

/** Whether there is a command of this name. Names are case-sensitive. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** Whether a body follows the response header of `command` when that header carries `error`. */
export function hasResponseBody(command: CommandName, error: string): boolean {
  const { response, bodyOnError } = COMMANDS[command];
  if (response === null) return false;
  return error === "" || (bodyOnError && !isErrorBeforeDispatch(error));
}
