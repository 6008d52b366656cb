/**
 * The actions about the connection and the agent, which need no state.
 *
 * @module
 */

import {
  MAX_LISTED_BYTES,
  MAX_PATH_BYTES,
  MAX_SEGMENTS,
  MAX_TOGETHER_BYTES,
  MAX_VALUE_TEXT_BYTES,
  textOfValue,
} from "../../../cluster/machine/kv/mod.ts";
import type { Result } from "../../../cluster/machine/mod.ts";
import {
  ACTIONS,
  type HelloRequest,
  type InfoRequest,
  invalid,
  MAX_DEPTH,
  MAX_ITEMS,
  MAX_LINE_BYTES,
  MAX_LISTED,
  MAX_MESSAGE_BYTES,
  MAX_STEPS,
  MAX_SUBSCRIPTIONS,
  MAX_TTL_MS,
  MAX_WATCHES,
  type Members,
  PROTOCOL_VERSION,
  UNSUPPORTED_VERSION,
  type ValueRequest,
} from "../../../protocol/kv/mod.ts";
import { type Doing, successOf } from "../action.ts";
import { MAX_CONNECTIONS, MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES } from "../limits.ts";
import type { Services } from "../services.ts";

const PONG = successOf("PONG");
const BYE = successOf("BYE");

/** PING. */
export const ping: Doing = {
  kind: "local",
  run: (request) => request["value"] === undefined ? PONG : valueOf(request),
};

/** ECHO. */
export const echo: Doing = { kind: "local", run: valueOf };

/** QUIT. */
export const quit: Doing = { kind: "local", run: () => BYE, last: true };

/** HELLO. */
export const hello: Doing = {
  kind: "local",
  run(request, { node, version, state, idleLimitMs, access }, client) {
    const { version: wanted = PROTOCOL_VERSION, strict, client: name } = request as HelloRequest;
    if (wanted !== PROTOCOL_VERSION) return UNSUPPORTED_VERSION;
    if (strict !== undefined) client.strict = strict;
    // What somebody calls itself is no proof.
    if (name && access === undefined) client.name = name;
    return successOf({
      server: `skein ${version}`,
      node,
      protocol: PROTOCOL_VERSION,
      leader: state.leader ?? null,
      limits: {
        line: MAX_LINE_BYTES,
        depth: MAX_DEPTH,
        value: MAX_VALUE_TEXT_BYTES,
        path: MAX_PATH_BYTES,
        segments: MAX_SEGMENTS,
        items: MAX_ITEMS,
        items_bytes: MAX_TOGETHER_BYTES,
        steps: MAX_STEPS,
        ttl_ms: MAX_TTL_MS,
        keys: MAX_LISTED,
        keys_bytes: MAX_LISTED_BYTES,
        message: MAX_MESSAGE_BYTES,
        subscriptions: MAX_SUBSCRIPTIONS,
        watches: MAX_WATCHES,
        in_flight: MAX_IN_FLIGHT,
        in_flight_bytes: MAX_IN_FLIGHT_BYTES,
        connections: MAX_CONNECTIONS,
        idle_ms: idleLimitMs,
      },
      actions: Object.keys(ACTIONS),
    });
  },
};

/** INFO: figures by section. */
export const info: Doing = {
  kind: "local",
  run(request, services) {
    const { section } = request as InfoRequest;
    if (section === undefined) {
      return successOf(
        Object.fromEntries(Object.entries(SECTIONS).map(([name, of]) => [name, of(services)])),
      );
    }
    if (!Object.hasOwn(SECTIONS, section)) return invalid("section");
    return successOf({ [section]: SECTIONS[section]?.(services) });
  },
};

const SECTIONS: Readonly<Record<string, (services: Services) => Record<string, unknown>>> = {
  server: ({ node, version, startedAt }) => ({
    node,
    version,
    protocol: PROTOCOL_VERSION,
    uptime_ms: Date.now() - startedAt,
  }),
  cluster: ({ node, state: { leader } }) => ({
    leader: leader ?? null,
    role: leader === undefined ? "unknown" : leader === node ? "leader" : "follower",
  }),
  clients: ({ counters, connections }) => ({
    connections: connections(),
    accepted: counters.connections,
    requests: counters.requests,
    failures: counters.failures,
    auth_failures: counters.authFailures,
  }),
  channels: ({ pubsub: { figures } }) => ({ ...figures }),
  watches: ({ state: { watches } }) => ({ ...watches.figures }),
  memory: () => {
    const { rss, heapUsed } = Deno.memoryUsage();
    return { rss, heap_used: heapUsed };
  },
};

function valueOf(request: Members): Result {
  const text = textOfValue((request as ValueRequest).value);
  return text instanceof Uint8Array ? { ok: true, rev: 0, body: text } : text;
}
