/**
 * What is thrown for bytes that are none of the session wire.
 *
 * @module
 */

/** Bytes that are no message, or no frame. Nothing more can be read from where they came. */
export class MessageError extends Error {
  /** Always "MessageError". */
  override readonly name = "MessageError";
}
