/**
 * Streams with a deadline, for both ends (docs/spec/memberlist.md 6).
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import type { Address, Stream, Timer } from "../../runtime.ts";
import type { Core } from "../core/core.ts";
import { ShutdownError } from "../core/errors.ts";
import type { Destination } from "../core/node.ts";
import type { BudgetShare } from "../wire/receive_budget.ts";
import { sealStream, StreamReader } from "../wire/stream.ts";
import { checkNamed } from "./packet_sender.ts";

/** The other end took longer than the deadline allows. */
export class StreamTimeoutError extends Error {
  /** `"StreamTimeoutError"`, whatever happens to the name of the class. */
  override readonly name = "StreamTimeoutError";
}

/** A stream in use. */
export interface StreamExchange {
  /** The other end. */
  readonly remote: Address;
  /** Reads the peer's message. */
  readonly reader: StreamReader;
  /** Wraps a message and sends it; the dialling end sends its label before. */
  send(message: Uint8Array): Promise<void>;
  /** From now on the peer has `ms` milliseconds. */
  setDeadline(ms: number): void;
  /** What is received is taken from it; given back when the exchange is over. */
  readonly share: BudgetShare;
  /** Ends the stream; what was received may still be worked on, for any time. */
  hangUp(): void;
  /** What is being done, in the words of the log for the case that it fails. */
  failure: string;
}

/**
 * Dials `to`, uses the stream and closes it. Opening it, and then using it, may take `timeoutMs` each,
 * unless `use` sets another deadline. Rejects with what the network, `use` or the deadline
 * ({@linkcode StreamTimeoutError}) says. When `signal` aborts, the stream is closed.
 */
export async function dialAndUse<T>(
  core: Core,
  to: Destination,
  timeoutMs: number,
  use: (exchange: StreamExchange) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  checkNamed(core, to);
  if (core.timers.closed) throw new ShutdownError();
  const stream = await core.transport.dial({ host: to.host, port: to.port }, timeoutMs, signal);
  const close = (): void => stream.close();
  if (signal?.aborted) close();
  signal?.addEventListener("abort", close);
  try {
    return await useStream(core, stream, { timeoutMs, dialled: true }, use);
  } finally {
    signal?.removeEventListener("abort", close);
  }
}

/** Uses a stream within `timeoutMs` milliseconds, or what `use` sets instead, and closes it. */
export async function useStream<T>(
  core: Core,
  stream: Stream,
  { timeoutMs, dialled }: { timeoutMs: number; dialled: boolean },
  use: (exchange: StreamExchange) => Promise<T>,
): Promise<T> {
  let timer: Timer | undefined;
  let expired = false;
  const setDeadline = (ms: number): void => {
    timer?.cancel();
    timer = core.timers.set(ms, () => {
      expired = true;
      stream.close();
    });
  };
  const share = core.receiveBudget.share();
  const exchange: StreamExchange = {
    remote: stream.remote,
    reader: new StreamReader(stream, core.packetOptions, {
      share,
      // Who was dialled was chosen.
      expansion: dialled ? undefined : core.streamExpansion,
      metrics: core.metrics,
    }),
    send: (message) => {
      const sealed = sealStream(message, core.packetOptions, dialled);
      core.metrics?.count("memberlist.tcp.sent", sealed.length);
      return stream.write(sealed);
    },
    setDeadline,
    share,
    hangUp: () => {
      timer?.cancel();
      stream.close();
    },
    failure: "Failed",
  };
  core.streams.add(stream);
  try {
    if (core.timers.closed) throw new ShutdownError();
    setDeadline(timeoutMs);
    return await use(exchange);
  } catch (cause) {
    if (core.timers.closed) throw new ShutdownError();
    if (!expired) throw cause;
    const { host, port } = stream.remote;
    throw new StreamTimeoutError(`read tcp ${joinHostPort(host, port)}: i/o timeout`, { cause });
  } finally {
    timer?.cancel();
    stream.close();
    share.release();
    core.streams.delete(stream);
  }
}
