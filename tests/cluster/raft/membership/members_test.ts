/**
 * The configurations of a log, against a list of all entries that is searched anew for each question.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Configuration, Entry } from "../../../../cluster/raft/mod.ts";
import { encodeConfiguration } from "../../../../cluster/raft/membership/configuration.ts";
import { Members } from "../../../../cluster/raft/membership/members.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

function of(...ids: string[]): Configuration {
  return ids.map((id) => ({ id, role: "voter" as const }));
}

function entry(index: number, configuration?: Configuration): Entry {
  return {
    index,
    term: 1,
    type: configuration === undefined ? "command" : "configuration",
    time: 0,
    data: configuration === undefined ? new Uint8Array(0) : encodeConfiguration(configuration),
  };
}

function idsOf(configuration: Configuration): string {
  return configuration.map(({ id }) => id).join("");
}

Deno.test("the newest configuration counts, and the one before it when it is cut off", () => {
  const members = new Members(0, []);
  assert.deepEqual([members.index, members.voters], [0, []]);
  assert.ok(members.append([entry(1, of("a")), entry(2)]));
  assert.ok(!members.append([entry(3)]));
  assert.ok(members.append([entry(4, of("a", "b"))]));
  assert.deepEqual([members.index, members.voters], [4, ["a", "b"]]);
  assert.ok(members.isVoter("b") && !members.isVoter("c"));
  assert.ok(!members.truncate(5));
  assert.ok(members.truncate(4));
  assert.deepEqual([members.index, members.voters], [1, ["a"]]);
});

Deno.test("what there was before the log is never cut off", () => {
  const members = new Members(7, of("a", "b"));
  members.append([entry(9, of("a"))]);
  assert.ok(members.truncate(1));
  assert.deepEqual([members.index, members.voters], [7, ["a", "b"]]);
  members.reset(12, of("c"));
  assert.deepEqual([members.index, members.voters], [12, ["c"]]);
  assert.equal(members.at(11), undefined);
});

Deno.test("since() gives those of which one is the newest committed", () => {
  const members = new Members(0, []);
  members.append([entry(2, of("a")), entry(4, of("a", "b")), entry(6, of("b"))]);
  const table: [number, string[]][] = [
    [0, ["", "a", "ab", "b"]],
    [1, ["", "a", "ab", "b"]],
    [2, ["a", "ab", "b"]],
    [3, ["a", "ab", "b"]],
    [4, ["ab", "b"]],
    [5, ["ab", "b"]],
    [6, ["b"]],
    [9, ["b"]],
  ];
  for (const [commit, wanted] of table) {
    assert.deepEqual(members.since(commit).map(idsOf), wanted, `commit ${commit}`);
  }
  members.trim(4);
  assert.deepEqual(members.since(0).map(idsOf), ["ab", "b"]);
});

Deno.test("random logs have the members that their entries say", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new SeededRandom(seed);
    const dice = (limit: number): number => Math.floor(random.float() * limit);
    const members = new Members(0, []);
    let made: { index: number; ids: string }[] = [{ index: 0, ids: "" }];
    let [last, before] = [0, 0];
    for (let count = 0; count < 100; count++) {
      const newest = made.at(-1)?.index;
      switch (dice(6)) {
        case 0: {
          // Not what is trimmed: that is committed.
          const from = before + 1 + dice(last - before + 1);
          made = made.filter(({ index }, i) => i === 0 || index < from);
          assert.equal(members.truncate(from), made.at(-1)?.index !== newest);
          last = Math.min(last, from - 1);
          break;
        }
        case 1:
          before += dice(last - before + 1);
          members.trim(before);
          made = made.slice(Math.max(0, made.findLastIndex(({ index }) => index <= before)));
          break;
        default: {
          const entries = Array.from({ length: dice(4) }, () => {
            const ids = String.fromCharCode(97 + dice(26));
            if (dice(2) === 0) return entry(++last);
            made.push({ index: ++last, ids });
            return entry(last, of(ids));
          });
          assert.equal(members.append(entries), made.at(-1)?.index !== newest);
        }
      }
      const now = made.at(-1);
      assert.equal(members.index, now?.index);
      assert.equal(idsOf(members.configuration), now?.ids);
      assert.equal(members.voters.join(""), now?.ids);
      for (let index = before; index <= last + 1; index++) {
        const at = made.findLast((one) => one.index <= index);
        assert.equal(members.at(index)?.index, at?.index);
        const since = made.slice(Math.max(0, made.indexOf(at as typeof made[0])));
        assert.deepEqual(members.since(index).map(idsOf), since.map(({ ids }) => ids));
      }
    }
  }
});
