/**
 * What an agent tells others of its subscribers, and what those keep of it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Announcement } from "../../../cluster/pubsub/announcement.ts";
import { decodeNews } from "../../../cluster/pubsub/wire.ts";

/** News in words. */
function shown(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "nothing";
  const news = decodeNews(bytes);
  if (news.kind === "interests") return `all ${news.interests.map(({ text }) => text).join(" ")}`;
  if (news.kind !== "changes") return news.kind;
  return news.changes.map(([{ text }, isAdded]) => `${isAdded ? "+" : "-"}${text}`).join(" ");
}

Deno.test("what comes and goes in one turn is not told, and the rest at once", () => {
  const announcement = new Announcement();
  assert.equal(shown(announcement.news()), "nothing");
  announcement.add("a");
  announcement.add("b^*");
  announcement.add("c");
  announcement.remove("c");
  assert.equal(shown(announcement.news()), "+a +b^*");
  announcement.remove("a");
  announcement.add("a");
  assert.equal(shown(announcement.news()), "nothing");
  announcement.remove("a");
  assert.equal(shown(announcement.news()), "-a");
  assert.equal(shown(announcement.all()), "all b^*");
  assert.ok(!announcement.isEmpty);
  announcement.remove("b^*");
  assert.ok(announcement.isEmpty);
});

Deno.test("too many interests are told as one in everything, until they are half as many", () => {
  const announcement = new Announcement(4);
  const add = (from: number, to: number) => {
    for (let i = from; i < to; i++) announcement.add(`a${i}`);
  };
  add(0, 4);
  assert.equal(shown(announcement.news()), "+a0 +a1 +a2 +a3");
  add(4, 6);
  assert.equal(shown(announcement.news()), "all **");
  add(6, 7);
  assert.equal(shown(announcement.news()), "nothing");
  assert.equal(shown(announcement.all()), "all **");
  for (const i of [0, 1, 2, 3]) announcement.remove(`a${i}`);
  assert.equal(shown(announcement.news()), "nothing");
  announcement.remove("a4");
  assert.equal(shown(announcement.news()), "all a5 a6");
  add(7, 8);
  assert.equal(shown(announcement.news()), "+a7");
});

Deno.test("interests that take too many bytes are told as one in everything", () => {
  const announcement = new Announcement();
  const text = (i: number) => `${"x".repeat(250)}^`.repeat(4) + i;
  for (let i = 0; i < 5_000; i++) announcement.add(text(i));
  assert.equal(shown(announcement.news()), "all **");
  for (let i = 1; i < 5_000; i++) announcement.remove(text(i));
  assert.equal(shown(announcement.news()), `all ${text(0)}`);
});
