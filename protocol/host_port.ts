/**
 * `host:port` as Go takes it apart (`net.SplitHostPort`) and puts it together. What is wrong with a text is returned and
 * not thrown: each user has an error and words of its own for it.
 *
 * @module
 */

/** A host and a port, both as they were written. */
export interface HostPort {
  /** Host name or IP address, without brackets; may be empty. */
  readonly host: string;
  /** What follows the last colon; may be empty and need not be a number. */
  readonly port: string;
}

/** Why a text is no `host:port`, in Go's words. */
export type HostPortFault =
  | "missing port in address"
  | "too many colons in address"
  | "missing ']' in address"
  | "unexpected '[' in address"
  | "unexpected ']' in address";

/** Why a text is no port, see {@linkcode portNumber}. */
export type PortFault = "unknown port" | "invalid port";

/** Largest port number. */
export const MAX_PORT = 65_535;

/**
 * Takes `host:port` or `[IPv6]:port` apart, or says why that cannot be done. An IPv6 address needs its brackets. Of
 * several faults it names the one that Go names.
 */
export function splitHostPort(text: string): HostPort | HostPortFault {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return "missing port in address";
  const bracketed = text.startsWith("[");
  const close = text.indexOf("]");
  if (bracketed && close < 0) return "missing ']' in address";
  if (bracketed && close + 1 !== colon) {
    return text[close + 1] === ":" ? "too many colons in address" : "missing port in address";
  }
  const host = bracketed ? text.slice(1, close) : text.slice(0, colon);
  if (!bracketed && host.includes(":")) return "too many colons in address";
  const port = text.slice(colon + 1);
  if ((host + port).includes("[")) return "unexpected '[' in address";
  if ((host + port).includes("]")) return "unexpected ']' in address";
  return { host, port };
}

/** `host:port`, with brackets around an IPv6 host. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The number of a port as Go's listeners and dialers read it: decimal, perhaps with a sign, nothing for 0; or why it is
 * none. Names of services are not looked up.
 */
export function portNumber(text: string): number | PortFault {
  if (!/^[+-]?\d*$/.test(text)) return "unknown port";
  const port = Number(text);
  return port >= 0 && port <= MAX_PORT ? port : "invalid port";
}
