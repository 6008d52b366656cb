/**
 * `skein topic groups`.
 *
 * @module
 */

import type { TopicClient, TopicGroup, TopicGroupInfo } from "../../client/mod.ts";
import { type Command, defineCommand } from "../shell/command.ts";
import { columns } from "../shell/format/columns.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { lagOf, type Place, placesOf } from "./offsets.ts";
import { ask, topicFlags } from "./servers.ts";

/** A partition of a group, with who reads it. */
interface SharedPlace extends Place {
  /** Id of a member; `undefined` when it is nobody's now. */
  readonly member: string | undefined;
}

/** A group with where it is. */
interface Group extends TopicGroupInfo {
  readonly places: readonly SharedPlace[];
}

/** Lists the groups, or tells all about one. */
export const command: Command = defineCommand({
  usage: "topic groups [options] [GROUP]",
  description: [
    "Lists the groups that have members or committed offsets, by name. With GROUP it tells which " +
    "members the group has, and of each partition that they read, or in which the group has committed " +
    "an offset, where it is and how many messages it lags behind.",
    "The generation of a group grows whenever members come or go; that of a member is the one that it " +
    "has learned of.",
  ],
  flags: topicFlags,
  arguments: { least: 0, most: 1, few: "At most one group can be specified" },
  async run({ values, args: [name], terminal }) {
    checkFormat(values.format);
    const { format } = values;
    if (name === undefined) {
      const groups = await ask(values, (client) => client.listGroups());
      await printResult(terminal, format, () => listText(groups), () => groups.map(listJson));
    } else {
      const group = await ask(values, (client) => groupOf(client, name));
      await printResult(terminal, format, () => groupText(group), () => groupJson(group));
    }
    return 0;
  },
});

async function groupOf(client: TopicClient, name: string): Promise<Group> {
  const info = await client.describeGroup(name);
  const readers = new Map(
    info.members.flatMap(({ id, partitions }) =>
      partitions.map(({ topic, partition }) => [`${topic} ${partition}`, id] as const)
    ),
  );
  const topics = info.members.flatMap(({ partitions }) => partitions.map(({ topic }) => topic));
  const places = (await placesOf(client, topics, name)).map((place) => {
    return { ...place, member: readers.get(`${place.topic} ${place.partition}`) };
  });
  const isNeeded = ({ member, committed }: SharedPlace): boolean =>
    member !== undefined || committed !== undefined;
  return { ...info, places: places.filter(isNeeded) };
}

async function listText(groups: readonly TopicGroup[]): Promise<string> {
  if (groups.length === 0) return "There are no groups";
  return await columns([
    ["Group", "Members", "Generation"],
    ...groups.map(({ name, members, generation }) => [name, String(members), String(generation)]),
  ]);
}

function listJson({ name, members, generation }: TopicGroup): GoJson {
  return { group: name, members, generation };
}

async function groupText({ name, generation, members, places }: Group): Promise<string> {
  const head = await columns([["Group", name], ["Generation", String(generation)]]);
  const people = members.length === 0 ? "It has no members" : await columns([
    ["Member", "Client", "Generation", "Partitions"],
    ...members.map(({ id, client, generation, partitions }) => {
      return [id, client || "-", String(generation), String(partitions.length)];
    }),
  ]);
  const table = places.length === 0 ? "It has committed nothing" : await columns([
    ["Topic", "Partition", "Start", "End", "Committed", "Lag", "Member"],
    ...places.map(({ topic, partition, start, end, committed, member = "-" }) => {
      const at = committed === undefined
        ? ["-", "-"]
        : [committed, lagOf({ start, end, committed })];
      return [topic, partition, start, end, ...at, member].map(String);
    }),
  ]);
  return `${head}\n\n${people}\n\n${table}`;
}

function groupJson({ name, generation, members, places }: Group): GoJson {
  return {
    group: name,
    generation,
    members: members.map(({ id, client, generation, partitions }) => {
      return { member: id, client, generation, partitions: partitions.length };
    }),
    partitions: places.map(({ topic, partition, start, end, committed, member }) => ({
      topic,
      partition,
      start,
      end,
      committed: committed ?? null,
      lag: committed === undefined ? null : lagOf({ start, end, committed }),
      member: member ?? null,
    })),
  };
}
