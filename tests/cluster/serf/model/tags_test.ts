import assert from "node:assert/strict";
import { decodeTags, encodeTags, MAX_META_BYTES } from "../../../../cluster/serf/model/tags.ts";
import { decodeUtf8 } from "../../../../protocol/text.ts";
import { randomByteStrings } from "../../../support/byte_strings.ts";
import { hex, unhex, utf8 } from "../../../support/serf/fixture.ts";
import samples from "../../../vectors/serf.json" with { type: "json" };

for (const sample of samples.filter((s) => s.name.startsWith("node-meta/"))) {
  Deno.test(`${sample.name} decodes to its tags and encodes to the same bytes`, () => {
    const { tags } = sample.decoded as unknown as { tags: Record<string, string> };
    assert.deepEqual(decodeTags(unhex(sample.hex)), tags);
    const version = sample.name.includes("protocol-2") ? 2 : 5;
    assert.equal(hex(encodeTags(tags, version)), sample.hex);
  });
}

Deno.test("no tags are ff80, and what a newest agent sends for a nil map reads as none", () => {
  assert.equal(hex(encodeTags({}, 5)), "ff80");
  assert.deepEqual(decodeTags(unhex("ffc0")), {});
});

Deno.test("meta without the magic byte is the role, also when it is empty", () => {
  assert.deepEqual(decodeTags(utf8("web")), { role: "web" });
  assert.deepEqual(decodeTags(new Uint8Array(0)), { role: "" });
});

Deno.test("before protocol version 3 only the role is sent, as it is", () => {
  assert.equal(hex(encodeTags({ role: "web", dc: "eu" }, 2)), hex(utf8("web")));
  assert.equal(hex(encodeTags({ dc: "eu" }, 2)), "");
  assert.equal(hex(encodeTags({}, 3)), "ff80");
});

Deno.test("tags take at most 512 bytes with the magic byte", () => {
  // ff, 81, a1 'k', da hi lo: 7 bytes around the value.
  const fits = { k: "v".repeat(MAX_META_BYTES - 7) };
  assert.equal(encodeTags(fits, 5).length, MAX_META_BYTES);
  assert.throws(() => encodeTags({ k: fits.k + "v" }, 5), {
    name: "TagsTooLargeError",
    message: "Encoded length of tags exceeds limit of 512 bytes",
  });
});

Deno.test("a tag may have the name of something that every object has", () => {
  const tags = decodeTags(unhex("ff82a95f5f70726f746f5f5fa178ab636f6e7374727563746f72a179"));
  assert.deepEqual(Object.entries(tags), [["__proto__", "x"], ["constructor", "y"]]);
  assert.equal(hex(encodeTags({}, 2)), "");
});

Deno.test("a magic byte with garbage behind it is an error", () => {
  assert.throws(() => decodeTags(unhex("ff")), { name: "DecodeError" });
  assert.throws(() => decodeTags(unhex("ff81a161")), { name: "DecodeError" });
});

Deno.test("tags of any bytes come back as they were, also of the oldest protocol", () => {
  for (const bytes of randomByteStrings(300)) {
    const text = decodeUtf8(bytes.subarray(0, 200));
    assert.deepEqual(decodeTags(encodeTags({ [text]: text }, 5)), { [text]: text });
    if (bytes[0] === 255) continue; // That marks a map.
    assert.deepEqual(encodeTags({ role: text }, 2), bytes.subarray(0, 200));
    assert.deepEqual(decodeTags(bytes.subarray(0, 200)), { role: text });
  }
});
