/**
 * Lines of an input.
 *
 * @module
 */

import assert from "node:assert/strict";
import { linesOf, LongLineError } from "../../../commands/topics/produce/lines.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";

const NEVER = new AbortController().signal;

async function read(chunks: readonly string[], longest = 10): Promise<string[]> {
  const lines: string[] = [];
  const input = ReadableStream.from(chunks.map(encodeUtf8));
  for await (const group of linesOf(input, longest, NEVER)) lines.push(...group.map(decodeUtf8));
  return lines;
}

Deno.test("lines come whole, however the input is cut", async () => {
  const text = "one\n\ntwo\r\n\u00e9\xff\nlast";
  const lines = text.split("\n");
  assert.deepEqual(await read([text]), lines);
  assert.deepEqual(await read([...encodeUtf8(text)].map((byte) => String.fromCharCode(byte))), [
    ...lines.slice(0, 3),
    ...lines.slice(3).map((line) => String.fromCharCode(...encodeUtf8(line))),
  ]);
  assert.deepEqual(await read([`${text}\n`]), lines);
  assert.deepEqual(await read([""]), []);
  assert.deepEqual(await read(["\n"]), [""]);
});

Deno.test("a line that is too long ends it, after those before", async () => {
  for (const chunks of [["1\n2\n0123456789x\n3\n"], ["1\n2\n01234", "56789x", "y\n3"]]) {
    const lines: string[] = [];
    const input = ReadableStream.from(chunks.map(encodeUtf8));
    await assert.rejects(async () => {
      for await (const group of linesOf(input, 10, NEVER)) lines.push(...group.map(decodeUtf8));
    }, new LongLineError("Line 3 takes more than 10 bytes"));
    assert.deepEqual(lines, ["1", "2"]);
  }
  assert.deepEqual(await read(["0123456789\n0123456789"]), ["0123456789", "0123456789"]);
});

Deno.test("nothing is read any more when it is stopped, also where nothing comes", async () => {
  const stop = new AbortController();
  let isCancelled = false;
  const input = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encodeUtf8("1\n2")),
    cancel: () => void (isCancelled = true),
  });
  const lines: string[] = [];
  for await (const group of linesOf(input, 10, stop.signal)) {
    lines.push(...group.map(decodeUtf8));
    queueMicrotask(() => stop.abort());
  }
  assert.deepEqual(lines, ["1"]);
  assert.ok(isCancelled);
});
