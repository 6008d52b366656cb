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
import { timeFlag } from "./time.ts";

/** The flags. */
export const offsetsFlags = {
  g: stringFlag("GROUP", "What this group has committed, and how far behind it is."),
  at: timeFlag(
    "Also the offset of the first message of that time or later, such as 2026-11-27T10:00:00Z, or " +
      "10m for ten minutes ago.",
  ),
  ...topicFlags,
} as const;

const USAGE = "topic offsets [options] [TOPIC]";

/** A partition, with where a group is in it. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** The first message of the time that was asked for; `undefined` when there is none, or none was. */
  readonly at: number | undefined;
  /** `undefined` when the group has committed nothing, or none was named. */
  readonly committed: number | undefined;
}

/** Tells where partitions begin and end, and where groups are. */
export const command: Command = defineCommand({
  usage: USAGE,
  description: [
    "Tells which messages each partition of TOPIC has: from the offset Start on, as far as End, which " +
    "is the offset of the next one. With -g also what a group has committed, and how many messages " +
    "it lags behind; without TOPIC in all topics in which it has. With -at also the offset of the " +
    "first message of that time or later, by the timestamps that producers have given them.",
  ],
  flags: offsetsFlags,
  arguments: { least: 0, most: 1, few: "At most one topic can be specified" },
  async run({ values, args: [topic], terminal }) {
    checkFormat(values.format);
    const { g: group, at: time } = values;
    if (topic === undefined && group === undefined) {
      throw wrongArguments(USAGE, "A topic or a group must be specified");
    }
    const places = await ask(values, async (client) => {
      const all = await placesOf(client, topic === undefined ? [] : [topic], group);
      const places = topic === undefined
        ? all.filter(({ committed }) => committed !== undefined)
        : all.filter((place) => place.topic === topic);
      if (time === undefined) return places;
      const found: Place[] = [];
      for (const place of places) {
        found.push({ ...place, at: await client.offsetAt(place.topic, place.partition, time) });
      }
      return found;
    });
    await printResult(
      terminal,
      values.format,
      () => textOf(places, group !== undefined, time !== undefined),
      () =>
        places.map(({ committed, at, ...place }) => ({
          ...place,
          ...time !== undefined && { at: at ?? null },
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
      const committed = here.get(partition);
      places.push({ topic: name, partition, start, end, at: undefined, committed });
    });
  }
  return places;
}

async function textOf(
  places: readonly Place[],
  hasGroup: boolean,
  hasTime: boolean,
): Promise<string> {
  if (places.length === 0) return "The group has committed nothing";
  const head = [
    ...["Topic", "Partition", "Start", "End"],
    ...hasTime ? ["At"] : [],
    ...hasGroup ? ["Committed", "Lag"] : [],
  ];
  const rows = places.map((place) => {
    const { topic, partition, start, end, at: found, committed } = place;
    const at = committed === undefined
      ? ["-", "-"]
      : [String(committed), String(lagOf({ ...place, committed }))];
    return [
      ...[topic, String(partition), String(start), String(end)],
      ...hasTime ? [found === undefined ? "-" : String(found)] : [],
      ...hasGroup ? at : [],
    ];
  });
  return await columns([head, ...rows]);
}

/** How many messages there still are to be read. */
export function lagOf(
  { start, end, committed }: Pick<Place, "start" | "end"> & { readonly committed: number },
): number {
  return Math.max(0, end - Math.max(start, committed));
}
