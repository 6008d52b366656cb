/**
 * The layers around messages, for tests of single layers.
 *
 * @module
 */

import { labelBytes } from "../../../cluster/memberlist/wire/label.ts";
import type { PacketOptions } from "../../../cluster/memberlist/wire/packet.ts";

/** {@linkcode PacketOptions} with the label as text. */
export type PlainOptions = Omit<PacketOptions, "label"> & { label: string };

/** The layers of a node without label, keys and compression, but for what `overrides` says. Its nonces are zeros. */
export function packetOptions(overrides: Partial<PlainOptions> = {}): PacketOptions {
  return {
    keyring: undefined,
    verifyIncoming: true,
    verifyOutgoing: true,
    compression: false,
    encryptionVersion: 1,
    random: { float: () => 0, bytes: (length) => new Uint8Array(length) },
    ...overrides,
    label: labelBytes(overrides.label ?? ""),
  };
}
