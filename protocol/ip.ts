/**
 * IP addresses as text.
 *
 * @module
 */

/**
 * The usual text of 4 or 16 address bytes: dotted for IPv4, also when mapped into IPv6, else RFC 5952.
 * No bytes are "" and any other number of bytes is "?" and their hex, as in Go.
 */
export function formatIp(bytes: Uint8Array | null): string {
  if (bytes === null || bytes.length === 0) return "";
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return `?${bytes.toHex()}`;
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff &&
    bytes[11] === 0xff;
  if (mapped) return bytes.subarray(12).join(".");
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2));
  return withLongestZeroRunCut(groups);
}

/** Groups in hex with the first longest run of two or more zeros as "::" (RFC 5952 4.2). */
function withLongestZeroRunCut(groups: readonly number[]): string {
  let start = 0;
  let length = 0;
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  const hex = (part: readonly number[]): string => part.map((g) => g.toString(16)).join(":");
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}
