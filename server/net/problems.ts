/**
 * Addresses as text, and what is said when the network fails: the words of the Go agent.
 *
 * @module
 */

/** What Go says for the error codes of the system. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EAFNOSUPPORT: "address family not supported by protocol",
  ECONNABORTED: "software caused connection abort",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  EINVAL: "invalid argument",
  EMFILE: "too many open files",
  ENETUNREACH: "network is unreachable",
  EPIPE: "broken pipe",
  ETIMEDOUT: "connection timed out",
};

/** Why something fails whose socket or connection was closed on this side. */
export const CLOSED_HERE = "use of closed network connection";

/** `host` as the core writes it: an IPv4-mapped IPv6 address becomes dotted IPv4. */
export function plainHost(host: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  return mapped?.[1] ?? host;
}

/** Of an address, never of a name: only IPv6 has colons. */
export function isIPv6(address: string): boolean {
  return address.includes(":");
}

/** Why `call` (`bind`, `connect`, ...) failed: `bind: address already in use`. */
export function reasonOf(call: string, cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const known = typeof code === "string" ? REASONS[code] : undefined;
  return known === undefined ? messageOf(cause) : `${call}: ${known}`;
}

/**
 * Why `address`, as it was given, cannot be listened on.
 *
 * @param cause What opening the socket threw, or what finding host and port in the address did.
 */
export function listenProblem(address: string, cause: unknown): string {
  if (isSystemError(cause)) return `listen tcp ${address}: ${reasonOf("bind", cause)}`;
  if (!isLookupError(cause)) return `listen tcp: ${messageOf(cause)}`;
  return `listen tcp: lookup ${address.replace(/:[^:]*$/, "")}: no such host`;
}

function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code !== undefined;
}

/** Deno has a class for every failure of a socket, but none for a name that has no address or is none. */
function isLookupError(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return Object.getPrototypeOf(cause) === Error.prototype || cause instanceof URIError;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
