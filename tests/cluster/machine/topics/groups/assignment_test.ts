/**
 * Who is to read which partition: properties of random groups.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  assign,
  type Claim,
  NOBODY,
} from "../../../../../cluster/machine/topics/groups/assignment.ts";
import { below } from "../../../../support/random_value.ts";
import { SeededRandom } from "../../../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const GROUPS = 400;

/** Random claims of up to 12 members; with `isEqual` all subscribe to all. */
function randomClaims(random: SeededRandom, isEqual: boolean): Claim[] {
  const members = Array.from({ length: 1 + below(random, 12) }, (_, i) => i);
  return Array.from({ length: 1 + below(random, 6) }, () => {
    const some = members.filter(() => below(random, 2) === 0);
    const subscribers = isEqual || some.length === 0 ? members : some;
    const isNew = below(random, 3) === 0;
    // Some are those of a member that has gone, or that does not subscribe any more.
    const before = Array.from({ length: below(random, 20) }, () => {
      return isNew ? NOBODY : below(random, members.length + 2) - 1;
    });
    return { subscribers, before };
  });
}

/** How many partitions each subscriber has. */
function loadsOf(claims: readonly Claim[], assigned: readonly number[][]): Map<number, number> {
  const loads = new Map<number, number>();
  for (const { subscribers } of claims) for (const one of subscribers) loads.set(one, 0);
  for (const one of assigned.flat()) loads.set(one, (loads.get(one) ?? NaN) + 1);
  return loads;
}

function eachGroup(isEqual: boolean, check: (claims: Claim[], random: SeededRandom) => void): void {
  for (let i = 0; i < GROUPS; i++) {
    const random = new SeededRandom(SEED + i);
    const claims = randomClaims(random, isEqual);
    try {
      check(claims, random);
    } catch (error) {
      throw new Error(`seed ${SEED + i}: ${JSON.stringify(claims)}`, { cause: error });
    }
  }
}

Deno.test("each partition goes to one member that subscribes to its topic", () => {
  for (const isEqual of [true, false]) {
    eachGroup(isEqual, (claims) => {
      const assigned = assign(claims);
      assert.equal(assigned.length, claims.length);
      claims.forEach(({ subscribers, before }, i) => {
        assert.equal(assigned[i]?.length, before.length);
        for (const member of assigned[i] ?? []) assert.ok(subscribers.includes(member));
      });
    });
  }
});

Deno.test("nobody has two partitions more than another who could have one of them", () => {
  eachGroup(false, (claims) => {
    const assigned = assign(claims);
    const loads = loadsOf(claims, assigned);
    claims.forEach(({ subscribers }, i) => {
      const least = Math.min(...subscribers.map((member) => loads.get(member) ?? NaN));
      for (const member of assigned[i] ?? []) assert.ok((loads.get(member) ?? NaN) <= least + 1);
    });
  });
  eachGroup(true, (claims) => {
    const loads = [...loadsOf(claims, assign(claims)).values()];
    assert.ok(Math.max(...loads) - Math.min(...loads) <= 1, `${loads}`);
  });
});

Deno.test("of members that subscribe to the same no partition moves that could stay", () => {
  eachGroup(true, (claims) => {
    const assigned = assign(claims);
    const members = claims[0]?.subscribers ?? [];
    const before = claims.flatMap((claim) => claim.before);
    const moved = before.filter((member, i) => member !== assigned.flat()[i]).length;
    // As many as there may be stay: those of whoever has most get the partitions that are one too many.
    const had = members.map((member) => before.filter((one) => one === member).length);
    const [base, more] = [
      Math.floor(before.length / members.length),
      before.length % members.length,
    ];
    const stay = had.sort((a, b) => b - a)
      .reduce((sum, count, i) => sum + Math.min(count, base + (i < more ? 1 : 0)), 0);
    assert.equal(moved, before.length - stay);
  });
});

Deno.test("the same claims give the same, and what is even already stays as it is", () => {
  for (const isEqual of [true, false]) {
    eachGroup(isEqual, (claims) => {
      const assigned = assign(claims);
      assert.deepEqual(assign(structuredClone(claims)), assigned);
      const again = claims.map(({ subscribers }, i) => ({
        subscribers,
        before: assigned[i] ?? [],
      }));
      assert.deepEqual(assign(again), assigned);
    });
  }
});

Deno.test("partitions of one number of topics that are alike come to one member", () => {
  const topic = { subscribers: [0, 1, 2], before: new Array(6).fill(NOBODY) };
  const [first, second] = assign([topic, topic]);
  assert.deepEqual(first, [0, 1, 2, 0, 1, 2]);
  assert.deepEqual(second, first);
});
