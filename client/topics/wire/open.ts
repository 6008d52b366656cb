/**
 * From an address to a connection that is ready for requests.
 *
 * @module
 */

import { TopicError } from "../../../protocol/topics/errors.ts";
import { dial, type TlsOptions } from "../../net/dial.ts";
import { ConnectError } from "../../net/errors.ts";
import type { Traffic } from "../statistics.ts";
import { TopicConnection } from "./connection.ts";

/** Who connects, and how. */
export interface OpenOptions {
  readonly name: string;
  readonly token: string;
  readonly tls: TlsOptions | undefined;
  readonly dialTimeoutMs: number;
}

/**
 * Connects to a server, says who this is and learns who that is.
 *
 * @throws {ConnectError} when no connection comes about
 * @throws {TopicError} when the server has no room, or knows no such token
 */
export async function openTopicConnection(
  address: string,
  { name, token, tls, dialTimeoutMs: timeoutMs }: OpenOptions,
  traffic: Traffic,
  signal: AbortSignal,
): Promise<TopicConnection> {
  const socket = await dial(address, { timeoutMs, signal, tls });
  const connection = new TopicConnection(socket, traffic);
  try {
    const hello = { client: name, token };
    const { features } = await connection.call("hello", hello, { timeoutMs, signal });
    connection.features = features;
    return connection;
  } catch (error) {
    await connection.close();
    if (error instanceof TopicError || signal.aborted) throw error;
    const { message, cause = error } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    throw new ConnectError(`hello ${address}: ${reason}`, { cause: error });
  }
}
