/**
 * Every key of the configuration. The parser, the flags of `skein agent`, the JSON Schema and the reference in docs/ are
 * made from this table.
 *
 * @module
 */

import { CLUSTER_KEYS } from "./cluster.ts";
import { JOINING_KEYS } from "./joining.ts";
import { NODE_KEYS } from "./node.ts";
import { OPERATION_KEYS } from "./operation.ts";
import type { ConfigKey, KeyKind } from "./option.ts";

export type { ConfigKey, KeyKind } from "./option.ts";

const KEYS = { ...NODE_KEYS, ...JOINING_KEYS, ...CLUSTER_KEYS, ...OPERATION_KEYS };

/** Keys that belong together. */
export interface KeySection {
  /** What they are about. */
  readonly title: string;
  /** The keys by name, in the order in which users read about them. */
  readonly keys: Readonly<Record<string, ConfigKey>>;
}

/** All keys, by subject. */
export const KEY_SECTIONS: readonly KeySection[] = [
  { title: "The node and its addresses", keys: NODE_KEYS },
  { title: "Joining and rejoining", keys: JOINING_KEYS },
  { title: "The cluster", keys: CLUSTER_KEYS },
  { title: "Scripts, log, metrics, signals", keys: OPERATION_KEYS },
];

/** All keys by name. `a.b` is the key `b` in the object `a`. */
export const CONFIG_KEYS: Readonly<Record<string, ConfigKey>> = KEYS;

/** The type of a value of a kind. */
type ValueOf<K extends KeyKind> = {
  text: string;
  duration: string;
  number: number;
  switch: boolean;
  list: readonly string[];
  map: Readonly<Record<string, string>>;
}[K];

type Keys = typeof KEYS;

/** The `mdns` object of a configuration file. */
export type MdnsInput = {
  [K in keyof Keys as K extends `mdns.${infer Name}` ? Name : never]?: ValueOf<Keys[K]["kind"]>;
};

/** One JSON object of a configuration file, or the flags of one start. A missing key says nothing. */
export type ConfigInput =
  & { [K in keyof Keys as K extends `mdns.${string}` ? never : K]?: ValueOf<Keys[K]["kind"]> }
  & { mdns?: MdnsInput };
