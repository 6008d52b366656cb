/**
 * Answers agents that look for others by multicast DNS (docs/spec/agent.md 6.10).
 *
 * @module
 */

import type { RemoteInfo, Socket } from "node:dgram";
import { guarded, type UnexpectedLog } from "../logging/background.ts";
import { takeDatagram } from "../net/wire/datagram.ts";
import { decodeMessage, encodeResponse } from "./packets.ts";
import { answersTo, type MdnsService } from "./service.ts";
import { type IpFamily, MDNS_PORT, openGroupSocket } from "./sockets.ts";

/** Answers per second; so many agents of one network may ask at a time, and a flood of questions is not doubled. */
const MAX_ANSWERS_PER_SECOND = 200;

/** Tells others of this agent. */
export class Responder implements Disposable {
  readonly #service: MdnsService;
  readonly #sockets = new DisposableStack();
  readonly #isActive: () => boolean;
  #second = 0;
  #answers = 0;

  private constructor(
    service: MdnsService,
    sockets: readonly Socket[],
    log: UnexpectedLog,
    isActive: () => boolean,
  ) {
    this.#service = service;
    this.#isActive = isActive;
    for (const socket of sockets) {
      this.#sockets.defer(() => socket.close());
      // What a listener of `node:dgram` throws is gone without a trace.
      const receive = (bytes: Uint8Array, from: RemoteInfo): void =>
        this.#receive(socket, takeDatagram(bytes), from);
      socket.on("message", guarded(receive, log));
      socket.on("error", () => {}); // An answer that could not be sent is lost, as on the way.
    }
  }

  /**
   * Begins to answer, over both IP versions as far as there are.
   *
   * @param interfaceName Name of a network interface; "" for the system's choice.
   * @param log Gets errors that nobody expected.
   * @param isActive Whether to answer, asked each time.
   * @throws {Error} when there is neither; its cause says why.
   */
  static async start(
    service: MdnsService,
    interfaceName: string,
    log: UnexpectedLog,
    isActive: () => boolean = () => true,
  ): Promise<Responder> {
    const families: IpFamily[] = ["IPv4", "IPv6"];
    const opened = await Promise.allSettled(
      families.map((family) => openGroupSocket(family, interfaceName)),
    );
    const sockets = opened.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
    if (sockets.length > 0) return new Responder(service, sockets, log, isActive);
    const errors = opened.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
    const cause = new AggregateError(errors);
    throw new Error("no multicast listeners could be started", { cause });
  }

  /** Answers no more. */
  [Symbol.dispose](): void {
    this.#sockets.dispose();
  }

  #receive(socket: Socket, bytes: Uint8Array, from: RemoteInfo): void {
    if (!this.#isActive()) return;
    const message = decodeMessage(bytes);
    if (message === undefined || message.isResponse) return;
    const answers = message.questions.flatMap((question) => answersTo(this.#service, question));
    if (answers.length === 0 || !this.#mayAnswer()) return;
    const isPlainClient = from.port !== MDNS_PORT;
    const response = encodeResponse(answers, isPlainClient ? message : undefined);
    socket.send(response, from.port, from.address, () => {});
  }

  #mayAnswer(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) this.#answers = 0;
    this.#second = second;
    return ++this.#answers <= MAX_ANSWERS_PER_SECOND;
  }
}
