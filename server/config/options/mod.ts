/**
 * Every option of the configuration. What files may hold, the settings and their defaults, the flags of `skein agent`, what a
 * reload applies, the JSON Schema and the reference in docs/ follow from this table.
 *
 * A new option is a row in the room of its subject and a field in `AgentConfig`, which says what it is to a program; the
 * compiler names the one that is missing or of another type.
 *
 * @module
 */

import { CLUSTER_OPTIONS } from "./cluster.ts";
import { JOINING_OPTIONS } from "./joining.ts";
import { NODE_OPTIONS } from "./node.ts";
import { OPERATION_OPTIONS } from "./operation.ts";
import { type InputOf, optionsOf, type OptionTable } from "./option.ts";
import { STATE_OPTIONS } from "./state.ts";

/** Options that belong together. */
export interface OptionSection {
  /** What they are about. */
  readonly title: string;
  /** The options by name. */
  readonly options: OptionTable;
}

/** All options, by subject. */
export const OPTION_SECTIONS: readonly OptionSection[] = [
  { title: "The node and its addresses", options: NODE_OPTIONS },
  { title: "Joining and rejoining", options: JOINING_OPTIONS },
  { title: "The cluster", options: CLUSTER_OPTIONS },
  { title: "Scripts, log, metrics, signals", options: OPERATION_OPTIONS },
  { title: "The replicated state", options: STATE_OPTIONS },
];

/** All options. */
export const AGENT_OPTIONS = optionsOf({
  ...NODE_OPTIONS,
  ...JOINING_OPTIONS,
  ...CLUSTER_OPTIONS,
  ...OPERATION_OPTIONS,
  ...STATE_OPTIONS,
});

/** One JSON object of a configuration file, or the flags of one start. A missing option says nothing. */
export type ConfigInput = InputOf<typeof AGENT_OPTIONS.table>;
