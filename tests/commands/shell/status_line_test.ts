import assert from "node:assert/strict";
import { LineWriter } from "../../../commands/shell/line_writer.ts";
import { StatusLine } from "../../../commands/shell/status_line.ts";

/** A screen that standard output and standard error share, as the bytes that reach it. */
function screen(columns = 80) {
  let text = "";
  const output = {
    write(bytes: Uint8Array): Promise<number> {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  const stdout = new LineWriter(output);
  const line = new StatusLine(new LineWriter(output), () => columns);
  return { stdout, line, written: () => text };
}

Deno.test("a status is erased before a line of output and shown again below it", async () => {
  const { stdout, line, written } = screen();
  line.show("1 of 3");
  await line.around(() => stdout.write("first"));
  assert.equal(written(), "\r\x1b[K1 of 3" + "\r\x1b[K" + "first\n" + "\r\x1b[K1 of 3");
  line.show(undefined);
  await line.idle;
  assert(written().endsWith("1 of 3\r\x1b[K"));
});

Deno.test("of many statuses in one turn the last is drawn, once", async () => {
  const { line, written } = screen();
  for (let i = 1; i <= 100; i++) line.show(`${i} of 100`);
  await line.idle;
  assert.equal(written(), "\r\x1b[K100 of 100");
});

Deno.test("a status never takes more than one line", async () => {
  const { line, written } = screen(10);
  line.show("123456789012345");
  await line.idle;
  assert.equal(written(), "\r\x1b[K123456789");
});

Deno.test("without a status, nothing but the output is written", async () => {
  const { stdout, line, written } = screen();
  await line.around(() => stdout.write("first"));
  line.show(undefined);
  await line.around(() => stdout.write("second"));
  assert.equal(written(), "first\nsecond\n");
});
