/**
 * Who hears of which channel: beside a model that looks at everybody.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Interest, interestOf } from "../../../cluster/pubsub/channel.ts";
import { eachOnce, Subscriptions } from "../../../cluster/pubsub/subscriptions.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

/** Who gets a message, each with the interest it gets it for. */
function reached(subscriptions: Subscriptions<string>, channel: string): string[] {
  const found: string[] = [];
  eachOnce(subscriptions.matching(channel), (member, { text }) => found.push(`${member} ${text}`));
  return found.sort();
}

/** Whether an interest is one in a channel, by its words. */
function matches({ text }: Interest, channel: string): boolean {
  const segments = text.split("^");
  const parts = channel.split("^");
  const last = segments.pop();
  const isBelow = segments.every((segment, i) => parts[i] === segment);
  if (last === "**") return isBelow && parts.length > segments.length;
  if (last === "*") return isBelow && parts.length === segments.length + 1;
  return text === channel;
}

Deno.test("whoever subscribes gets each message once, for what it subscribed to first", () => {
  const random = new SeededRandom(SEED);
  const subscriptions = new Subscriptions<string>();
  const model = new Map<string, Map<string, Interest>>();
  const names = ["a", "b", "c"];
  const path = () =>
    Array.from({ length: 1 + below(random, 4) }, () => names[below(random, 3)]).join("^");
  let order = 0;
  let hits = 0;
  for (let step = 0; step < 5_000; step++) {
    const member = `m${below(random, 5)}`;
    const own = model.get(member) ?? new Map<string, Interest>();
    model.set(member, own);
    const ending = ["", "^*", "^**"][below(random, 3)];
    const text = below(random, 20) === 0 ? ["*", "**"][below(random, 2)] : `${path()}${ending}`;
    const interest = interestOf(text as string) as Interest;
    const others = [...model].filter(([name]) => name !== member);
    const isOnly = !others.some(([, interests]) => interests.has(interest.text));
    if (below(random, 2) === 0 && own.size < 12) {
      const isFirst = isOnly && !own.has(interest.text);
      // The order of the first time counts.
      if (!own.has(interest.text)) {
        own.set(interest.text, interest);
        assert.equal(subscriptions.add(interest, member, order++), isFirst, `seed ${SEED}`);
      }
    } else {
      const had = own.delete(interest.text);
      assert.equal(subscriptions.remove(interest, member), had && isOnly, `seed ${SEED}`);
    }
    const channel = path();
    const expected = [...model].flatMap(([name, interests]) => {
      const first = [...interests.values()].find((one) => matches(one, channel));
      return first === undefined ? [] : [`${name} ${first.text}`];
    });
    hits += expected.length;
    assert.deepEqual(reached(subscriptions, channel), expected.sort(), `seed ${SEED}`);
  }
  assert.ok(hits > 1_000, `${hits} hits`);
});

Deno.test("a pattern is about what is below its node, not the node, nor what only looks like it", () => {
  const subscriptions = new Subscriptions<string>();
  for (const text of ["a^*", "a^**", "a"]) {
    subscriptions.add(interestOf(text) as Interest, text, 0);
  }
  assert.deepEqual(reached(subscriptions, "a"), ["a a"]);
  assert.deepEqual(reached(subscriptions, "a^b"), ["a^* a^*", "a^** a^**"]);
  assert.deepEqual(reached(subscriptions, "a^b^c"), ["a^** a^**"]);
  assert.deepEqual(reached(subscriptions, "ab"), []);
  assert.deepEqual(reached(subscriptions, "b^a"), []);
});
