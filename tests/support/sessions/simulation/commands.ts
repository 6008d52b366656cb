/**
 * The commands about sessions, read from entries of the log.
 *
 * @module
 */

import { PROGRAM } from "../../../../cluster/machine/mod.ts";
import { readCall } from "../../../../cluster/machine/module.ts";
import { type Ack, ack } from "../../../../cluster/machine/sys/ack.ts";
import { command, type SessionRequest } from "../../../../cluster/machine/sys/command.ts";
import { create } from "../../../../cluster/machine/sys/create.ts";
import { expire } from "../../../../cluster/machine/sys/expire.ts";
import {
  type CapabilityBytes,
  clientIdOf,
} from "../../../../cluster/machine/sys/rows/capabilities.ts";

/** A command about sessions. */
export type SessionEntry =
  /** `attempt`: which client begins it, and by which nonce. */
  | { readonly kind: "create"; readonly client: string; readonly attempt: string }
  | { readonly kind: "request"; readonly request: SessionRequest }
  | { readonly kind: "ack"; readonly acks: readonly Ack[] }
  | { readonly kind: "expire"; readonly sessions: readonly Uint8Array[] };

/** The command in these bytes; `undefined` when it is about something else. */
export function readSessionEntry(bytes: Uint8Array): SessionEntry | undefined {
  const call = readCall(PROGRAM, "commands", bytes, PROGRAM.format);
  if (!call.ok) return undefined;
  switch (call.operation) {
    case create:
      return creationOf(call.args as Parameters<typeof create.apply>[2]);
    case command:
      return { kind: "request", request: call.args as SessionRequest };
    case ack:
      return { kind: "ack", acks: call.args as readonly Ack[] };
    case expire:
      return { kind: "expire", sessions: call.args as readonly Uint8Array[] };
  }
  return undefined;
}

function creationOf(
  { nonce, capabilities }: {
    readonly nonce: Uint8Array;
    readonly capabilities: readonly CapabilityBytes[];
  },
): SessionEntry {
  const client = new TextDecoder().decode(clientIdOf(capabilities));
  return { kind: "create", client, attempt: `${client} ${nonce.toHex()}` };
}
