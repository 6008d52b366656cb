/**
 * JSON that people write, perhaps with secrets in it: what is wrong is told by its place, and never quoted.
 *
 * @module
 */

/** A text that is no JSON. The message says where, and what was expected there. */
export class JsonTextError extends Error {
  override readonly name = "JsonTextError";
}

const STRING = String.raw`"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"`;
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;

/** A token, after blanks: a string, a sign or another word. */
const TOKEN = String
  .raw`[ \t\n\r]*(?:(${STRING})|([{}[\],:])|(${NUMBER}|true|false|null)(?![\w.+-]))`;

/** What may come next: a value, a name or the end of an object, and so on. */
type Expected =
  | "value"
  | "value or ']'"
  | "name in quotes"
  | "name in quotes or '}'"
  | "':'"
  | After;

/** What may come after a value. */
type After = "',' or '}'" | "',' or ']'" | "end";

/**
 * The value that a text holds.
 *
 * @throws {JsonTextError} when it holds none.
 */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error of the parser quotes the text.
    throw new JsonTextError(faultOf(text));
  }
}

function faultOf(text: string): string {
  const open: ("{" | "[")[] = [];
  const after = (): Expected =>
    open.length === 0 ? "end" : open.at(-1) === "{" ? "',' or '}'" : "',' or ']'";
  const pattern = new RegExp(TOKEN, "y");
  let expected: Expected = "value";
  for (;;) {
    const begin = pattern.lastIndex;
    const [, string, sign, word] = pattern.exec(text) ?? [];
    const next = step(expected, { string, sign, word });
    if (next === undefined) return describe(text, begin, expected);
    if (next === "open") {
      open.push(sign as "{" | "[");
      expected = sign === "{" ? "name in quotes or '}'" : "value or ']'";
    } else if (next === "after") {
      if (sign !== undefined) open.pop();
      expected = after();
    } else expected = next;
  }
}

interface Token {
  readonly string: string | undefined;
  readonly sign: string | undefined;
  readonly word: string | undefined;
}

/** What a token leads to: what is expected then, a new level, or what follows a value. `undefined` when it is wrong. */
function step(
  expected: Expected,
  { string, sign, word }: Token,
): Expected | "open" | "after" | undefined {
  switch (expected) {
    case "value":
    case "value or ']'":
      if (sign === "]" && expected !== "value") return "after";
      if (sign === "{" || sign === "[") return "open";
      return (string ?? word) === undefined ? undefined : "after";
    case "name in quotes":
    case "name in quotes or '}'":
      if (sign === "}" && expected !== "name in quotes") return "after";
      return string === undefined ? undefined : "':'";
    case "':'":
      return sign === ":" ? "value" : undefined;
    case "',' or '}'":
      return sign === "," ? "name in quotes" : sign === "}" ? "after" : undefined;
    case "',' or ']'":
      return sign === "," ? "value" : sign === "]" ? "after" : undefined;
    case "end":
      return undefined;
  }
}

/** `begin` is where blanks may stand before the fault. */
function describe(text: string, begin: number, expected: Expected): string {
  const blanks = /^[ \t\n\r]*/.exec(text.slice(begin))?.[0].length ?? 0;
  const before = text.slice(0, begin + blanks);
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  const wanted = expected === "end" ? "the end of the text" : `a ${expected}`.replace(/^a '/, "'");
  const end = before.length === text.length ? ", got the end of the text" : "";
  return `Invalid JSON at line ${line}, column ${column}: expected ${wanted}${end}`;
}
