/**
 * Configurations: every change of small ones, their bytes, and bytes that are none.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  changed,
  type Configuration,
  type ConfigurationChange,
  configurationProblem,
  decodeConfiguration,
  encodeConfiguration,
  isVoter,
  MAX_ID_LENGTH,
  MAX_MEMBERS,
  type MemberRole,
  roleOf,
  votersOf,
} from "../../../../cluster/raft/membership/configuration.ts";
import { mutated } from "../../../support/mutate.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const ROLES: readonly MemberRole[] = ["voter", "learner", "staging"];
const IDS = ["a", "b", "c"];

/** Every configuration of some of the ids. */
function configurations(): Configuration[] {
  return IDS.reduce<Configuration[]>(
    (all, id) => all.flatMap((one) => [one, ...ROLES.map((role) => [...one, { id, role }])]),
    [[]],
  );
}

/** Every change of one of the ids, and of one that is new. */
function changes(): ConfigurationChange[] {
  return [...IDS, "d"].flatMap((id): ConfigurationChange[] => [
    { kind: "remove", id },
    ...ROLES.map((role) => ({ kind: "add" as const, id, role })),
  ]);
}

function text(configuration: Configuration | string): string {
  return typeof configuration === "string"
    ? configuration
    : configuration.map(({ id, role }) => `${id}:${role}`).join(" ");
}

Deno.test("changed() makes every change of small configurations, or says why not", () => {
  const tried = { made: 0, refused: 0 };
  for (const configuration of configurations().filter((one) => votersOf(one).length > 0)) {
    for (const change of changes()) {
      const { kind, id, role } = change;
      const roles = new Map(configuration.map((member) => [member.id, member.role]));
      const before = roles.get(id);
      if (kind === "remove") roles.delete(id);
      else roles.set(id, role as MemberRole);
      const after = [...roles].sort().map(([id, role]) => ({ id, role }));
      const problem = kind === "remove" && before === undefined
        ? `'${id}' is no member`
        : kind === "add" && before === role
        ? `'${id}' is ${role} already`
        : votersOf(after).length === 0
        ? "Configuration has no voter"
        : undefined;
      const result = changed(configuration, change);
      assert.equal(text(result), problem ?? text(after));
      if (typeof result === "string") tried.refused++;
      else tried.made++;
      if (typeof result === "string") continue;
      // One voter more or less, so that majorities meet.
      const [old, now] = [new Set(votersOf(configuration)), new Set(votersOf(result))];
      assert.ok(old.symmetricDifference(now).size <= 1);
    }
  }
  assert.ok(tried.made > 300 && tried.refused > 100, JSON.stringify(tried));
});

Deno.test("changed() wants a role for a member, and leaves what it was given as it was", () => {
  const configuration: Configuration = Object.freeze([{ id: "b", role: "voter" }]);
  assert.equal(changed(configuration, { kind: "add", id: "a" }), "Role of 'a' is missing");
  const next = changed(configuration, { kind: "add", id: "a", role: "learner" });
  assert.equal(text(next), "a:learner b:voter");
  assert.equal(text(configuration), "b:voter");
});

Deno.test("configurationProblem() tells what is wrong", () => {
  const voter = (id: string) => ({ id, role: "voter" as const });
  const many = Array.from({ length: MAX_MEMBERS + 1 }, (_, i) => voter(`m${i}`));
  const long = "x".repeat(MAX_ID_LENGTH + 1);
  const table: [Configuration, string | undefined][] = [
    [[voter("a")], undefined],
    [many.slice(1), undefined],
    [[voter("x".repeat(MAX_ID_LENGTH))], undefined],
    [many, "Configuration has 65 members, at most 64 can be"],
    [[voter("")], "Id '' takes 0 characters, wanted 1 to 64"],
    [[voter(long)], `Id '${long}' takes 65 characters, wanted 1 to 64`],
    [[voter("a"), voter("b"), voter("a")], "Member 'a' occurs twice"],
    [
      [{ id: "a", role: "king" as MemberRole }],
      "Role 'king' of 'a' is none of voter, learner, staging",
    ],
    [[], "Configuration has no voter"],
    [[{ id: "a", role: "learner" }, { id: "b", role: "staging" }], "Configuration has no voter"],
  ];
  for (const [configuration, problem] of table) {
    assert.equal(configurationProblem(configuration), problem);
  }
});

Deno.test("votersOf(), isVoter() and roleOf() agree", () => {
  for (const configuration of configurations()) {
    for (const id of [...IDS, "d"]) {
      assert.equal(isVoter(configuration, id), votersOf(configuration).includes(id));
      assert.equal(isVoter(configuration, id), roleOf(configuration, id) === "voter");
    }
  }
});

Deno.test("every configuration comes back from its bytes, in order of the ids", () => {
  for (const configuration of configurations()) {
    if (votersOf(configuration).length === 0) continue;
    const shuffled = [...configuration].reverse();
    assert.deepEqual(encodeConfiguration(shuffled), encodeConfiguration(configuration));
    assert.deepEqual(decodeConfiguration(encodeConfiguration(shuffled)), configuration);
  }
  const odd: Configuration = [{ id: 'é"\\\u{1f600}', role: "voter" }];
  assert.deepEqual(decodeConfiguration(encodeConfiguration(odd)), odd);
});

Deno.test("the bytes of a configuration are these", () => {
  const bytes = encodeConfiguration([{ id: "b", role: "voter" }, { id: "a", role: "learner" }]);
  assert.equal(
    new TextDecoder().decode(bytes),
    '{"members":[{"id":"a","role":"learner"},{"id":"b","role":"voter"}]}',
  );
});

Deno.test("bytes that are no configuration are a RangeError", () => {
  const texts = [
    "",
    "null",
    "7",
    "[]",
    "{}",
    '{"members":null}',
    '{"members":{}}',
    '{"members":[]}',
    '{"members":[null]}',
    '{"members":[{"id":"a"}]}',
    '{"members":[{"id":1,"role":"voter"}]}',
    '{"members":[{"id":"a","role":"king"}]}',
    '{"members":[{"id":"","role":"voter"}]}',
    '{"members":[{"id":"a","role":"voter"},{"id":"a","role":"learner"}]}',
    '{"members":[{"id":"a","role":"voter"}]',
  ];
  for (const one of texts) {
    assert.throws(() => decodeConfiguration(new TextEncoder().encode(one)), RangeError, one);
  }
  const notText = encodeConfiguration([{ id: "a", role: "voter" }]);
  notText[notText.indexOf("a".charCodeAt(0))] = 0xff;
  assert.throws(() => decodeConfiguration(notText), RangeError);
});

Deno.test("damaged bytes are a RangeError or a configuration that can be", () => {
  const random = new SeededRandom(1);
  const sample = encodeConfiguration(IDS.map((id, i) => ({ id, role: ROLES[i] as MemberRole })));
  let [refused, taken] = [0, 0];
  for (let count = 0; count < 5_000; count++) {
    try {
      const read = decodeConfiguration(mutated(random, sample));
      assert.equal(configurationProblem(read), undefined);
      assert.deepEqual(decodeConfiguration(encodeConfiguration(read)), read);
      taken++;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      refused++;
    }
  }
  assert.ok(refused > 1_000 && taken > 100, `${refused} refused, ${taken} taken`);
});
