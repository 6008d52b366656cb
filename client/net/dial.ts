/**
 * Opens the TCP connection to an agent.
 *
 * @module
 */

import { joinHostPort, portNumber, splitHostPort } from "../../protocol/host_port.ts";
import { endsInNumber, ipBytes } from "../../protocol/ip.ts";
import { carrier } from "./carrier.ts";
import { type CallOptions, waitFor } from "./deadline.ts";
import { ConnectError } from "./errors.ts";
import { HandshakeError, type Socket } from "./socket.ts";

/**
 * How a connection is encrypted.
 *
 * @example
 * ```ts
 * import { KvClient, type TlsOptions } from "@skein/agent/client";
 *
 * async function connect(certificate: string): Promise<KvClient> {
 *   const tls: TlsOptions = { caCerts: [certificate], serverName: "kv.example" };
 *   return await KvClient.connect({ address: "10.0.0.1:8379", tls });
 * }
 * console.log(connect.name);
 * ```
 */
export interface TlsOptions {
  /** Certificates in PEM that are trusted besides those of the system, such as one that an agent signed for itself. */
  readonly caCerts?: readonly string[];
  /** The name that the agent's certificate is for. Default: the host of the address. */
  readonly serverName?: string;
}

/** Where an agent listens. */
export interface AgentAddress {
  /** Host as it was given, without brackets; empty for this machine. */
  readonly host: string;
  /** Port, 0 to 65535. */
  readonly port: number;
}

/**
 * Takes `host:port` apart; an IPv6 host stands in brackets, an empty one is this machine.
 *
 * @throws {ConnectError} with the text Go's client gives for such an address
 */
export function parseAddress(address: string): AgentAddress {
  const refuse = (reason: string): never => {
    throw new ConnectError(`dial tcp: ${reason}`);
  };
  if (address === "") refuse("missing address");
  const parts = splitHostPort(address);
  if (typeof parts === "string") return refuse(`address ${address}: ${parts}`);
  const port = portNumber(parts.port);
  if (port === "unknown port") return refuse(`lookup tcp/${parts.port}: ${port}`);
  if (port === "invalid port") return refuse(`address ${parts.port}: ${port}`);
  const { host } = parts;
  if (endsInNumber(host) && ipBytes(host) === undefined) {
    return refuse(`lookup ${host}: no such host`);
  }
  return { host, port };
}

/**
 * Connects to the agent at `address`, with TLS when `options.tls` says how.
 *
 * @throws {ConnectError} when the address makes no sense, nothing listens there, its certificate is not trusted, or `timeoutMs` pass
 */
export async function dial(
  address: string,
  options: CallOptions & { readonly timeoutMs: number; readonly tls?: TlsOptions | undefined },
): Promise<Socket> {
  const { host, port } = parseAddress(address);
  const shown = joinHostPort(host, port);
  const { connect, reasonOf } = await carrier();
  const known = host || "127.0.0.1";
  const { tls } = options;
  const security = tls && { serverName: tls.serverName ?? known, caCerts: tls.caCerts ?? [] };
  const dialling = new AbortController();
  const deadline = {
    signal: options.signal,
    timeoutMs: options.timeoutMs,
    timeoutError: () => new ConnectError(`dial tcp ${shown}: i/o timeout`),
    giveUp: () => dialling.abort(),
  };
  const failure = (cause: Error): ConnectError => {
    if (cause instanceof HandshakeError) {
      return new ConnectError(`dial tcp ${shown}: tls: ${cause.message}`, { cause });
    }
    const reason = reasonOf(cause);
    const text = reason === undefined
      ? `dial tcp: lookup ${host}: no such host`
      : `dial tcp ${shown}: connect: ${reason}`;
    return new ConnectError(text, { cause });
  };
  return await waitFor<Socket>(deadline, ({ resolve, reject }) => {
    connect(known, port, dialling.signal, security).then(
      (socket) => dialling.signal.aborted ? socket.close() : resolve(socket),
      (cause) => reject(failure(cause)),
    );
  });
}
