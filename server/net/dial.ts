/**
 * Opening connections, but not waiting for ever.
 *
 * @module
 */

import type { Address } from "../../cluster/runtime.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import { CLOSED_HERE, reasonOf } from "./problems.ts";
import { sendAtOnce } from "./wire/promptness.ts";

/**
 * A stream could not be opened. The message has the form of the Go agent: `dial tcp A:P: reason`.
 *
 * @example
 * ```ts
 * import { DialError, NetTransport } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * const logger = { debug() {}, info() {}, warn() {}, error() {} };
 * await using network = await NetTransport.open({ host: "127.0.0.1", port: 0, logger });
 * await assert.rejects(network.dial({ host: "127.0.0.1", port: 1 }, 1_000), DialError);
 * ```
 */
export class DialError extends Error {
  /** "DialError". */
  override readonly name = "DialError";
}

/**
 * Opens a TCP connection, on which nothing waits for more to come.
 *
 * @param closing Ends the wait: the part of the program that dials is being closed.
 * @throws {DialError} when it is refused, fails or is not there after `timeoutMs`.
 */
export async function dial(
  to: Address,
  timeoutMs: number,
  closing: AbortSignal,
): Promise<Deno.TcpConn> {
  const failed = (reason: string, cause?: unknown): DialError =>
    new DialError(`dial tcp ${joinHostPort(to.host, to.port)}: ${reason}`, { cause });
  if (closing.aborted) throw failed(CLOSED_HERE);
  const abort = new AbortController();
  const onClosing = (): void => abort.abort();
  closing.addEventListener("abort", onClosing);
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    const conn = await Deno.connect({ hostname: to.host, port: to.port, signal: abort.signal });
    if (abort.signal.aborted) {
      conn.close();
      abort.signal.throwIfAborted();
    }
    sendAtOnce(conn);
    return conn;
  } catch (cause) {
    if (closing.aborted) throw failed(CLOSED_HERE, cause);
    if (abort.signal.aborted) throw failed("i/o timeout", cause);
    throw failed(reasonOf("connect", cause), cause);
  } finally {
    clearTimeout(timer);
    closing.removeEventListener("abort", onClosing);
  }
}
