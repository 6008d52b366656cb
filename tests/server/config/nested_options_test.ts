/**
 * Options in groups three deep, planted in a table of their own, work wherever options do.
 *
 * @module
 */

import assert from "node:assert/strict";
import { flagsOf, inputOf } from "../../../commands/agent/agent_flags.ts";
import { parseFlags } from "../../../commands/shell/flags.ts";
import { referenceText, schemaText } from "../../../docs/config_reference.ts";
import { leastChecks } from "../../../server/config/checks.ts";
import { ConfigError } from "../../../server/config/error.ts";
import { readConfigFiles } from "../../../server/config/files.ts";
import type { ConfigOption, SomeOf } from "../../../server/config/options/option.ts";
import {
  completed,
  defaultsOf,
  givenSettings,
  mergeInputs,
  presented,
} from "../../../server/config/options/values.ts";
import { inputCheck } from "../../../server/config/schema.ts";
import { compareConfigs } from "../../../server/run/changes.ts";
import {
  batch,
  DEFAULTS,
  type Input,
  PLANTED,
  type Settings,
  settle,
  withBatch,
} from "../../support/config/planted.ts";

Deno.test("defaults of nested options stand in nested settings", () => {
  assert.deepEqual(defaultsOf(PLANTED), DEFAULTS);
  assert.deepEqual(settle({}), DEFAULTS);
});

Deno.test("nested options merge one by one, each by the rule of its kind", () => {
  const earlier = batch({
    max_count: 5,
    sync_wait: "1s",
    disable_sync: true,
    peers: ["a"],
    zones: { x: "1", y: "1" },
    token: "t",
  });
  const later = batch({
    max_count: 0,
    sync_wait: "0s",
    disable_sync: false,
    peers: ["b"],
    zones: { y: "2" },
    token: "",
  });
  const before = structuredClone(earlier);
  assert.deepEqual(
    mergeInputs(PLANTED, { site: "s", ...earlier }, { store: { path: "/p", ...later.store } }),
    {
      site: "s",
      store: {
        path: "/p",
        limits: {
          batch: {
            max_count: 5,
            sync_wait: "1s",
            disable_sync: true,
            peers: ["a", "b"],
            zones: { x: "1", y: "2" },
            token: "t",
          },
        },
      },
    },
  );
  assert.deepEqual(earlier, before, "inputs are left alone");
  assert.deepEqual(mergeInputs(PLANTED, batch({ max_count: 5 }), batch({ max_count: 6 })), {
    store: { limits: { batch: { max_count: 6 } } },
  });
});

Deno.test("nested values become settings, are raised with a warning, or are refused by name", () => {
  const { given, warnings, problems } = givenSettings(
    PLANTED,
    batch({ max_count: -1, sync_wait: "1ms", disable_sync: true, peers: ["a"] }),
  );
  assert.deepEqual(given, {
    store: { limits: { batch: { syncWaitMs: 10, sync: false, peers: ["a"] } } },
  });
  assert.deepEqual(warnings, ["Warning: 'SyncWait' is too low. Setting to 10ms"]);
  assert.deepEqual(problems, [
    new ConfigError(
      "Invalid store.limits.batch.max_count: expected a positive number, got -1",
    ),
  ]);
});

Deno.test("part of a group may be given; the rest has its default, and the defaults stay", () => {
  const given: SomeOf<Settings> = { store: { limits: { batch: { maxCount: 7 } } } };
  assert.deepEqual(completed(PLANTED, given, DEFAULTS), withBatch({ maxCount: 7 }));
  assert.deepEqual(defaultsOf(PLANTED), DEFAULTS);
  assert.deepEqual(
    completed(PLANTED, { store: { path: "/p" } }, withBatch({ maxCount: 7 })),
    { ...withBatch({ maxCount: 7 }), store: { ...withBatch({ maxCount: 7 }).store, path: "/p" } },
  );
  const unknown = { store: { limits: { batch: { maxCont: 7 } } } } as SomeOf<Settings>;
  assert.throws(
    () => completed(PLANTED, unknown, DEFAULTS),
    new ConfigError(
      "Unknown setting 'store.limits.batch.maxCont', did you mean 'store.limits.batch.maxCount'?",
    ),
  );
});

