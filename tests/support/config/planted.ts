/**
 * A table of options that no agent has, with groups three deep.
 *
 * @module
 */

import { type InputOf, optionsOf, type SettingsOf } from "../../../server/config/options/option.ts";
import { completed, defaultsOf, givenSettings } from "../../../server/config/options/values.ts";

/** Options of every kind in three groups inside each other. */
export const PLANTED = optionsOf({
  site: { kind: "text", setting: "site", default: "", doc: "Where it is." },
  store: {
    setting: "store",
    options: {
      path: { kind: "text", setting: "path", default: "/var", doc: "Folder.", flag: "store" },
      limits: {
        setting: "limits",
        options: {
          batch: {
            setting: "batch",
            options: {
              max_count: {
                kind: "number",
                setting: "maxCount",
                default: 64,
                least: 1,
                flag: "store-batch",
                placeholder: "N",
                doc: "Most of one batch, see store.limits.batch.zones.",
              },
              sync_wait: {
                kind: "duration",
                setting: "syncWaitMs",
                default: 250,
                raised: { toMs: 10, name: "SyncWait" },
                reloads: true,
                doc: "How long max_count may wait.",
              },
              disable_sync: {
                kind: "switch",
                setting: "sync",
                default: true,
                inverted: true,
                flag: "store-no-sync",
                doc: "Trusts the disk.",
              },
              peers: {
                kind: "list",
                setting: "peers",
                default: [],
                flag: "store-peer",
                placeholder: "ADDRESS",
                doc: "Who else.",
              },
              zones: {
                kind: "map",
                setting: "zones",
                default: {},
                flag: "store-zone",
                placeholder: "NAME=ZONE",
                reloads: true,
                doc: "Zones.",
              },
              token: { kind: "text", setting: "token", default: "", doc: "Token.", secret: true },
            },
          },
        },
      },
    },
  },
});

/** What a file of them holds. */
export type Input = InputOf<typeof PLANTED.table>;
/** Their settings. */
export type Settings = SettingsOf<typeof PLANTED.table>;
type Batch = NonNullable<
  NonNullable<NonNullable<Input["store"]>["limits"]>["batch"]
>;

/** The settings when nothing is said. */
export const DEFAULTS: Settings = {
  site: "",
  store: {
    path: "/var",
    limits: {
      batch: { maxCount: 64, syncWaitMs: 250, sync: true, peers: [], zones: {}, token: "" },
    },
  },
};

/** An input that says something of a batch. */
export const batch = (said: Batch): Input => ({ store: { limits: { batch: said } } });

/** The defaults, but for something of a batch. */
export const withBatch = (changed: Partial<Settings["store"]["limits"]["batch"]>): Settings => {
  const { batch } = DEFAULTS.store.limits;
  return { ...DEFAULTS, store: { path: "/var", limits: { batch: { ...batch, ...changed } } } };
};

/** The settings of an input, complete. */
export const settle = (input: Input): Settings =>
  completed(PLANTED, givenSettings(PLANTED, input).given, defaultsOf(PLANTED));
