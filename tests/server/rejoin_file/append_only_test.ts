/**
 * A rejoin file that can neither be replaced nor emptied, as with `chattr +a`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually } from "../../support/agents.ts";
import { about, Faults, joined, Place } from "../../support/rejoin_file/place.ts";

Deno.test("a file that can only be appended to keeps members after damage, a leave and a torn line", async () => {
  const contents = [
    "clock: 5\n\0\0garbage\n",
    "alive: old 10.0.0.9:7946\nleave\n",
    "clock: 5\nalive: old 10.0.0.9:79",
  ];
  for (const content of contents) {
    await using place = new Place(content);
    const disk = new Faults();
    disk.appendOnly = true;
    const rejoinAfterLeave = content.includes("leave");
    const first = await place.open({ onDisk: disk.on, rejoinAfterLeave });
    first.event(joined("a"), 6n);
    first.event(joined("b"), 6n);
    first.event(about("member-leave", "b"), 7n);
    await first.close();
    assert.ok(place.read().startsWith(content));
    const warning = "[WARN] Snapshot PATH can only be appended to, and will grow: " +
      "device or resource busy";
    const told = content.includes("leave") || content.includes("garbage") ? [warning] : [];
    assert.deepEqual(place.logs.filter((line) => line.includes("appended")), told);
    assert.deepEqual(place.logs.filter((line) => line.startsWith("[ERR]")), []);
    const { restored } = await place.open({ onDisk: disk.on, rejoinAfterLeave });
    const members = [...restored.members.keys()];
    assert.deepEqual(members, rejoinAfterLeave ? ["old", "a"] : ["a"]);
    assert.equal(restored.memberTime, 7n);
  }
});

Deno.test("a leave is the last word of a file that can only be appended to, and such a file is not shortened", async () => {
  await using place = new Place(`alive: a 10.0.0.1:7946\n${"# c\n".repeat(40_000)}`);
  const disk = new Faults();
  disk.appendOnly = true;
  const file = await place.open({ onDisk: disk.on });
  file.event(joined("b"), 6n);
  await eventually("the line", () => place.read().includes("alive: b"));
  await file.leave();
  await file.close();
  assert.ok(place.read().length < 170_000);
  assert.deepEqual([...(await place.open()).restored.members.keys()], []);
});
