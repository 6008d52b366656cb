/**
 * The real network: UDP through `node:dgram`, TCP through `Deno.listen` and `Deno.connect`, both on one
 * address and port.
 *
 * @module
 */

import type { Socket } from "node:dgram";
import type {
  Address,
  Logger,
  Stream,
  Transport,
  TransportHandlers,
} from "../../cluster/runtime.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import { endsInNumber, ipBytes } from "../../protocol/ip.ts";
import { Admission, type AdmissionLimits } from "../net/admission.ts";
import { dial } from "../net/dial.ts";
import type { Listening } from "../net/listen.ts";
import { Listener } from "../net/listener.ts";
import { isIPv6, plainHost, reasonOf } from "../net/problems.ts";
import { bindUdp, listenTcp, wakeTicks } from "./bind.ts";
import { type StreamHooks, TcpStream } from "./tcp_stream.ts";

export { DialError } from "../net/dial.ts";
import { takeDatagram } from "../net/wire/datagram.ts";
export { BindError } from "./bind.ts";

/** With port 0, how often a port that TCP got but UDP could not is given back (docs/spec/memberlist.md 8.2). */
const PORT_TRIES = 10;

/** Datagrams that wait for their turn hold at most so many bytes; more are lost, as in a full kernel. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;

/** Largest payload of a UDP datagram over IPv4 in bytes: 65,535 less the IP and UDP headers. */
const MAX_DATAGRAM = 65_507;

/**
 * Accepted streams that may be open at a time. memberlist serves 127 push/pulls at once (docs/spec/memberlist.md 10);
 * the rest is room for pings and user messages. From one address, but for loopback, there are fewer: one machine leaves
 * room for others. The core gives a stream 10 s as a whole, in a wide network 30.
 */
export const ACCEPT_LIMITS: AdmissionLimits = {
  connections: 256,
  perSource: 192,
  strangers: 256,
  strangersPerSource: 192,
  strangerMs: 30_000,
};

/** Deno has one code for whatever keeps a datagram from being sent. */
function sendProblem(cause: unknown): string {
  if ((cause as { code?: unknown }).code !== "UNKNOWN") return reasonOf("sendto", cause);
  return "sendto: no route, or forbidden by a firewall of this machine";
}

/** At most one warning in this many milliseconds about what others do. */
const COMPLAINT_MS = 1_000;

/**
 * A host name has no address.
 *
 * @example
 * ```ts
 * import { NetTransport, ResolveError } from "@skein/agent";
 *
 * const logger = { debug() {}, info() {}, warn() {}, error() {} };
 * await using network = await NetTransport.open({ host: "127.0.0.1", port: 0, logger });
 * try {
 *   console.log(await network.resolve("localhost"));
 * } catch (error) {
 *   if (!(error instanceof ResolveError)) throw error;
 *   console.error(error.message);
 * }
 * ```
 */
export class ResolveError extends Error {
  /** "ResolveError". */
  override readonly name = "ResolveError";
}

/**
 * Where {@linkcode NetTransport.open} binds.
 *
 * @example
 * ```ts
 * import { NetTransport, type NetTransportOptions } from "@skein/agent";
 *
 * const logger = { debug() {}, info() {}, warn() {}, error() {} };
 * const options: NetTransportOptions = { host: "127.0.0.1", port: 0, logger };
 * await using network = await NetTransport.open(options);
 * ```
 */
export interface NetTransportOptions {
  /** IPv4 or IPv6 address; `"0.0.0.0"` and `"::"` serve both families, where the system can. */
  readonly host: string;
  /** Port for UDP and TCP; 0 takes any that is free in both. */
  readonly port: number;
  /** Told about accept errors and refused streams. */
  readonly logger: Logger;
}

/** When, after the start, what sending needs is loaded, if nothing was sent before: the first packet shall not wait for it. */
const WAKE_AFTER_MS = 250;

