/**
 * What a command has changed, for whoever listens to a machine. It is no part of the state: a machine that nobody listens to has
 * the same rows.
 *
 * @module
 */

/** What has become of a node's value. */
export type ChangeKind = "set" | "del" | "expire";

/** One node's value that has changed. */
export interface NodeChange {
  /** The node's key in the store. */
  readonly key: Uint8Array;
  /** What has become of it. */
  readonly kind: ChangeKind;
  /** The revision of the store that this made; several nodes that one command changed have the same. */
  readonly rev: number;
  /** The text of the value; empty when there is none any more. */
  readonly text: Uint8Array;
  /** The text of the value before; `undefined` when there was none. */
  readonly before: Uint8Array | undefined;
}
