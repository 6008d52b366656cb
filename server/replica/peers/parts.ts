/**
 * What all connections of the links have in common.
 *
 * @module
 */

import type { Keyring } from "../../../cluster/memberlist/wire/keyring.ts";
import type { PubSub } from "../../../cluster/pubsub/mod.ts";
import type { Message } from "../../../cluster/raft/mod.ts";
import type { Random } from "../../../cluster/runtime.ts";
import type { AgentLog } from "../../logging/log.ts";
import {
  encodePreamble,
  type Hello,
  helloProblem,
  type Identity,
  type Lane,
  NONCE_BYTES,
} from "./hello.ts";
import { type End, Sealing } from "./sealing.ts";

/** Who hears of what peers say. */
export interface PeerHandlers {
  /**
   * Why a server is not to be talked to, for its log and ours; `undefined` when it is. Servers of another cluster never come
   * to here, those of none do.
   */
  accepts(hello: Hello): string | undefined;
  /** A message came. Those of one peer come in the order in which it sent them; what is lost is not told. */
  message(from: string, message: Message): void;
  /**
   * A request came on a lane; resolves with the answer. `bytes` may be anything. A rejection counts as a fault of this program, and is
   * told to the peer without its reason.
   */
  request(from: string, bytes: Uint8Array, lane: Lane): Promise<Uint8Array>;
  /** A connection to or from a server is there, its hello accepted; may come again for the same one. */
  connected(id: string, name: string): void;
}

/** Who hears of channels. */
export type ChannelHandlers = Pick<PubSub, "isListening" | "receive" | "connected" | "forget">;

/** What a connection needs of its surroundings. */
export interface PeerParts {
  /** Who this server is, at present. */
  readonly identity: () => Identity;
  /** Keys for what is said; without any, everything is in the open. */
  readonly keyring: Keyring | undefined;
  /** Where nonces come from. */
  readonly random: Random;
  /** Who hears of it. */
  readonly handlers: PeerHandlers;
  /** Who hears of channels: all servers are connected with as long as somebody listens. */
  readonly pubsub: ChannelHandlers;
  /** Where errors go that nobody expected. */
  readonly log: Pick<AgentLog, "unexpected">;
}

/** What one end brings into a connection before it knows the other. */
export interface Opening {
  readonly sealed: boolean;
  readonly nonce: Uint8Array;
  /** The bytes of the preamble. */
  readonly preamble: Uint8Array;
}

/** Begins a connection. */
export function openingOf({ keyring, random }: PeerParts): Opening {
  const sealed = keyring !== undefined && keyring.size > 0;
  const nonce = random.bytes(NONCE_BYTES);
  return { sealed, nonce, preamble: encodePreamble(sealed, nonce) };
}

/** What seals a connection, when both nonces are known; `undefined` when nothing does. */
export function sealingOf(
  { keyring, random }: PeerParts,
  { sealed, nonce }: Opening,
  others: Uint8Array,
  end: End,
): Sealing | undefined {
  if (!sealed || keyring === undefined) return undefined;
  const [caller, callee] = end === "caller" ? [nonce, others] : [others, nonce];
  return new Sealing(keyring, random, { caller, callee }, end);
}

/** Why there is nothing to say to who sent this hello, `undefined` when there is. */
export function greetingProblem(parts: PeerParts, hello: Hello): string | undefined {
  return helloProblem(parts.identity(), hello) ?? parts.handlers.accepts(hello);
}
