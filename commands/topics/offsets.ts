/**
 * `skein topic offsets`.
 *
 * @module
 */

import type { TopicClient } from "../../client/mod.ts";
import { type Command, defineCommand, wrongArguments } from "../shell/command.ts";
import { stringFlag } from "../shell/flags.ts";
import { columns } from "../shell/format/columns.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, topicFlags } from "./servers.ts";

/** The flags. */
export const offsetsFlags = {
  g: stringFlag("GROUP", "What this group has committed, and how far behind it is."),
  ...topicFlags,
} as const;

const USAGE = "topic offsets [options] [TOPIC]";

/** A partition, with where a group is in it. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** `undefined` when the group has committed nothing, or none was named. */
  readonly committed: number | undefined;
}

/** Tells where partitions begin and end, and where groups are. */
export const command: Command = defineCommand({
  usage: USAGE,
  description: [
    "Tells which messages each partition of TOPIC has: from the offset Start on, as far as End, which " +
    "is the offset of the next one. With -g also what a group has committed, and how many messages " +
    "it lags behind; without TOPIC in all topics in which it has.",
  ],
  flags: offsetsFlags,
  arguments: { least: 0, most: 1, few: "At most one topic can be specified" },
  async run({ values, args: [topic], terminal }) {
    checkFormat(values.format);
    const { g: group } = values;
    if (topic === undefined && group === undefined) {
      throw wrongArguments(USAGE, "A topic or a group must be specified");
    }
    const places = await ask(values, async (client) => {
      const all = await placesOf(client, topic === undefined ? [] : [topic], group);
      return topic === undefined
        ? all.filter(({ committed }) => committed !== undefined)
        : all.filter((place) => place.topic === topic);
    });
    await printResult(
      terminal,
      values.format,
      () => textOf(places, group !== undefined),
      () =>
        places.map(({ committed, ...place }) => ({
          ...place,
          ...group !== undefined && {
            committed: committed ?? null,
            lag: committed === undefined ? null : lagOf({ ...place, committed }),
          },
        })),
    );
    return 0;
  },
});

/** The partitions of some topics, and of those in which a group has committed. */
export async function placesOf(
  client: TopicClient,
  topics: readonly string[],
  group: string | undefined,
): Promise<Place[]> {
  const committed = group === undefined ? [] : await client.committedOffsets(group);
  const names = [...new Set([...topics, ...committed.map(({ topic }) => topic)])].sort();
  const places: Place[] = [];
  for (const name of names) {
    const { partitions } = await client.describeTopic(name);
    const here = new Map(
      committed.filter(({ topic }) => topic === name).map((one) => [one.partition, one.offset]),
    );
    partitions.forEach(({ start, end }, partition) => {
      places.push({ topic: name, partition, start, end, committed: here.get(partition) });
    });
  }
  return places;
}

async function textOf(places: readonly Place[], hasGroup: boolean): Promise<string> {
  if (places.length === 0) return "The group has committed nothing";
  const head = ["Topic", "Partition", "Start", "End", ...hasGroup ? ["Committed", "Lag"] : []];
  const rows = places.map((place) => {
    const { topic, partition, start, end, committed } = place;
    const at = committed === undefined
      ? ["-", "-"]
      : [String(committed), String(lagOf({ ...place, committed }))];
    return [topic, String(partition), String(start), String(end), ...hasGroup ? at : []];
  });
  return await columns([head, ...rows]);
}

/** How many messages there still are to be read. */
export function lagOf(
  { start, end, committed }: Pick<Place, "start" | "end"> & { readonly committed: number },
): number {
  return Math.max(0, end - Math.max(start, committed));
}
