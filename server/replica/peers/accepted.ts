/**
 * The connections that other servers have dialled.
 *
 * @module
 */

import type { Writer } from "../../../protocol/msgpack/mod.ts";
import { Admission, type AdmissionLimits } from "../../net/admission.ts";
import { Port } from "../../net/port.ts";
import type { WriterPool } from "../../net/writer_pool.ts";
import { Callee } from "./callee.ts";
import type { Hello, Lane } from "./hello.ts";
import {
  DRAIN_LIMIT_MS,
  MAX_BACKLOG_BYTES,
  MAX_STRANGER_BYTES,
  MEMBER_CONNECTIONS,
  STALL_LIMIT_MS,
} from "./limits.ts";
import type { PeerParts } from "./parts.ts";

/** What the accepted connections need of their surroundings. */
export interface AcceptedParts extends PeerParts {
  /** The buffers for what is sent. */
  readonly writers: WriterPool<Writer>;
  /** Caps on connections. */
  readonly admission: AdmissionLimits;
  /** A server has come. */
  readonly entered: (hello: Hello) => void;
  /** A connection of the server of that id is gone. */
  readonly left: (id: string) => void;
  /** Told what is wrong about whom. Others can cause it, many times a second. */
  readonly complain: (subject: string, text: string) => void;
}

/** Accepts connections until it is closed. */
export class Accepted {
  readonly #parts: AcceptedParts;
  readonly #port: Port<Writer, Callee>;
  /** By lane and id, the newest of each. */
  readonly #callees = new Map<string, Callee>();
  /** Connections that were refused, or ended for what came on them. */
  refused = 0;

  /** Begins to accept. Takes over `socket`. */
  constructor(socket: Deno.TcpListener, parts: AcceptedParts) {
    const { writers, admission, complain, log } = parts;
    this.#parts = parts;
    const calleeParts = {
      ...parts,
      roomProblem: (hello: Hello) => this.#roomProblem(hello),
      entered: (callee: Callee) => this.#enter(callee),
      left: (callee: Callee) => this.#leave(callee),
      refused: (source: string, problem: string) => this.#refuse(source, problem),
    };
    this.#port = new Port<Writer, Callee>(socket, {
      writers,
      limits: {
        backlogBytes: MAX_BACKLOG_BYTES,
        waitingRecords: 0,
        waitingBytes: 0,
        strangerBytes: MAX_STRANGER_BYTES,
      },
      admission: new Admission(admission, complain),
      stallLimitMs: STALL_LIMIT_MS,
      drainLimitMs: DRAIN_LIMIT_MS,
      open: (peer, deliver) => new Callee(peer, deliver, calleeParts),
      onUnexpected: (error) => log.unexpected(error),
      onAcceptFailure: (cause) => {
        complain("accept", `Failed to accept a peer: ${(cause as Error).message}`);
      },
      onStall: ({ source }) =>
        complain(source, `Closed a connection from ${source}: it read nothing`),
    });
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#port.address;
  }

  /** When something came last from the server of that id; `undefined` when it has no connection. */
  heardAt(id: string): number | undefined {
    const heard = (["talk", "bulk", "visit"] as const)
      .map((lane) => this.#callees.get(keyOf(lane, id))?.heardAt)
      .filter((at) => at !== undefined);
    return heard.length === 0 ? undefined : Math.max(...heard);
  }

  /** Closes connections on which nothing comes. To be called as often as peers ask for a sign of life. */
  beat(): void {
    for (const callee of this.#callees.values()) callee.beat();
  }

  /** Stops listening, gives answers under way a moment, and closes all connections. */
  close(): Promise<void> {
    return this.#port.close();
  }

  /** Gateways may be many: members of the log find room beside them, or their log would stand still. */
  #roomProblem({ lane, id }: Hello): string | undefined {
    if (lane !== "visit" || this.#callees.has(keyOf(lane, id))) return undefined;
    const most = this.#parts.admission.connections - MEMBER_CONNECTIONS;
    let count = 0;
    for (const { hello } of this.#callees.values()) if (hello?.lane === lane) count++;
    return count < most ? undefined : `It has room for ${most} gateways`;
  }

  /** Of two connections of a server on one lane the older one is a leftover. */
  #enter(callee: Callee): void {
    const hello = callee.hello as Hello;
    const key = keyOf(hello.lane, hello.id);
    const older = this.#callees.get(key);
    this.#callees.set(key, callee);
    older?.hangUp();
    if (hello.lane !== "bulk") this.#parts.pubsub.forget(hello.id);
    this.#parts.entered(hello);
  }

  #leave(callee: Callee): void {
    if (callee.hello === undefined) return;
    const { id, lane } = callee.hello;
    const key = keyOf(lane, id);
    if (this.#callees.get(key) !== callee) return;
    this.#callees.delete(key);
    if (lane !== "bulk") this.#parts.pubsub.forget(id);
    this.#parts.left(id);
  }

  #refuse(source: string, problem: string): void {
    this.refused++;
    this.#parts.complain(source, `Refused a connection from ${source}: ${problem}`);
  }
}

function keyOf(lane: Lane, id: string): string {
  return `${lane} ${id}`;
}
