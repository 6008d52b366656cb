/**
 * Taking a query in: ack, event, answer (docs/spec/serf.md 11.3 and 11.4).
 *
 * @module
 */

import { addrToHost, isIpAddress } from "../../../protocol/ip.ts";
import { bytesOf, ownPayload } from "../../../protocol/payload.ts";
import type { Destination } from "../../memberlist/core/node.ts";
import type { Core } from "../core/core.ts";
import { RespondError } from "../model/errors.ts";
import type { QueryEvent } from "../model/event.ts";
import {
  encodeMessage,
  MessageType,
  type Query,
  QueryFlag,
  QueryResponse,
  ResponseFlag,
} from "../model/messages.ts";
import { loadPatterns } from "../model/pattern.ts";
import { compileFilters, waitForPatterns } from "./filter.ts";
import { hazardOf } from "./hazard.ts";
import { relay } from "./relay.ts";

/** Nanoseconds of a millisecond. */
const NS_PER_MS = 1e6;

/**
 * Takes a query in. Returns whether it is to be gossiped on, which does not depend on the filters; what would end Go
 * agents is not.
 */
export function handleQuery(core: Core, query: Query): boolean {
  const { LTime: ltime, ID: id, Name: name } = query;
  core.queryClock.witness(ltime);
  const clock = core.queryClock.time();
  const verdict = core.queries.add(ltime, id, clock);
  if (verdict === "old") {
    core.noise.write(
      "warn",
      "old query",
      `received old query ${name} from time ${ltime} (current: ${clock})`,
    );
  }
  if (verdict === "full") {
    core.noise.write("warn", "full queries", `No room for query ${name} of time ${ltime}`);
  }
  if (verdict !== "new") return false;
  const rebroadcast = (query.Flags & QueryFlag.noBroadcast) === 0 && isHarmless(core, query);
  if (waitForPatterns(query.Filters)) core.timers.background(takeUpLater(core, query));
  else takeUp(core, query);
  return rebroadcast;
}

/** Takes up a query once its filters can be read. Never rejects. */
async function takeUpLater(core: Core, query: Query): Promise<void> {
  try {
    await loadPatterns();
    takeUp(core, query);
  } catch (error) {
    const text = `Cannot read the filters of query ${query.Name}: ${error}`;
    core.noise.write("error", "patterns", text);
  }
}

/** Acknowledges a query and tells of it, if it is for this node. */
function takeUp(core: Core, query: Query): void {
  const { LTime: ltime, ID: id, Name: name } = query;
  const own = core.members.get(core.name);
  const tags = own === undefined ? core.config.tags : core.members.view(own).tags;
  if (!compileFilters(query.Filters)(core.name, tags)) return;

  core.tally.count("queries", name);
  if ((query.Flags & QueryFlag.ack) !== 0) acknowledge(core, query);
  const deadline = core.timers.now() + Number(query.Timeout) / NS_PER_MS;
  core.emit({
    type: "query",
    ltime,
    id,
    name,
    payload: ownPayload(query.Payload),
    sourceNode: query.SourceNode,
    deadline,
    respond: responder(core, query, deadline),
  });
}

function isHarmless(core: Core, query: Query): boolean {
  const hazard = hazardOf(core, query);
  if (hazard === undefined) return true;
  const text =
    `Query '${query.Name}' of '${query.SourceNode}' would end Go agents, not passed on: ${hazard}`;
  core.noise.write("warn", "hazard", text);
  return false;
}

function acknowledge(core: Core, query: Query): void {
  const ack = encodeResponse(core, query, ResponseFlag.ack, null);
  try {
    reply(core, query, ack);
  } catch (error) {
    core.noise.write("error", "ack", `Failed to acknowledge query '${query.Name}': ${error}`);
  }
}

/** The function that answers this query once. Holds on to the query's header, not to its payload. */
function responder(
  core: Core,
  { LTime, ID, Addr, Port, SourceNode, RelayFactor }: Query,
  deadline: number,
): QueryEvent["respond"] {
  const asker = { LTime, ID, Addr: Addr?.slice() ?? null, Port, SourceNode, RelayFactor };
  let answered = false;
  const refusal = (
    reason: RespondError["reason"],
    text: string,
    options?: ErrorOptions,
  ): RespondError =>
    new RespondError(`failed to respond to key query: ${text}`, { ...options, reason });
  return (payload) => {
    const message = encodeResponse(core, asker, 0, bytesOf(payload));
    const limit = core.config.queryResponseSizeLimit;
    if (message.length > limit) {
      throw refusal("too-large", `response exceeds limit of ${limit} bytes`);
    }
    if (answered) throw refusal("answered", "response already sent");
    if (core.timers.now() >= deadline) throw refusal("late", "response is past the deadline");
    try {
      reply(core, asker, message);
    } catch (cause) {
      throw refusal("unreachable", (cause as Error).message, { cause });
    }
    answered = true;
  };
}

/** What is needed to answer a query. */
type Asker = Pick<Query, "LTime" | "ID" | "Addr" | "Port" | "SourceNode" | "RelayFactor">;

function encodeResponse(
  core: Core,
  { LTime, ID }: Asker,
  flags: number,
  payload: Uint8Array | null,
): Uint8Array {
  const response: QueryResponse = { LTime, ID, From: core.name, Flags: flags, Payload: payload };
  return encodeMessage(MessageType.queryResponse, QueryResponse, response);
}

/** Sends a response to the address that the query names, and copies by way of other members when it asks for that. */
function reply(core: Core, asker: Asker, message: Uint8Array): void {
  core.cluster.sendTo(askerOf(asker), message);
  relay(core, asker.RelayFactor, asker, message);
}

function askerOf({ Addr, Port, SourceNode }: Asker): Destination {
  if (Addr === null || !isIpAddress(Addr) || Port === 0) {
    throw new Error("query names no usable address to answer to");
  }
  return { host: addrToHost(Addr), port: Port, name: SourceNode };
}
