/**
 * From an address to a connection that is ready for requests.
 *
 * @module
 */

import { KvError } from "../../protocol/kv/errors.ts";
import { DEFAULT_PORT, PROTOCOL_VERSION } from "../../protocol/kv/limits.ts";
import { dial } from "../net/dial.ts";
import { openFirst } from "../net/first.ts";
import { KvConnection, type Push } from "./connection.ts";
import type { KvConnectOptions } from "./options.ts";

const DEFAULT_ADDRESS = `127.0.0.1:${DEFAULT_PORT}`;

/** How long a client waits for a connection, and for each answer, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** A sign of life is asked for so many times in the time after which the agent would close the connection ... */
const SIGNS_OF_LIFE = 3;

/** ... and at least so often, in milliseconds, and is waited for as long: an agent may stand still. */
const MAX_KEEP_ALIVE_MS = 15_000;

/** The addresses of the agents that may answer, in the order in which they are tried. */
export function addressesIn({ address = DEFAULT_ADDRESS }: KvConnectOptions): string[] {
  return address.split(",").map((one) => one.trim());
}

/** What is read of the answer to HELLO. */
interface Hello {
  readonly limits?: { readonly idle_ms?: unknown };
}

/** A connection, and where it is to. */
export interface Opened {
  readonly connection: KvConnection;
  readonly address: string;
}

/**
 * Connects to the first agent that answers, asks who is there, and says who this is when that is known. `onPush` gets what comes
 * unasked.
 *
 * @throws {ConnectError} when no connection comes about
 * @throws {KvError} when the agent does not speak this version, has no room, or knows no such token, user or password
 */
export async function openKvConnection(
  options: KvConnectOptions,
  signal?: AbortSignal,
  onPush?: (push: Push) => void,
): Promise<KvConnection> {
  return (await openOneOf(addressesIn(options), options, signal, onPush)).connection;
}

/** The same to one of some addresses. */
export async function openOneOf(
  addresses: readonly string[],
  options: KvConnectOptions,
  signal?: AbortSignal,
  onPush?: (push: Push) => void,
): Promise<Opened> {
  const open = async (address: string, signal: AbortSignal) => {
    const connection = await openAt(address, options, signal, onPush);
    return { connection, address, close: () => connection.close() };
  };
  return await openFirst(addresses, open, isFinal, signal);
}

async function openAt(
  address: string,
  options: KvConnectOptions,
  signal: AbortSignal,
  onPush?: (push: Push) => void,
): Promise<KvConnection> {
  const { name, timeoutMs = DEFAULT_TIMEOUT_MS, token, user, password, tls = false } = options;
  const callOptions = { timeoutMs, signal };
  const security = tls === true ? {} : tls || undefined;
  const socket = await dial(address, { ...callOptions, tls: security });
  const connection = new KvConnection(socket, onPush);
  try {
    const hello = { action: "HELLO", version: PROTOCOL_VERSION, ...name && { client: name } };
    const { result } = await connection.call(hello, false, callOptions);
    const idleMs = (result as Hello | null)?.limits?.idle_ms;
    const shown = token !== undefined ? { token } : user !== undefined && { user, password };
    if (shown) await connection.call({ action: "AUTH", ...shown }, false, callOptions);
    const needMs = typeof idleMs === "number" && idleMs > 0 ? idleMs / SIGNS_OF_LIFE : Infinity;
    connection.keepAlive(Math.min(needMs, MAX_KEEP_ALIVE_MS));
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/**
 * Whether an agent would refuse again for this reason. One that speaks another version goes on to do so; one that has no room, or
 * no time, may have some later.
 */
export function isFinal(error: unknown): boolean {
  return error instanceof KvError && error.code !== 429 && error.code !== 503;
}
