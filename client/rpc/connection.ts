/**
 * One connection to an agent, shared by any number of requests under way: numbers them, writes them and hands
 * every answer to the request it belongs to.
 *
 * @module
 */

import { concatBytes } from "../../protocol/bytes.ts";
import {
  asResponseHeader,
  type CommandName,
  COMMANDS,
  type Commands,
  hasResponseBody,
  RequestHeader,
  type ResponseHeader,
} from "../../protocol/ipc/mod.ts";
import { type Codec, decode, DecodeError, Splitter, written } from "../../protocol/msgpack/mod.ts";
import { type CallOptions, waitFor } from "../net/deadline.ts";
import { ConnectionClosedError, TimeoutError } from "../net/errors.ts";
import { reportFault } from "../net/portable.ts";
import type { Socket } from "../net/socket.ts";
import { RpcError } from "./errors.ts";

/** The body of a command's request; `null` when it has none. */
export type RequestOf<N extends CommandName> = Commands[N]["request"] extends Codec<infer T> ? T
  : null;

/** The body of a command's response; `null` when it has none. */
export type ResponseOf<N extends CommandName> = Commands[N]["response"] extends Codec<infer T> ? T
  : null;

/** A request under way: gets what comes back under its number. */
export interface Exchange {
  /** Takes a header and returns whether a body follows it. */
  header(header: ResponseHeader): boolean;
  /**
   * Takes the body after the last header, undecoded; `undefined` when the agent did not send it. A
   * `DecodeError` that it throws ends the connection.
   */
  body(body: Uint8Array | undefined): void;
  /** The connection ended. Nothing comes any more. */
  closed(error: ConnectionClosedError): void;
}

/** What a call rejects with when the agent reports an error, with the body if there was one. */
export type Failure<N extends CommandName> = (
  message: string,
  response: ResponseOf<N> | null,
) => Error;

/** One connection to an agent. */
export class Connection {
  /** Resolves when the connection has ended: with nothing after {@linkcode Connection.close}, else with the reason. */
  readonly closed: Promise<Error | undefined>;

  readonly #socket: Socket;
  readonly #exchanges = new Map<number | bigint, Exchange>();
  readonly #splitter: Splitter;
  #lastSeq = 0;
  #outgoing: Uint8Array[] = [];
  #writing = false;
  #closing = false;
  #ended: ConnectionClosedError | undefined;
  /** Whether something has come that only an agent sends. */
  #agentKnown = false;
  /** The request whose body is next. */
  #expected: Exchange | undefined;

  /** Takes over `socket`, which leads to an agent. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#splitter = new Splitter((value) => this.#receive(value));
    this.closed = this.#read();
  }

  /** Whether {@linkcode Connection.close} was called, rather than that the connection dropped. */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Whether requests can no longer be sent. */
  get isClosed(): boolean {
    return this.#closing || this.#ended !== undefined;
  }

  /** Closes the connection; requests under way fail. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    if (!this.isClosed) {
      this.#closing = true;
      this.#socket.close();
    }
    await this.closed;
  }

  /**
   * Sends a request and gives what comes back to `exchange` until {@linkcode Connection.forget}.
   *
   * @returns the request's number
   * @throws {ConnectionClosedError} when the connection has ended
   */
  send<N extends CommandName>(command: N, body: RequestOf<N>, exchange: Exchange): number {
    if (this.isClosed) {
      throw new ConnectionClosedError({ cause: this.#ended?.cause ?? closedHere() });
    }
    const seq = ++this.#lastSeq;
    const request = written("rpc", (writer) => {
      RequestHeader.write(writer, { Command: command, Seq: seq });
      (COMMANDS[command].request as Codec<unknown> | null)?.write(writer, body);
    });
    this.#exchanges.set(seq, exchange);
    this.#outgoing.push(request);
    if (!this.#writing) this.#write().catch(reportFault);
    return seq;
  }

  /** What comes back under this number is thrown away from now on. */
  forget(seq: number): void {
    this.#exchanges.delete(seq);
  }

  /**
   * Sends a request and waits for its response.
   *
   * @throws {RpcError} when the agent reports an error, or what `failure` makes of it
   * @throws {TimeoutError} after `options.timeoutMs`
   * @throws {ConnectionClosedError} when the connection ends
   */
  call<N extends CommandName>(
    command: N,
    body: RequestOf<N>,
    options: CallOptions & { readonly timeoutMs: number },
    failure: Failure<N> = (message) => new RpcError(command, message),
  ): Promise<ResponseOf<N>> {
    let seq = 0;
    const deadline = {
      signal: options.signal,
      timeoutMs: options.timeoutMs,
      timeoutError: () => answerTimeout(command, options.timeoutMs),
      giveUp: () => this.forget(seq),
    };
    return waitFor<ResponseOf<N>>(deadline, ({ resolve, reject }) => {
      let error = "";
      const finish = (response: ResponseOf<N> | null): void => {
        this.forget(seq);
        if (error === "") resolve(response as ResponseOf<N>);
        else reject(failure(error, response));
      };
      seq = this.send(command, body, {
        header(header) {
          error = header.Error;
          const bodyFollows = hasResponseBody(command, error);
          if (!bodyFollows) finish(null);
          return bodyFollows;
        },
        body(value) {
          if (value !== undefined) {
            finish(decode(COMMANDS[command].response as Codec<ResponseOf<N>>, value));
          } else if (error !== "") finish(null);
          else throw new DecodeError(`Answer to "${command}" lacks its body`);
        },
        closed: reject,
      });
    });
  }

  /** Everything that was asked for in one turn goes out in one write. */
  async #write(): Promise<void> {
    this.#writing = true;
    await Promise.resolve();
    try {
      while (this.#outgoing.length > 0) {
        const bytes = concatBytes(this.#outgoing);
        this.#outgoing = [];
        await this.#socket.write(bytes);
      }
    } catch {
      // The agent has gone, perhaps after an answer that is still to be read. Reading finds the end.
      this.#outgoing = [];
    } finally {
      this.#writing = false;
    }
  }

  async #read(): Promise<Error | undefined> {
    let cause = new Error("Agent closed the connection");
    try {
      await this.#socket.pump((bytes) => this.#splitter.push(bytes));
    } catch (error) {
      if (error instanceof DecodeError) cause = error;
      else cause = new Error("Connection broke", { cause: error });
    }
    if (this.#closing) cause = closedHere();
    else this.#socket.close();
    this.#ended = new ConnectionClosedError({ cause });
    const exchanges = [...this.#exchanges.values()];
    this.#exchanges.clear();
    for (const exchange of exchanges) exchange.closed(this.#ended);
    return this.#closing ? undefined : this.#ended;
  }

  #receive(value: Uint8Array): void {
    const header = asResponseHeader(value);
    const expected = this.#expected;
    this.#expected = undefined;
    if (header !== undefined) {
      this.#agentKnown = true;
      expected?.body(undefined);
      const exchange = this.#exchanges.get(header.Seq);
      if (exchange?.header(header)) this.#expected = exchange;
    } else if (expected !== undefined) {
      expected.body(value);
    } else if (!this.#agentKnown) {
      throw new DecodeError("Expected the answer of an agent, got something else");
    }
    // Any other value is the body of an answer that nobody waits for any more.
  }
}

/** What a call rejects with when `timeoutMs` pass. */
export function answerTimeout(command: CommandName, timeoutMs: number): TimeoutError {
  return new TimeoutError(`Agent did not answer "${command}" within ${timeoutMs} ms`);
}

function closedHere(): Error {
  return new Error("Client was closed by this program");
}
