/**
 * What operators do about the members of the log.
 *
 * @module
 */

import { formatDuration } from "../../protocol/duration.ts";
import type { StateServer } from "./state_server.ts";
import { type Operation, textOfOutcome } from "./wire_requests.ts";

/** It could not be done. The message says why. */
export class AdministrationError extends Error {
  /** "AdministrationError". */
  override readonly name = "AdministrationError";
}

/** How long servers may take to be compared, in milliseconds: at first, and at most. */
const VERIFY_MS = { usual: 60_000, most: 3_600_000 } as const;

const ACTIONS: Readonly<
  Record<
    string,
    (server: StateServer, node: string, limitMs: number) => unknown | Promise<unknown>
  >
> = {
  status: (server) => server.status(),
  add: (server, node) =>
    change(server, {
      kind: "change",
      change: { kind: "add", id: idOf(server, node), role: "staging" },
    }),
  demote: (server, node) =>
    change(server, {
      kind: "change",
      change: { kind: "add", id: idOf(server, node), role: "learner" },
    }),
  remove: (server, node) =>
    change(server, { kind: "change", change: { kind: "remove", id: idOf(server, node) } }),
  transfer: (server, node) =>
    change(server, {
      kind: "transfer",
      ...(node !== "" && { target: idOf(server, node) }),
    }),
  snapshot: async (server) => ({ index: await server.snapshot() ?? null }),
  verify: (server, _node, limitMs) => server.verify(verifyLimit(limitMs)),
};

/**
 * Does one action at a server; `node` names a server by its agent's name or the beginning of its id, `limitMs` is how long
 * `verify` may take, 0 for a minute.
 *
 * Rejects with {@linkcode AdministrationError}.
 */
export async function administer(
  server: StateServer,
  action: string,
  node: string,
  limitMs = 0,
): Promise<unknown> {
  const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (run === undefined) {
    const known = Object.keys(ACTIONS).join(", ");
    throw new AdministrationError(`Unknown action '${action}', expected one of ${known}`);
  }
  return await run(server, node, limitMs);
}

function verifyLimit(limitMs: number): number {
  if (!(limitMs >= 0 && limitMs <= VERIFY_MS.most)) {
    throw new AdministrationError(
      `Servers are compared within ${formatDuration(limitMs)}, expected at most ${
        formatDuration(VERIFY_MS.most)
      }`,
    );
  }
  return limitMs === 0 ? VERIFY_MS.usual : limitMs;
}

function idOf(server: StateServer, node: string): string {
  const id = server.idOf(node);
  if (id !== undefined) return id;
  throw new AdministrationError(
    `No server '${node}': expected the name of its agent, or the beginning of its id`,
  );
}

async function change(server: StateServer, operation: Operation): Promise<{ done: true }> {
  const outcome = await server.operate(operation);
  if (outcome !== undefined) throw new AdministrationError(textOfOutcome(outcome));
  return { done: true };
}
