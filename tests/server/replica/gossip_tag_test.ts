import assert from "node:assert/strict";
import { decodeTag, encodeTag, shortId } from "../../../server/replica/gossip_tag.ts";

const ID = "0123456789abcdef0123456789abcdef";

Deno.test("a tag comes back as it was, with a cluster and without", () => {
  for (const cluster of [undefined, shortId("fedcba9876543210fedcba9876543210")]) {
    for (const isLeaving of [false, true]) {
      for (const sessionPort of [undefined, 7375]) {
        for (const topicsPort of [undefined, 9092]) {
          const rest = { cluster, sessionPort, topicsPort, isLeaving };
          const tag = { port: 7376, id: ID, expect: 3, ...rest };
          assert.deepEqual(decodeTag(encodeTag(tag)), tag);
        }
      }
    }
  }
  assert.equal(
    encodeTag({
      port: 1,
      id: ID,
      cluster: undefined,
      expect: 0,
      sessionPort: undefined,
      topicsPort: undefined,
      isLeaving: false,
    }),
    `1:1:${ID}:-:0`,
  );
});

Deno.test("a tag of another version, or of somebody who plays tricks, is none", () => {
  const good = `1:7376:${ID}:-:3`;
  assert.notEqual(decodeTag(good), undefined);
  for (
    const bad of [
      undefined,
      "",
      "2" + good.slice(1),
      good + ":more",
      good + ":leaving:leaving",
      good + ":s",
      good + ":s65536",
      good + ":leaving:s1",
      good + ":t",
      good + ":t65536",
      good + ":t1:s1",
      good.replace("7376", "65536"),
      good.replace("7376", "-1"),
      good.replace(ID, ID.toUpperCase()),
      good.replace(ID, "0"),
      good.replace("-", "fedcba9"),
      good.replace(":3", ":x"),
      `\n${good}`,
    ]
  ) assert.equal(decodeTag(bad), undefined, bad);
});