Deno.test("nested settings below their least value are refused by name", () => {
  const problems = (settings: Settings) =>
    leastChecks(PLANTED).flatMap((check) => {
      try {
        check(settings);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    });
  assert.deepEqual(problems(DEFAULTS), []);
  for (const maxCount of [0, 1.5, NaN]) {
    assert.deepEqual(problems(withBatch({ maxCount })), [
      `Invalid store.limits.batch.max_count: expected a whole number from 1, got ${maxCount}`,
    ]);
  }
});

Deno.test("files hold nested options, whose names match in any case", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(
      path,
      `{"Store": {"LIMITS": {"batch": {"Max_Count": 3.7, "zones": {"A": "b"}, "token": null}}}}`,
    );
    const { input, problems } = await readConfigFiles(PLANTED, [path]);
    assert.deepEqual(problems, []);
    assert.deepEqual(settle(input), withBatch({ maxCount: 3, zones: { A: "b" } }));
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("what is wrong with nested options is told by name, with what was meant", () => {
  const check = inputCheck(PLANTED);
  const inBatch = (said: unknown) => ({ store: { limits: { batch: said } } });
  const wrong: [unknown, string][] = [
    [
      inBatch({ max_count: "x" }),
      `'store.limits.batch.max_count' expected a number, got string "x"`,
    ],
    [
      inBatch({ sync_wait: 5 }),
      `'store.limits.batch.sync_wait' expected a duration such as "30s", got number 5`,
    ],
    [
      inBatch({ sync_wait: "5" }),
      `'store.limits.batch.sync_wait': time: missing unit in duration "5"`,
    ],
    [inBatch({ peers: [1] }), "'store.limits.batch.peers[0]' expected a string, got number 1"],
    [inBatch({ zones: { a: 1 } }), "'store.limits.batch.zones[a]' expected a string, got number 1"],
    [inBatch(5), "'store.limits.batch' expected an object, got number 5"],
    [{ store: [] }, "'store' expected an object, got an array"],
    [
      inBatch({ maxCount: 5 }),
      "unknown key 'store.limits.batch.maxCount', did you mean 'store.limits.batch.max_count'?",
    ],
    [
      { "store-batch": 5 },
      "unknown key 'store-batch', did you mean 'store.limits.batch.max_count'?",
    ],
    [
      { "store.limits.batch.max_count": 5 },
      "unknown key 'store.limits.batch.max_count', " +
      `write it as {"store": {"limits": {"batch": {"max_count": ...}}}}`,
    ],
    [
      { store: { "limits.batch": 5 }, sites: "" },
      "unknown key 'store.limits.batch'; unknown key 'sites', did you mean 'site'?",
    ],
  ];
  for (const [value, message] of wrong) assert.throws(() => check(value), { message });
});

Deno.test("flags set nested options, and tell their defaults", () => {
  const flags = flagsOf(PLANTED);
  const said = (...argv: string[]): Input => inputOf(PLANTED, parseFlags(flags, argv));
  assert.deepEqual(
    said("-store=/p", "-store-batch=3", "-store-no-sync", "-store-peer=a", "-store-zone=a=b=c"),
    {
      store: {
        path: "/p",
        limits: {
          batch: { max_count: 3, disable_sync: true, peers: ["a"], zones: { a: "b=c" } },
        },
      },
    },
  );
  assert.deepEqual(settle(mergeInputs(PLANTED, {}, said())), DEFAULTS, "absent flags say nothing");
  assert.equal(flags["store-batch"]?.help, "Most of one batch, see -store-zone. Default: 64.");
  assert.throws(() => said("-store-zone=x"), {
    message: "Error: Invalid -store-zone: 'x', expected NAME=ZONE",
  });
});

Deno.test("nested settings are shown as a file would write them, which means the same", () => {
  const settings = withBatch({ maxCount: 2, syncWaitMs: 90_000, sync: false, token: "t" });
  const shown = presented(PLANTED, settings);
  assert.deepEqual(shown, {
    site: "",
    store: {
      path: "/var",
      limits: {
        batch: {
          max_count: 2,
          sync_wait: "1m30s",
          disable_sync: true,
          peers: [],
          zones: {},
          token: "(hidden)",
        },
      },
    },
  });
  assert.deepEqual(
    settle(inputCheck(PLANTED)(shown)),
    withBatch({
      ...settings.store.limits.batch,
      token: "(hidden)",
    }),
  );
});

Deno.test("a reload applies those nested options that reload, and names the others", () => {
  const read = withBatch({ maxCount: 2, syncWaitMs: 20, zones: { a: "b" } });
  assert.deepEqual(compareConfigs(PLANTED, DEFAULTS, read), {
    applicable: ["store.limits.batch.sync_wait", "store.limits.batch.zones"],
    restart: ["store.limits.batch.max_count"],
    next: withBatch({ syncWaitMs: 20, zones: { a: "b" } }),
  });
});

Deno.test("the JSON Schema and the reference have nested options", () => {
  const { properties } = JSON.parse(schemaText(PLANTED));
  const group = properties.store.properties.limits.properties.batch;
  assert.equal(group.additionalProperties, false);
  assert.deepEqual(Object.keys(group.properties), [
    "max_count",
    "sync_wait",
    "disable_sync",
    "peers",
    "zones",
    "token",
  ]);
  assert.deepEqual(
    [group.properties.max_count.default, group.properties.sync_wait.default],
    [64, "250ms"],
  );
  const page = referenceText([{ title: "Planted", options: PLANTED.table }]);
  for (
    const text of [
      "| [`store.limits.batch.zones`](#storelimitsbatchzones) | `-store-zone` | yes |",
      "Most of one batch, see `store.limits.batch.zones`.",
      "The lists `store.limits.batch.peers` are appended. `store.limits.batch.zones` merge by name",
      "### `store.limits.batch.sync_wait`",
      "- Default: `250ms`",
    ]
  ) assert.ok(page.replace(/ +/g, " ").includes(text), text);
});

Deno.test("each option knows its name, and its place in files and settings", () => {
  const [, path, count] = PLANTED.all;
  assert.deepEqual([path?.name, path?.place], ["store.path", ["store", "path"]]);
  assert.deepEqual(
    [count?.name, count?.path, count?.place],
    ["store.limits.batch.max_count", ["store", "limits", "batch", "max_count"], [
      "store",
      "limits",
      "batch",
      "maxCount",
    ]],
  );
});

Deno.test("the compiler refuses misspelt options and wrong kinds", () => {
  const settings: Settings = DEFAULTS;
  // @ts-expect-error: no such setting
  assert.equal(settings.store.limits.batch.maxCont, undefined);
  // @ts-expect-error: a number
  const text: string = settings.store.limits.batch.maxCount;
  assert.equal(text, 64);
  // @ts-expect-error: no such option
  const misspelt: Input = { store: { limits: { batch: { max_cont: 1 } } } };
  // @ts-expect-error: a duration is a text in a file
  const wrongKind: Input = { store: { limits: { batch: { sync_wait: 5 } } } };
  // @ts-expect-error: a duration is a number among the settings
  const wrongSetting: SomeOf<Settings> = { store: { limits: { batch: { syncWaitMs: "5s" } } } };
  // @ts-expect-error: the default of a number is a number
  const wrongDefault: ConfigOption = { kind: "number", setting: "a", default: "1", doc: "" };
  // @ts-expect-error: texts have no least value
  const wrongRule: ConfigOption = { kind: "text", setting: "a", default: "", doc: "", least: 1 };
  // @ts-expect-error: a setting needs a default
  const noDefault: ConfigOption = { kind: "text", setting: "a", doc: "" };
  for (const value of [misspelt, wrongKind, wrongSetting, wrongDefault, wrongRule, noDefault]) {
    assert.ok(value);
  }
});
