/**
 * An RPC server with a stand-in for the agent behind it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { RpcServer, type RpcServerOptions } from "../../../server/rpc/server.ts";
import { loopback } from "../loopback.ts";
import { FakeBackend } from "./backend.ts";
import type { Peer, Plain } from "./peer.ts";

const HOST = loopback();

/** What a test has to work with. */
export interface Stage {
  readonly backend: FakeBackend;
  readonly server: RpcServer;
  /** The log lines so far, without time. */
  lines(): string[];
}

/** Gives a test a server of its own. */
export async function withServer(
  use: (stage: Stage) => Promise<void>,
  options: Partial<RpcServerOptions> = {},
): Promise<void> {
  const backend = new FakeBackend();
  const lines = () => backend.log.lines().map((line) => line.slice(20));
  await using server = RpcServer.listen(backend, { address: `${HOST}:0`, ...options });
  await use({ backend, server, lines });
}

/** The header of a success. */
export const ok = (seq: number): Plain => ({ Error: "", Seq: seq });

/** The next `count` records, each as its Seq and body. */
export async function records(
  peer: Peer,
  count: number,
): Promise<[Plain, Record<string, Plain>][]> {
  const values = await peer.take(2 * count) as Record<string, Plain>[];
  return Array.from({ length: count }, (_, i) => {
    assert.equal(values[2 * i]?.Error, "");
    return [values[2 * i]?.Seq ?? null, values[2 * i + 1] ?? {}];
  });
}
