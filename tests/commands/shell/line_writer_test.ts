import assert from "node:assert/strict";
import { LineWriter, type Output } from "../../../commands/shell/line_writer.ts";

/** Takes a few bytes at a time, as a pipe may. */
function slowOutput(step: number) {
  const decoder = new TextDecoder();
  return {
    text: "",
    write(bytes: Uint8Array): Promise<number> {
      const taken = bytes.subarray(0, step);
      this.text += decoder.decode(taken, { stream: true });
      return Promise.resolve(taken.length);
    },
  };
}

Deno.test("lines that are written at once do not mix", async () => {
  const output = slowOutput(3);
  const writer = new LineWriter(output);
  await Promise.all([
    writer.write("the first line"),
    writer.write(""),
    writer.write("die zweite ä"),
  ]);
  assert.equal(output.text, "the first line\n\ndie zweite ä\n");
});

Deno.test("a reader that went away breaks the writer quietly", async () => {
  let calls = 0;
  const gone: Output = {
    write() {
      calls++;
      return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe (os error 32)"));
    },
  };
  const writer = new LineWriter(gone);
  await writer.write("a");
  assert.equal(writer.broken, true);
  await writer.write("b");
  assert.equal(calls, 1);
  assert.equal(writer.problem, undefined);
});

Deno.test("what waits for a slow reader is bounded, and losses are told", async () => {
  const gate = Promise.withResolvers<void>();
  let text = "";
  const writer = new LineWriter({
    async write(bytes) {
      await gate.promise;
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  });
  const line = "x".repeat(1024 * 1024);
  for (let i = 0; i < 10; i++) void writer.write(line);
  gate.resolve();
  await writer.idle;
  assert.equal(
    text,
    `${line}\n`.repeat(3) + "(7 lines of output were dropped: they could not be written in time)\n",
  );
  await writer.write("after");
  assert(text.endsWith("time)\nafter\n"));
});

Deno.test("after a full disk the output goes on, on a line of its own, and losses are told", async () => {
  const output = slowOutput(4);
  let room = 9;
  const writer = new LineWriter({
    async write(bytes) {
      if (room <= 0) throw new Error("No space left on device (os error 28)");
      const written = await output.write(bytes.subarray(0, room));
      room -= written;
      return written;
    },
  });
  await writer.write("first");
  await writer.write("second");
  await writer.write("third");
  assert.equal(writer.broken, true);
  room = 1_000;
  await writer.write("fourth");
  await writer.write("fifth");
  assert.equal(
    output.text,
    "first\nsec\nfourth\n" +
      "(2 lines of output were dropped: they could not be written in time)\nfifth\n",
  );
});
