/**
 * Opens the TCP connection to an agent.
 *
 * @module
 */

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
  const [, bracketed, plain, portText = ""] =
    /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(address) ?? [];
  const host = bracketed ?? plain ?? refuse(`address ${address}: ${addressFault(address)}`);
  if (!/^\d*$/.test(portText)) refuse(`lookup tcp/${portText}: unknown port`);
  const port = Number(portText);
  if (port > 65_535) refuse(`address ${portText}: invalid port`);
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
  const shown = `${host.includes(":") ? `[${host}]` : host}:${port}`;
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

function addressFault(address: string): string {
  if (address.startsWith("[") && !address.includes("]")) return "missing ']' in address";
  const afterHost = address.slice(address.lastIndexOf("]") + 1);
  return afterHost.split(":").length > 2 ? "too many colons in address" : "missing port in address";
}

function dialFailure(host: string, shown: string, cause: Error): string {
  if (cause.message.includes("lookup address information")) {
    return `dial tcp: lookup ${host}: no such host`;
  }
  const reason = cause.message.replace(/ \(os error \d+\)$/, "");
  return `dial tcp ${shown}: connect: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}
