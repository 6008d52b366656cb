/**
 * Byte strings of every kind: text, Latin-1, cut characters, noise.
 *
 * @module
 */

/** `count` byte strings of 0 to some 200 bytes; the same on every call. */
export function* randomByteStrings(count: number): Generator<Uint8Array<ArrayBuffer>> {
  let state = 0x9e3779b9;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const pieces = ["a", "web-1", "é", "漢字", "😀", "\ufffd", "\ufeff", " ", "\n", "=", "\\"];
  const encoder = new TextEncoder();
  for (let i = 0; i < count; i++) {
    const bytes: number[] = [];
    for (let left = random(40); left > 0; left--) {
      const piece = encoder.encode(pieces[random(pieces.length)]);
      if (random(3) > 0) bytes.push(...piece);
      else if (random(2) === 0) bytes.push(...piece.subarray(0, random(piece.length + 1)));
      else bytes.push(random(256));
    }
    yield Uint8Array.from(bytes);
  }
}
