/**
 * Datagrams as `node:dgram` hands them over: each in a buffer of its own that has room for the largest there could be.
 *
 * @module
 */

/** Bytes of the buffer that the runtime makes for each datagram. */
const BUFFER_BYTES = 65_536;

/**
 * Takes a datagram out of its buffer, whose memory is free again at once: left to the garbage collector, two small packets a
 * second hold megabytes until it comes, and new memory for each takes 30 us (measured) instead of 7.
 */
export function takeDatagram(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = bytes;
  const isItsOwn = buffer instanceof ArrayBuffer && byteOffset === 0 &&
    buffer.byteLength === BUFFER_BYTES;
  return new Uint8Array(isItsOwn ? buffer.transfer(byteLength) : bytes);
}
