/**
 * What the design asks of a request/response server by itself: small messages coded in under a microsecond, 100,000
 * requests a second on one connection, answers within a millisecond.
 *
 * @module
 */

import { Ping } from "../../cluster/memberlist/wire/messages.ts";
import { RequestHeader } from "../../protocol/ipc/mod.ts";
import { type Codec, decode, encode } from "../../protocol/msgpack/mod.ts";
import type { AgentProcess } from "../../tests/support/agents.ts";
import { load } from "../load.ts";
import type { Sample } from "../measure.ts";

/** How often a message is coded for one figure. */
const TIMES = 200_000;

const PING: Ping = {
  SeqNo: 1,
  Node: "n",
  SourceAddr: Uint8Array.of(127, 0, 0, 1),
  SourcePort: 7946,
  SourceNode: "me",
};
const HEADER: RequestHeader = { Command: "members", Seq: 300 };

/** Encodes and decodes a gossip message and a request header in this process. */
export function measureCodec(): Sample[] {
  return [
    ...codecSamples("a ping of 60 bytes", Ping, PING, "gossip"),
    ...codecSamples("a request header", RequestHeader, HEADER, "rpc"),
  ];
}

/** Requests to `agent` on one connection: 64 under way, then one at a time. */
export async function measureOneConnection(
  agent: AgentProcess,
  durationMs: number,
): Promise<Sample[]> {
  const call = { rpc: agent.rpc, command: "members", connections: 1, durationMs };
  const pipelined = await load({ ...call, window: 64 });
  const alone = await load({ ...call, window: 1 });
  return [
    {
      who: "skein",
      value: pipelined.perSecond,
      metric: {
        name: "requests on one connection, 64 under way",
        unit: "1/s",
        more: true,
        goal: { of: "skein", bound: 100_000 },
      },
    },
    {
      who: "skein",
      value: alone.p99Ms,
      metric: {
        name: "round trip, p99",
        unit: "ms",
        more: false,
        goal: { of: "skein", bound: 1 },
      },
    },
  ];
}

function codecSamples<T>(
  what: string,
  codec: Codec<T>,
  value: T,
  dialect: "gossip" | "rpc",
): Sample[] {
  const bytes = encode(codec, value, dialect);
  const sample = (name: string, work: () => unknown): Sample => ({
    who: "skein",
    value: microsecondsOf(work),
    metric: {
      name: `${name} ${what}`,
      unit: "us",
      more: false,
      goal: { of: "skein", bound: 1 },
    },
  });
  return [
    sample("encode", () => encode(codec, value, dialect)),
    sample("decode", () => decode(codec, bytes)),
  ];
}

/** Microseconds that `work` takes each time, once it is warm. */
function microsecondsOf(work: () => unknown): number {
  for (let i = 0; i < TIMES / 10; i++) work();
  const started = performance.now();
  for (let i = 0; i < TIMES; i++) work();
  return (performance.now() - started) * 1000 / TIMES;
}
