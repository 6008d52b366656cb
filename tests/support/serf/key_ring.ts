/**
 * A Serf core with keys, for tests.
 *
 * @module
 */

import { Keyring, memberlistConfig } from "../../../cluster/memberlist/mod.ts";
import type { SerfConfig } from "../../../cluster/serf/model/config.ts";
import {
  decodeMessage,
  KeyResponse,
  MessageType,
  QueryResponse,
} from "../../../cluster/serf/model/messages.ts";
import samples from "../../vectors/serf.json" with { type: "json" };
import { type Fixture, fixture, type FixtureOptions, node, queryMessage } from "./fixture.ts";

/** Key number `byte`: so many times that byte. */
export function key(byte: number, length = 32): Uint8Array {
  return new Uint8Array(length).fill(byte);
}

/** Keys 1 to `count`. */
export function manyKeys(count: number, length = 32): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => key(i + 1, length));
}

/** A core with these keys, and its keyring. */
export function withKeys(
  keys: readonly Uint8Array[],
  { config = {}, ...options }: FixtureOptions = {},
): { f: Fixture; keyring: Keyring } {
  const name = options.name ?? "a";
  const keyring = new Keyring(keys);
  const memberlist = memberlistConfig(name, node(name), "lan", { keyring });
  const settings: Partial<SerfConfig> = { memberlist, ...config };
  return { f: fixture({ ...options, config: settings }), keyring };
}

/** Lets a key query arrive, and gives the answers that are sent at once. */
export async function ask(
  f: Fixture,
  Name: string,
  Payload: Uint8Array | null,
  fields: { LTime?: bigint; ID?: number } = {},
): Promise<Uint8Array[]> {
  f.sent.length = 0;
  f.delegate.notifyMessage(queryMessage({ Name: `_serf_${Name}`, Payload, ...fields }));
  await f.clock.advance(0);
  return f.sent.map(({ message }) => message);
}

/** What a query response says about keys. */
export function keyAnswer(message: Uint8Array | undefined): KeyResponse {
  const { Payload } = decodeMessage(QueryResponse, message ?? new Uint8Array(0));
  if (Payload?.[0] !== MessageType.keyResponse) throw new Error("No key response");
  return decodeMessage(KeyResponse, Payload);
}

/** The bytes, in hex, that were captured from a Go agent. */
export function captured(name: string): string {
  const sample = samples.find((candidate) => candidate.name === name);
  if (sample === undefined) throw new Error(`No sample '${name}'`);
  return sample.hex;
}
