/**
 * The messages between a client with a session and a server, as programs see them (docs/spec/sessions.md 2 and 3).
 *
 * Ids are integers from 0 to 2^53-1, times milliseconds since 1970. Payloads are views of the bytes they were read from.
 *
 * @module
 */

/** A name and a value that a client declares. */
export type Capability = readonly [name: string, value: string];

/** Asks for a new session. */
export interface CreateSession {
  readonly kind: "createSession";
  /** At least one; {@linkcode capabilityProblem} tells the other rules. */
  readonly capabilities: readonly Capability[];
  /** Tells answers apart; not 0. */
  readonly nonce: bigint;
}

/** Goes on with a session, on this connection from now on. */
export interface ContinueSession {
  readonly kind: "continueSession";
  readonly sessionId: string;
  /** Tells answers apart; not 0. */
  readonly nonce: bigint;
}

/** Asks for a sign of life. */
export interface KeepAlive {
  readonly kind: "keepAlive";
  readonly time: number;
}

/** Has a command executed, once however often it is sent. */
export interface ClientRequest {
  readonly kind: "clientRequest";
  readonly requestId: number;
  /** No request below waits for an answer any more. */
  readonly lowestPending: number;
  readonly payload: Uint8Array;
  readonly createdAt: number;
}

/** Acknowledges server requests. */
export interface ServerRequestAck {
  readonly kind: "serverRequestAck";
  /** This one and all before it. */
  readonly requestId: number;
}

/** Ends the session for good. */
export interface CloseSession {
  readonly kind: "closeSession";
  /** A number of `CLOSE`. */
  readonly reason: number;
}

/** Leaves the connection; the session stays. */
export interface ConnectionClosed {
  readonly kind: "connectionClosed";
}

/** Has a question answered. */
export interface Query {
  readonly kind: "query";
  /** Tells answers apart; not empty. */
  readonly correlationId: string;
  readonly payload: Uint8Array;
  readonly createdAt: number;
}

/** Shows who the client is, before anything else. An extension. */
export interface Hello {
  readonly kind: "hello";
  readonly token: string;
  /** Bits of features; none is defined. */
  readonly flags: number;
}

/** What clients send. */
export type ClientMessage =
  | CreateSession
  | ContinueSession
  | KeepAlive
  | ClientRequest
  | ServerRequestAck
  | CloseSession
  | ConnectionClosed
  | Query
  | Hello;

/** There is a new session, on this connection. */
export interface SessionCreated {
  readonly kind: "sessionCreated";
  readonly sessionId: string;
  readonly nonce: bigint;
}

/** The session is on this connection now. */
export interface SessionContinued {
  readonly kind: "sessionContinued";
  readonly nonce: bigint;
}

/** There is no session on this connection, which is closed next. */
export interface SessionRejected {
  readonly kind: "sessionRejected";
  /** A number of `REJECTED`. */
  readonly reason: number;
  readonly nonce: bigint;
  /** Id of the server that leads, if it is known. */
  readonly leader?: string | undefined;
}

/** The connection is closed next. */
export interface SessionClosed {
  readonly kind: "sessionClosed";
  /** A number of `CLOSED`. */
  readonly reason: number;
  /** Id of the server that leads, if it is known. */
  readonly leader?: string | undefined;
}

/** A sign of life. */
export interface KeepAliveResponse {
  readonly kind: "keepAliveResponse";
  /** As it was asked. */
  readonly time: number;
}

/** The result of a command. */
export interface ClientResponse {
  readonly kind: "clientResponse";
  readonly requestId: number;
  readonly result: Uint8Array;
}

/** What the server tells the client, until it is acknowledged. */
export interface ServerRequest {
  readonly kind: "serverRequest";
  /** From 1 on, without a gap. */
  readonly requestId: number;
  readonly payload: Uint8Array;
  readonly createdAt: number;
}

/** A command has no result. */
export interface RequestError {
  readonly kind: "requestError";
  readonly requestId: number;
  /** A number of `REQUEST_ERROR`. */
  readonly reason: number;
}

/** The answer to a question. */
export interface QueryResponse {
  readonly kind: "queryResponse";
  readonly correlationId: string;
  readonly result: Uint8Array;
}

/** What there is of a session. Follows its creation and continuation. An extension. */
export interface SessionState {
  readonly kind: "sessionState";
  /** No request below is answered. */
  readonly floor: number;
  readonly highestRequestId: number;
  readonly lowestUnacked: number;
  readonly lastServerRequestId: number;
  /** How long the server waits for a sign of life. */
  readonly timeoutMs: number;
  /** Id of the server that leads. */
  readonly leader: string;
  readonly term: number;
}

/** A server of the cluster. */
export interface ClusterMember {
  readonly id: string;
  /** `host:port` for sessions; empty when it is not known. */
  readonly address: string;
  /** A number of `MEMBER_ROLE`. */
  readonly role: number;
}

/** Which servers there are. An extension. */
export interface ClusterInfo {
  readonly kind: "clusterInfo";
  readonly members: readonly ClusterMember[];
  /** Id of the server that leads; empty when it is not known. */
  readonly leader: string;
  readonly term: number;
}

/** A question has no answer. An extension. */
export interface QueryError {
  readonly kind: "queryError";
  readonly correlationId: string;
  /** A number of `QUERY_ERROR`. */
  readonly reason: number;
}

/** What servers send. */
export type ServerMessage =
  | SessionCreated
  | SessionContinued
  | SessionRejected
  | SessionClosed
  | KeepAliveResponse
  | ClientResponse
  | ServerRequest
  | RequestError
  | QueryResponse
  | SessionState
  | ClusterInfo
  | QueryError;
