/**
 * Servers with sessions, as far as a client can tell: one map of what each session has, in memory, by the rules that all servers
 * follow. For tests of clients, without a socket.
 *
 * A payload that is a request of the key-value port is done on a map; any other is noted, and its result is how many there were.
 *
 * @module
 */

import {
  type ClientMessage,
  CLOSED,
  MAX_IN_FLIGHT,
  REJECTED,
  REQUEST_ERROR,
  type ServerMessage,
} from "../../../protocol/sessions/mod.ts";
import { ModelValues } from "./model_values.ts";

/** What servers keep of a session. */
export interface ModelSession {
  readonly id: string;
  floor: number;
  highest: number;
  readonly cache: Map<number, Uint8Array>;
  lastServerRequest: number;
  /** Server requests that are not acknowledged, in order. */
  readonly unacked: Map<number, Uint8Array>;
}

/** One end of a connection. */
export interface ModelConnection {
  /** The session that it is bound to. */
  session: string | undefined;
  /** Sends a message to the client. */
  send(message: ServerMessage): void;
  /** Closes it once that is sent. */
  close(): void;
}

const TIMEOUT_MS = 90_000;

/** All servers together. */
export class Model {
  readonly sessions = new Map<string, ModelSession>();
  /** Payloads of commands in the order in which they were executed, with their sessions. */
  readonly executed: string[] = [];
  readonly values = new ModelValues();
  readonly #connections = new Set<ModelConnection>();
  readonly #created = new Map<bigint, string>();
  #count = 0;

  /** Takes what a client says. */
  receive(connection: ModelConnection, message: ClientMessage): void {
    switch (message.kind) {
      case "hello":
      case "connectionClosed":
        return;
      case "createSession":
        return this.#create(connection, message.nonce);
      case "continueSession":
        return this.#continue(connection, message.sessionId, message.nonce);
    }
    const session = this.sessions.get(connection.session ?? "");
    if (session === undefined) {
      connection.send({ kind: "sessionClosed", reason: CLOSED.sessionError });
      return connection.close();
    }
    switch (message.kind) {
      case "keepAlive":
        return connection.send({ kind: "keepAliveResponse", time: message.time });
      case "clientRequest":
        return connection.send(this.#execute(session, message));
      case "query": {
        const { correlationId, payload } = message;
        const result = this.values.read(payload) ?? new Uint8Array(0);
        return connection.send({ kind: "queryResponse", correlationId, result });
      }
      case "serverRequestAck":
        for (const id of session.unacked.keys()) {
          if (id <= message.requestId) session.unacked.delete(id);
        }
        return;
      case "closeSession":
        this.expire(session.id);
    }
  }

  /** Executes a command whose answer gets lost with the connection. */
  receiveLast(connection: ModelConnection, message: ClientMessage): void {
    const { session } = connection;
    this.receive({ session, send() {}, close() {} }, message);
    connection.close();
  }

  /** A connection is there no more. */
  forget(connection: ModelConnection): void {
    this.#connections.delete(connection);
  }

  /** Ends a session. */
  expire(id: string): void {
    this.sessions.delete(id);
    this.values.unwatchAll(id);
  }

  /** Tells a session something. */
  request(session: ModelSession, payload: Uint8Array): void {
    const requestId = ++session.lastServerRequest;
    session.unacked.set(requestId, payload);
    for (const connection of this.#connections) {
      if (connection.session === session.id) this.#send(connection, requestId, payload);
    }
  }

  /** Sends everything again that is not acknowledged. */
  requestAgain(): void {
    for (const connection of this.#connections) {
      const session = this.sessions.get(connection.session ?? "");
      for (const [id, payload] of session?.unacked ?? []) this.#send(connection, id, payload);
    }
  }

  #send(connection: ModelConnection, requestId: number, payload: Uint8Array): void {
    connection.send({ kind: "serverRequest", requestId, payload, createdAt: 0 });
  }

  #create(connection: ModelConnection, nonce: bigint): void {
    const known = this.#created.get(nonce);
    const id = known ?? `session-${++this.#count}`;
    this.#created.set(nonce, id);
    if (known === undefined) {
      this.sessions.set(id, {
        id,
        floor: 0,
        highest: 0,
        cache: new Map(),
        lastServerRequest: 0,
        unacked: new Map(),
      });
    }
    this.#bind(connection, id);
    connection.send({ kind: "sessionCreated", sessionId: id, nonce });
    this.#tellState(connection);
  }

  #continue(connection: ModelConnection, id: string, nonce: bigint): void {
    const session = this.sessions.get(id);
    if (session === undefined) {
      connection.send({ kind: "sessionRejected", reason: REJECTED.sessionExpired, nonce });
      return connection.close();
    }
    this.#bind(connection, id);
    connection.send({ kind: "sessionContinued", nonce });
    this.#tellState(connection);
  }

  /** An older connection is closed first. */
  #bind(connection: ModelConnection, id: string): void {
    for (const other of this.#connections) {
      if (other.session === id && other !== connection) {
        other.session = undefined;
        other.close();
      }
    }
    connection.session = id;
    this.#connections.add(connection);
  }

  /** What there is of the session, and what it has not acknowledged. */
  #tellState(connection: ModelConnection): void {
    const session = this.sessions.get(connection.session ?? "") as ModelSession;
    const [lowestUnacked = session.lastServerRequest + 1] = session.unacked.keys();
    connection.send({
      kind: "sessionState",
      floor: session.floor,
      highestRequestId: session.highest,
      lowestUnacked,
      lastServerRequestId: session.lastServerRequest,
      timeoutMs: TIMEOUT_MS,
      leader: "model",
      term: 1,
    });
    for (const [requestId, payload] of session.unacked) this.#send(connection, requestId, payload);
  }

  #execute(
    session: ModelSession,
    { requestId, lowestPending, payload }: Extract<ClientMessage, { kind: "clientRequest" }>,
  ): ServerMessage {
    const refuse = (reason: number): ServerMessage => ({ kind: "requestError", requestId, reason });
    session.floor = Math.max(session.floor, lowestPending);
    for (const id of session.cache.keys()) if (id < session.floor) session.cache.delete(id);
    if (requestId < session.floor) return refuse(REQUEST_ERROR.responseEvicted);
    const cached = session.cache.get(requestId);
    if (cached !== undefined) return { kind: "clientResponse", requestId, result: cached };
    if (requestId >= session.floor + MAX_IN_FLIGHT) return refuse(REQUEST_ERROR.tooManyInFlight);
    this.executed.push(`${session.id} ${new TextDecoder().decode(payload)}`);
    const { result, pushes } = this.values.write(payload, session.id) ??
      { result: new TextEncoder().encode(String(this.executed.length)), pushes: [] };
    session.cache.set(requestId, result);
    session.highest = Math.max(session.highest, requestId);
    for (const { to, push } of pushes) {
      const watching = this.sessions.get(to);
      if (watching !== undefined) {
        this.request(watching, new TextEncoder().encode(JSON.stringify(push)));
      }
    }
    return { kind: "clientResponse", requestId, result };
  }
}