/**
 * UDP and TCP on one port of this machine.
 *
 * @example
 * ```ts
 * import { NetTransport } from "@skein/agent";
 *
 * const logger = { debug() {}, info() {}, warn() {}, error() {} };
 * await using alpha = await NetTransport.open({ host: "127.0.0.1", port: 0, logger });
 * await using beta = await NetTransport.open({ host: "127.0.0.1", port: 0, logger });
 * const arrived = Promise.withResolvers<Uint8Array>();
 * beta.start({ packet: (_from, bytes) => arrived.resolve(bytes), stream: (stream) => stream.close() });
 * alpha.sendPacket(beta.localAddress, Uint8Array.of(1, 2, 3));
 * console.log(await arrived.promise);
 * ```
 */
export class NetTransport implements Transport, AsyncDisposable {
  /** The bound address, with the port that was found when 0 was asked for. */
  readonly localAddress: Address;
  /** The families of the addresses under which others reach it. */
  readonly families: readonly ("IPv4" | "IPv6")[];
  readonly #udp: Socket;
  readonly #listener: Listener<Deno.TcpConn>;
  readonly #admission = new Admission(ACCEPT_LIMITS, (_source, text) => this.#complain(text));
  readonly #logger: Logger;
  readonly #mapIPv4: boolean;
  readonly #accepted = new Set<TcpStream>();
  readonly #dialled = new Set<TcpStream>();
  readonly #closing = new AbortController();
  readonly #acceptedHooks: StreamHooks = {
    onHeader: (stream) => this.#admission.know(stream),
    onClose: (stream) => {
      this.#accepted.delete(stream);
      this.#admission.leave(stream);
    },
  };
  #closed: Promise<void> | undefined;
  #complainedAt = -Infinity;
  readonly #unsent: { to: Address; bytes: Uint8Array }[] = [];
  #unsentBytes = 0;
  #sending = false;
  #wakeTimer: ReturnType<typeof setTimeout> | undefined;
  #unsentTo: TransportHandlers["unsent"];

  private constructor(
    udp: Socket,
    { socket, families }: Listening,
    options: NetTransportOptions,
  ) {
    this.#udp = udp;
    this.#listener = new Listener(socket);
    this.#logger = options.logger;
    this.#mapIPv4 = isIPv6(socket.addr.hostname);
    this.localAddress = { host: plainHost(options.host), port: socket.addr.port };
    this.families = families;
    udp.on("error", (cause) => this.#logger.debug("UDP socket error", { cause }));
  }

  /**
   * Binds UDP and TCP.
   *
   * @throws {BindError} when the address or the port cannot be had.
   */
  static async open(options: NetTransportOptions): Promise<NetTransport> {
    const { host, port } = options;
    for (let left = PORT_TRIES;; left--) {
      const tcp = listenTcp(host, port);
      try {
        return new NetTransport(await bindUdp(tcp.socket.addr, host), tcp, options);
      } catch (error) {
        tcp.socket.close();
        if (port !== 0 || left <= 1) throw error;
      }
    }
  }

  /** Starts delivering packets and accepted streams. Datagrams that came before are gone. */
  start(handlers: TransportHandlers): void {
    this.#wakeTimer = setTimeout(wakeTicks, WAKE_AFTER_MS);
    this.#unsentTo = handlers.unsent;
    this.#udp.on("message", (bytes, from) => {
      const packet = takeDatagram(bytes);
      const sender = { host: plainHost(from.address), port: from.port };
      this.#guard(() => handlers.packet(sender, packet));
    });
    this.#listener.start(
      (conn) => this.#accept(conn, handlers),
      (cause) => this.#logger.error("Error accepting TCP connection", { cause }),
    );
  }

  /** Sends one datagram after those before it; what cannot be sent is lost. */
  sendPacket(to: Address, bytes: Uint8Array): void {
    if (this.#closed !== undefined || bytes.length > MAX_DATAGRAM) return;
    // Deno sends datagrams that are handed over together in reverse order, hence one at a time.
    if (!this.#sending) this.#send(to, bytes);
    else if (this.#unsentBytes + bytes.length <= SEND_QUEUE_BYTES) {
      this.#unsentBytes += bytes.length;
      this.#unsent.push({ to, bytes });
    } else this.#unsentTo?.(to, "too much waits to be sent");
  }

  /**
   * Opens a TCP connection.
   *
   * @param cancel Ends the wait.
   * @throws {DialError} when it is refused, fails or is not there after `timeoutMs`.
   */
  async dial(to: Address, timeoutMs: number, cancel?: AbortSignal): Promise<Stream> {
    const { signal } = this.#closing;
    const ending = cancel === undefined ? signal : AbortSignal.any([signal, cancel]);
    const conn = await dial(to, timeoutMs, ending);
    const stream = new TcpStream(conn, to, { onClose: (stream) => this.#dialled.delete(stream) });
    this.#dialled.add(stream);
    if (signal.aborted) stream.close();
    return stream;
  }

  /**
   * The addresses of a host name as the system's resolver orders them; an IP address is itself.
   *
   * @throws {ResolveError} when there is none.
   */
  async resolve(host: string): Promise<string[]> {
    if (isIPv6(host)) return [host];
    if (endsInNumber(host)) {
      if (ipBytes(host) !== undefined) return [host];
      throw new ResolveError(`lookup ${host}: no such host`);
    }
    try {
      const { lookup } = await import("node:dns/promises");
      const found = await lookup(host, { all: true });
      const hosts = [...new Set(found.map(({ address }) => plainHost(address)))];
      if (hosts.length > 0) return hosts;
    } catch (cause) {
      throw new ResolveError(`lookup ${host}: no such host`, { cause });
    }
    throw new ResolveError(`lookup ${host}: no such host`);
  }

  /** Closes both sockets and every stream, and ends pending dials. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Same as {@linkcode NetTransport.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const accepting = this.#listener.close();
    for (const stream of [...this.#accepted, ...this.#dialled]) stream.close();
    clearTimeout(this.#wakeTimer);
    wakeTicks();
    const udpClosed = new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await Promise.all([udpClosed, accepting]);
  }

  #send(to: Address, bytes: Uint8Array): void {
    const host = this.#mapIPv4 && !isIPv6(to.host) ? `::ffff:${to.host}` : to.host;
    this.#sending = true;
    wakeTicks();
    try {
      this.#udp.send(bytes, to.port, host, (cause) => {
        if (cause !== null) this.#tellUnsent(to, cause);
        this.#sendNext();
      });
    } catch (cause) {
      this.#tellUnsent(to, cause);
      queueMicrotask(() => this.#sendNext());
    }
  }

  #tellUnsent(to: Address, cause: unknown): void {
    if (this.#closed !== undefined) return;
    const [from, there] = [this.localAddress, to].map(({ host, port }) => joinHostPort(host, port));
    this.#unsentTo?.(to, `write udp ${from}->${there}: ${sendProblem(cause)}`);
  }

  #sendNext(): void {
    this.#sending = false;
    const next = this.#unsent.shift();
    if (next === undefined || this.#closed !== undefined) return;
    this.#unsentBytes -= next.bytes.length;
    this.#send(next.to, next.bytes);
  }

  #accept(conn: Deno.TcpConn, handlers: TransportHandlers): void {
    const { hostname, port } = conn.remoteAddr;
    const remote = { host: plainHost(hostname), port };
    if (!this.#admission.admit(remote.host)) return conn.close();
    const stream = new TcpStream(conn, remote, this.#acceptedHooks);
    this.#accepted.add(stream);
    this.#admission.enter(stream);
    this.#guard(() => handlers.stream(stream));
  }

  /** An error in the core must not end the program from inside a socket's callback. */
  #guard(handle: () => void): void {
    try {
      handle();
    } catch (cause) {
      this.#complain("What arrived could not be handled", { cause });
    }
  }

  /** Others can provoke these warnings, so there are few of them. */
  #complain(message: string, fields?: Record<string, unknown>): void {
    const now = performance.now();
    if (now - this.#complainedAt < COMPLAINT_MS) return;
    this.#complainedAt = now;
    this.#logger.warn(message, fields);
  }
}
