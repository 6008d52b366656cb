import assert from "node:assert/strict";
import { JsonTextError, parseJsonText } from "../../../server/files/json_text.ts";

function fault(text: string): string {
  try {
    parseJsonText(text);
  } catch (error) {
    assert.ok(error instanceof JsonTextError);
    return error.message;
  }
  return "none";
}

Deno.test("what is wrong with JSON is told by its place and what was expected there", () => {
  const faults: Record<string, string> = {
    '{"rpc_auth":hunter2}': "line 1, column 13: expected a value",
    "['hunter2']": "line 1, column 2: expected a value or ']'",
    "hunter2": "line 1, column 1: expected a value",
    '["hunter2",]': "line 1, column 12: expected a value",
    '{\n  "a": 1,\n}': "line 3, column 1: expected a name in quotes",
    '{"a" 1}': "line 1, column 6: expected ':'",
    '{"a": "x" "b": 2}': "line 1, column 11: expected ',' or '}'",
    '["a" "b"]': "line 1, column 6: expected ',' or ']'",
    "{}\n}": "line 2, column 1: expected the end of the text",
    "{hunter2: 1}": "line 1, column 2: expected a name in quotes or '}'",
    '["unfinished]': "line 1, column 2: expected a value or ']'",
    '["a\tb"]': "line 1, column 2: expected a value or ']'",
    "[TRUE]": "line 1, column 2: expected a value or ']'",
    "[01]": "line 1, column 2: expected a value or ']'",
    '{"a":': "line 1, column 6: expected a value, got the end of the text",
    "": "line 1, column 1: expected a value, got the end of the text",
  };
  for (const [text, expected] of Object.entries(faults)) {
    assert.equal(fault(text), `Invalid JSON at ${expected}`, text);
  }
});

Deno.test("every text is taken or refused as JSON.parse() does, and no refusal quotes it", () => {
  const sample = '{"k":["QHOYjmYl==",-1.5e+3,true,null,{}],"t":{"a\\u00e9":"\\n"},"e":[]}';
  assert.deepEqual(parseJsonText(sample), JSON.parse(sample));
  const junk = ["", '"', "\\", "{", "}", "[", "]", ",", ":", "0", "x", "\n", "\0"];
  for (let at = 0; at <= sample.length; at++) {
    for (const piece of junk) {
      for (const length of [0, 1, 5]) {
        const text = sample.slice(0, at) + piece + sample.slice(at + length);
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          assert.match(
            fault(text),
            /^Invalid JSON at line \d+, column \d+: expected [a-z',:\]} ]+$/,
            text,
          );
          continue;
        }
        assert.deepEqual(parseJsonText(text), expected);
      }
    }
  }
});
