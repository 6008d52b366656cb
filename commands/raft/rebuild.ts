/**
 * `skein raft rebuild`: makes the data directory of a server that does not run one that it starts with.
 *
 * @module
 */

import type {
  RebuildOptions,
  RebuildPlan,
  RebuildReport,
} from "../../server/replica/rebuilding/rebuild.ts";
import type { SinglePlan, SingleReport } from "../../server/replica/rebuilding/single.ts";
import { type Command, CommandError, defineCommand, explain } from "../shell/command.ts";
import { confirm } from "./confirmation.ts";
import { type FlagValues, stringFlag, switchFlag } from "../shell/flags.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import type { Terminal } from "../shell/terminal.ts";

const WHAT = "Error: raft rebuild";

/** The flags of `skein raft rebuild`. */
export const rebuildFlags = {
  format: formatFlag,
  "data-dir": stringFlag("DIR", "The data directory. Its server must not run.", "files"),
  yes: switchFlag("Does not ask."),
  force: switchFlag("Also when nothing is found damaged; all comes from the other servers then."),
  "cluster-id": stringFlag(
    "ID",
    "The cluster that the server is to belong to. Default: the one it belonged to.",
  ),
  "force-single": switchFlag(
    "Makes of this server a new cluster of its own, with all it has. Only when no majority of the " +
      "old cluster will ever come back: what this server never got is lost.",
  ),
} as const;

/** Rebuilds a directory after a question. */
export const rebuild: Command = defineCommand({
  usage: "raft rebuild -data-dir DIR [options]",
  description: [
    "Makes a damaged data directory one that its server starts with. What was in it is kept aside, " +
    "in a folder of it. The server comes back with another id, as a new one, gets everything from " +
    "the others, and takes its old id out of the members: a majority of them has to run. Where " +
    "only the state is damaged, its own log makes it anew and the id stays.",
    "-force-single is for the case that no majority will ever come back.",
  ],
  flags: rebuildFlags,
  async run({ values, terminal }) {
    checkFormat(values.format);
    const path = values["data-dir"];
    if (!path) throw new CommandError("A data directory must be specified: -data-dir");
    return values["force-single"]
      ? await makeSingle(path, values, terminal)
      : await makeAnew(path, values, terminal);
  },
});

type Values = FlagValues<typeof rebuildFlags>;

async function makeAnew(path: string, values: Values, terminal: Terminal): Promise<number> {
  const { carryOut, planRebuild } = await load("rebuild");
  const options: RebuildOptions = { force: values.force, clusterId: clusterIdOf(values) };
  const plan = await explain(WHAT, planRebuild(path, options));
  if (!values.yes) await requireYes(terminal, questionOf(plan));
  else if (isUnsure(plan)) await terminal.err(UNSURE);
  const report = await explain(WHAT, carryOut(plan, new Date()));
  await printResult(
    terminal,
    values.format,
    () => rebuiltText(report),
    () => report as unknown as GoJson,
  );
  return 0;
}

async function makeSingle(path: string, values: Values, terminal: Terminal): Promise<number> {
  if (values.force || values["cluster-id"] !== undefined) {
    throw new CommandError("-force-single goes with neither -force nor -cluster-id");
  }
  const { forceSingle, planSingle } = await load("single");
  const plan = await explain(WHAT, planSingle(path));
  if (!values.yes) await requireYes(terminal, singleQuestion(plan));
  const report = await explain(WHAT, forceSingle(plan, new Date()));
  await printResult(
    terminal,
    values.format,
    () => singleText(report),
    () => report as unknown as GoJson,
  );
  return 0;
}

interface Rebuilding {
  readonly rebuild: typeof import("../../server/replica/rebuilding/rebuild.ts");
  readonly single: typeof import("../../server/replica/rebuilding/single.ts");
}

/**
 * The code of the replicated state. Its path is put together: the runtime reads all files that a whole path in the code names
 * before it begins, and every command, a plain agent above all, would start later and be larger.
 */
