/**
 * Groups whose members share partitions: who joins, leaves and lives, what each one is to read, and which there are.
 *
 * @module
 */

import {
  decodeGroup,
  decodeGroups,
  decodeJoined,
  decodeSynced,
  describeGroupQuestion,
  heartbeatCall,
  joinCommand,
  leaveCommand,
  listGroupsQuestion,
  NEW_MEMBER,
  syncCommand,
  type TopicPartitions,
} from "../../../cluster/machine/topics/mod.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import {
  CODE,
  type ListedGroup,
  MEMBER_TIMEOUT_MS,
  type Partition,
} from "../../../protocol/topics/mod.ts";
import { nextTurn } from "../../runtime.ts";
import { ask, type Client, done, type Handler, listed } from "../handler.ts";
import { type Refusal, refusal } from "../refusals.ts";
import type { RequestServices } from "../services.ts";

const PREFIX = "member-";

/** The number that no member has. */
const NOBODY = Number.MAX_SAFE_INTEGER;

/** Makes a member, or changes what one subscribes to. */
export const joinGroup: Handler<"joinGroup"> = async (services, { body }) => {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = body;
  const { least, most } = MEMBER_TIMEOUT_MS;
  for (const ms of [sessionTimeoutMs, rebalanceTimeoutMs]) {
    if (ms >= least && ms <= most) continue;
    return refusal(CODE.INVALID_SESSION_TIMEOUT, `Expected ${least} to ${most} ms, got ${ms}`);
  }
  const member = numberOf(body.member);
  services.state.heard(member);
  const command = joinCommand({
    group: encodeUtf8(body.group),
    member,
    client: encodeUtf8(body.client),
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    topics: body.topics.map(encodeUtf8),
  });
  const result = await ask(services, "command", command);
  if (!result.ok) return result;
  const joined = decodeJoined(result.body);
  return done({ member: nameOf(joined.member), generation: joined.generation });
};

/** Takes what a member reads, and tells what it is to read. */
export const syncGroup: Handler<"syncGroup"> = (services, { body }, client) => {
  const { group, generation, held } = body;
  const member = numberOf(body.member);
  return listed(services, client, async () => {
    const stranger = await strangerTo(services, client, group);
    if (stranger !== undefined) return stranger;
    services.state.heard(member);
    const said = { group: encodeUtf8(group), member, generation, held: byTopic(held) };
    const result = await ask(services, "command", syncCommand(said));
    if (!result.ok) return result;
    const { assigned, ...rest } = decodeSynced(result.body);
    return done({ ...rest, assigned: flat(assigned) });
  });
};

/** Hears of a member, and says whether it is to sync. */
export const heartbeat: Handler<"heartbeat"> = async (services, { body }, client) => {
  const { state, cluster } = services;
  const stranger = await strangerTo(services, client, body.group);
  if (stranger !== undefined) return stranger;
  const member = numberOf(body.member);
  state.heard(member);
  const call = heartbeatCall({
    group: encodeUtf8(body.group),
    member,
    generation: body.generation,
  });
  // A leader somewhere else hears of the member by the log.
  const result = await ask(services, cluster.isLeader ? "question" : "command", call);
  return result.ok ? done({}) : result;
};

/** Ends a member. */
export const leaveGroup: Handler<"leaveGroup"> = async (services, { body }, client) => {
  const stranger = await strangerTo(services, client, body.group);
  if (stranger !== undefined) return stranger;
  const command = leaveCommand(encodeUtf8(body.group), numberOf(body.member));
  const result = await ask(services, "command", command);
  return result.ok ? done({}) : result;
};

/** Tells who the members of a group are, and what each one owns of what the client may see. */
export const describeGroup: Handler<"describeGroup"> = (services, { body: { group } }, client) =>
  listed(services, client, async () => {
    const result = await ask(services, "question", describeGroupQuestion(encodeUtf8(group)));
    if (!result.ok) return result;
    const { generation, members } = decodeGroup(result.body);
    const told = members.map(({ member, client: name, generation, owned }) => ({
      member: nameOf(member),
      client: decodeUtf8(name),
      generation,
      owned: flat(owned).filter(({ topic }) => client.may("subscribe", topic)),
    }));
    return done({ generation, members: told });
  });

/** Lists the groups that have to do with a topic that the client may consume. */
export const listGroups: Handler<"listGroups"> = (services, _request, client) =>
  listed(services, client, async () => {
    const groups: ListedGroup[] = [];
    for (let after: Uint8Array | undefined = new Uint8Array(); after !== undefined;) {
      const result = await ask(services, "question", listGroupsQuestion(after));
      if (!result.ok) return result;
      const page = decodeGroups(result.body);
      for (const { group, topics, ...counts } of page.groups) {
        const isShown = topics.some((topic) => client.may("subscribe", decodeUtf8(topic)));
        if (isShown) groups.push({ group: decodeUtf8(group), ...counts });
      }
      after = page.more ? page.groups.at(-1)?.group : undefined;
      await nextTurn();
    }
    return done({ groups });
  });

/**
 * Why a client may not speak for members of a group: of what they share it may consume nothing. `undefined` when it may. Who they are
 * is no secret, so that their names alone are no right.
 */
async function strangerTo(
  services: RequestServices,
  client: Client,
  group: string,
): Promise<Refusal | undefined> {
  // All topics, whatever they are called.
  if (client.may("subscribe", "")) return undefined;
  const result = await ask(services, "question", describeGroupQuestion(encodeUtf8(group)));
  if (!result.ok) return undefined;
  const { topics } = decodeGroup(result.body);
  const isShown = topics.length === 0 ||
    topics.some((one) => client.may("subscribe", decodeUtf8(one)));
  return isShown ? undefined : refusal(CODE.AUTHORIZATION_FAILED, "The token does not allow that");
}

/** The number in the name of a member; that of a new one where there is none, and of nobody in what is no name of a member. */
export function numberOf(name: string): number {
  if (name === "") return NEW_MEMBER;
  const number = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : NaN;
  const isOne = Number.isSafeInteger(number) && number !== NEW_MEMBER && nameOf(number) === name;
  return isOne ? number : NOBODY;
}

function nameOf(number: number): string {
  return `${PREFIX}${number}`;
}

function byTopic(partitions: readonly Partition[]): TopicPartitions[] {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return [...topics].map(([topic, some]) => {
    return { topic: encodeUtf8(topic), partitions: some.map(({ partition }) => partition) };
  });
}

function flat(topics: readonly TopicPartitions[]): Partition[] {
  return topics.flatMap(({ topic: name, partitions }) => {
    const topic = decodeUtf8(name);
    return partitions.map((partition) => ({ topic, partition }));
  });
}
