/**
 * Opens the TCP connection to an agent.
 *
 * @module
 */

import { joinHostPort, portNumber, splitHostPort } from "../../protocol/host_port.ts";
import { endsInNumber, ipBytes } from "../../protocol/ip.ts";
import { type CallOptions, waitFor } from "./deadline.ts";
import { ConnectError } from "./errors.ts";

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
 * Connects to the agent at `address`.
 *
 * @throws {ConnectError} when the address makes no sense, nothing listens there or `timeoutMs` pass
 */
export async function dial(
  address: string,
  options: CallOptions & { readonly timeoutMs: number },
): Promise<Deno.TcpConn> {
  const { host, port } = parseAddress(address);
  const shown = joinHostPort(host, port);
  const dialling = new AbortController();
  const deadline = {
    signal: options.signal,
    timeoutMs: options.timeoutMs,
    timeoutError: () => new ConnectError(`dial tcp ${shown}: i/o timeout`),
    giveUp: () => dialling.abort(),
  };
  return await waitFor<Deno.TcpConn>(deadline, ({ resolve, reject }) => {
    Deno.connect({ hostname: host || "127.0.0.1", port, signal: dialling.signal }).then(
      (conn) => dialling.signal.aborted ? conn.close() : resolve(conn),
      (cause) => reject(new ConnectError(dialFailure(host, shown, cause), { cause })),
    );
  });
}

function dialFailure(host: string, shown: string, cause: Error): string {
  if (cause.message.includes("lookup address information")) {
    return `dial tcp: lookup ${host}: no such host`;
  }
  const reason = cause.message.replace(/ \(os error \d+\)$/, "");
  return `dial tcp ${shown}: connect: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}