function load<K extends keyof Rebuilding>(name: K): Promise<Rebuilding[K]> {
  return import(`../../server/replica/rebuilding/${name}.ts`);
}

function clusterIdOf(values: Values): string | undefined {
  const id = values["cluster-id"];
  if (id === undefined || /^[0-9a-f]{32}$/.test(id)) return id;
  throw new CommandError(`Cluster id is '${id}', expected 32 hex digits`);
}

async function requireYes(terminal: Terminal, question: string): Promise<void> {
  if (await confirm(terminal, question)) return;
  throw new CommandError(`${WHAT}: Nothing was changed`);
}

/** Whether nothing tells that another server has what is moved aside. */
function isUnsure({ kind, found, clusterId }: RebuildPlan): boolean {
  return kind === "all" && found.members === undefined && clusterId === undefined;
}

const UNSURE =
  "Who the members are cannot be read. If this server was the only one, nobody else has what it " +
  "had, and it waits for ever: put back a copy of the directory instead.";

function questionOf(plan: RebuildPlan): string {
  const { path, kind, found } = plan;
  const damage = [...found.damage, ...found.stateDamage, ...found.messageDamage];
  const what = kind === "state"
    ? "The state is moved aside, and made anew of the own log when the server starts."
    : "All of it is moved aside. The server comes back with another id, and gets everything from " +
      "the others: a majority of them has to run, or nothing ever comes.";
  return [
    ...damage.length === 0 ? [`Nothing is damaged in '${path}'.`] : damage,
    ...isUnsure(plan) ? [UNSURE] : [],
    what,
  ].join("\n");
}

function rebuiltText(report: RebuildReport): string {
  const { kind, aside, moved, old_node_id: old, node_id: id, cluster_id: cluster } = report;
  const lines = [`Moved to ${aside}: ${moved.join(", ")}`];
  if (kind === "state") {
    return [...lines, "Start the server: its log makes the state anew"].join("\n");
  }
  return [
    ...lines,
    `Id from now on: ${id}`,
    cluster === null
      ? "Its cluster is not known: it joins the first one that takes it in"
      : `Cluster: ${cluster}`,
    old === null
      ? "Its old id is not known: take out the member without a name, 'skein raft remove ID', as " +
        "'skein raft peers' shows it"
      : `It takes its old id, ${old}, out of the members by itself`,
    "Start the server as before: the others take it in",
  ].join("\n");
}

function singleQuestion({ path, members, lastIndex, applied, clusterId }: SinglePlan): string {
  const voters = members.filter(({ role }) => role === "voter").length;
  return [
    "THIS CAN LOSE WHAT WAS ACKNOWLEDGED, AND CANNOT BE TAKEN BACK.",
    `The server of '${path}' has ${lastIndex} entries of cluster ${clusterId}, the state of ` +
    `the first ${applied}. What the other servers have acknowledged after that is lost for ever; ` +
    "what nobody has acknowledged may come to count.",
    `The log has ${voters} voters. If ${
      Math.floor(voters / 2) + 1
    } of them can run again, now or ` +
    "later, start them instead: then nothing is lost.",
    "The server becomes a new cluster of its own. The others never talk to it again, until each of " +
    "them is emptied by 'skein raft rebuild -force -cluster-id ...'. Of several servers take the one " +
    "with the most entries.",
  ].join("\n");
}

function singleText(
  { cluster_id: cluster, node_id: id, index, term, aside }: SingleReport,
): string {
  return [
    `It is the only member from entry ${index} of term ${term} on`,
    `Id from now on: ${id}`,
    `Cluster: ${cluster}`,
    `The old node.json is in ${aside}`,
    "Start the server. To take others in, on each of their directories:",
    `skein raft rebuild -force -cluster-id ${cluster} -data-dir DIR`,
  ].join("\n");
}
