/**
 * What a client says of itself when it begins a session: names with values. The rules go by bytes.
 *
 * @module
 */

import { Reader, written } from "../../../../protocol/msgpack/mod.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { readBytes, readUint } from "../../strict.ts";
import { capabilitiesKey } from "./keys.ts";
import { MAX_CAPABILITIES, MAX_CAPABILITIES_BYTES, MAX_CLIENT_ID_BYTES } from "../limits.ts";

/** A name with its value. */
export type Capability = readonly [name: string, value: string];

/** The same as UTF-8. */
export type CapabilityBytes = readonly [name: Uint8Array, value: Uint8Array];

const NAME = /^[A-Za-z0-9_-]+$/;
const CLIENT_ID = "client-id";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether capabilities keep the rules: at least one, each name once, of ASCII letters, digits, `_` and `-`, and no value empty. */
export function isRight(capabilities: readonly CapabilityBytes[]): boolean {
  if (capabilities.length === 0 || capabilities.length > MAX_CAPABILITIES) return false;
  const names = new Set<string>();
  let bytes = 0;
  for (const [name, value] of capabilities) {
    bytes += name.length + value.length;
    if (bytes > MAX_CAPABILITIES_BYTES || value.length === 0) return false;
    const text = textOf(name);
    if (text === undefined || !NAME.test(text) || textOf(value) === undefined) return false;
    if (text === CLIENT_ID && value.length > MAX_CLIENT_ID_BYTES) return false;
    names.add(text);
  }
  return names.size === capabilities.length;
}

/** What a client names itself; `undefined` when it does not. */
export function clientIdOf(capabilities: readonly CapabilityBytes[]): Uint8Array | undefined {
  return capabilities.find(([name]) => textOf(name) === CLIENT_ID)?.[1];
}

/** Keeps the capabilities of a session. */
export function putCapabilities(
  state: Transaction,
  serial: number,
  capabilities: readonly CapabilityBytes[],
): void {
  const row = written("rpc", (writer) => {
    writer.uint(capabilities.length);
    for (const [name, value] of capabilities) {
      writer.bytes(name);
      writer.bytes(value);
    }
  });
  state.put(capabilitiesKey(state, serial), row);
}

/** The capabilities of a session. */
export function getCapabilities(state: StoreReader, serial: number): CapabilityBytes[] {
  const row = state.get(capabilitiesKey(state, serial));
  return row === undefined ? [] : readCapabilities(new Reader(row));
}

/** Reads capabilities, right or not. */
export function readCapabilities(reader: Reader): CapabilityBytes[] {
  const all: CapabilityBytes[] = [];
  for (let left = readUint(reader, 0, MAX_CAPABILITIES); left > 0; left--) {
    all.push([readBytes(reader), readBytes(reader)]);
  }
  return all;
}

/** The text of bytes; `undefined` when they are no UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    // The decoder throws for nothing but bytes that are no UTF-8.
    return undefined;
  }
}
