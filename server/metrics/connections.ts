/**
 * Connections to the servers that take statsd lines: statsd by UDP, statsite by TCP (docs/spec/agent.md 6.11).
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { encodeUtf8, utf8Length } from "../../protocol/text.ts";
import { splitGoAddress } from "../config/addresses.ts";
import { within } from "../net/deadline.ts";
import type { LineConnection } from "./line_sink.ts";

/** Largest datagram, in bytes: it fits a packet of Ethernet (docs/spec/agent.md 6.11). */
const MAX_DATAGRAM_BYTES = 1_400;

/** How long a server may take to accept lines, in milliseconds. */
const SEND_LIMIT_MS = 10_000;

/**
 * Sends datagrams to a statsd server. Whether they arrive is not known.
 *
 * @param address `host:port`
 */
export async function connectStatsd(address: string): Promise<LineConnection> {
  const { host, port } = splitGoAddress(address);
  const { address: ip, family } = await lookup(host);
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  let isClosed = false;
  socket.on("error", () => {});
  return {
    send: async (lines) => {
      for (const datagram of datagramsOf(lines)) {
        if (isClosed) return;
        await new Promise<void>((resolve, reject) => {
          socket.send(datagram, port, ip, (error) => error ? reject(error) : resolve());
        });
      }
    },
    close: () => {
      if (!isClosed) socket.close();
      isClosed = true;
    },
  };
}

/**
 * Connects to a statsite server.
 *
 * @param address `host:port`
 */
export async function connectStatsite(
  address: string,
  signal: AbortSignal,
): Promise<LineConnection> {
  const { host: hostname, port } = splitGoAddress(address);
  const connection = await Deno.connect({ hostname, port, signal });
  let isClosed = false;
  const close = (): void => {
    if (!isClosed) connection.close();
    isClosed = true;
  };
  const write = async (bytes: Uint8Array): Promise<true> => {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    return true;
  };
  return {
    send: async (lines) => {
      const written = write(encodeUtf8(lines.join("")));
      if (await within(SEND_LIMIT_MS, written)) return;
      close();
      await written.catch(() => {}); // It was closed here.
      throw new Error(`It accepted no lines for ${SEND_LIMIT_MS / 1_000} s`);
    },
    close,
  };
}

/** The lines in as few datagrams as possible. A line that is longer than one by itself is cut by nobody. */
export function datagramsOf(lines: readonly string[]): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  let parts: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    const length = utf8Length(line);
    if (bytes > 0 && bytes + length > MAX_DATAGRAM_BYTES) {
      datagrams.push(encodeUtf8(parts.join("")));
      parts = [];
      bytes = 0;
    }
    parts.push(line);
    bytes += length;
  }
  if (bytes > 0) datagrams.push(encodeUtf8(parts.join("")));
  return datagrams;
}
