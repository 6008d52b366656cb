/**
 * Bytes as a quoted text, the way Go's `%q` shows them in logs.
 *
 * @module
 */

const SHORT: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** `bytes` as text in double quotes. What cannot be printed is escaped; bytes that are no UTF-8 become `\ufffd`. */
export function quoteBytes(bytes: Uint8Array | null): string {
  const text = new TextDecoder().decode(bytes ?? new Uint8Array(0));
  const inner = text.replace(/["\\\p{C}\p{Z}\ufffd]/gu, (char) => {
    if (char === " ") return char;
    const code = char.codePointAt(0) ?? 0;
    if (SHORT[char] !== undefined) return SHORT[char];
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${inner}"`;
}
