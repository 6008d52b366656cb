/**
 * The conversations captured from real agents (tests/vectors/ipc.json), and every way in which an answer of ours may differ
 * from the captured one.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  decodeValue,
  type Encodable,
  encodeValue,
  Splitter,
  type Value,
} from "../../../protocol/msgpack/mod.ts";
import vectors from "../../vectors/ipc.json" with { type: "json" };
import { concat } from "./peer.ts";

/** A request with its answer, or a record alone. */
export interface Exchange {
  /** The command, or what the record is. */
  readonly command: string;
  /** What the capture was made for. */
  readonly note: string;
  /** The version of the agent, or what encoded it. */
  readonly agent: string;
  /** The command line or client. */
  readonly source: string;
  /** Header and body; empty for a record. */
  readonly request_hex: string;
  /** Header and body; empty when there is none. */
  readonly response_hex: string;
  /** The same, decoded. */
  readonly decoded_response: {
    readonly header?: { readonly Error: string; readonly Seq: number };
    readonly body?: Readonly<Record<string, unknown>>;
  } | null;
}

/** All of them, in the order of the file. */
export const EXCHANGES = vectors as unknown as readonly Exchange[];

/** The values that must differ: they belong to the agents and to chance. */
export const DIFFERENT_VALUES = {
  "address of a member": "Addr",
  "port of a member": "Port",
} as const;

/** What Go orders by chance, so that neither answer has a right order. */
export const RANDOM_ORDER = {
  "members of the list": "Members",
  "tags of a member": "Tags",
  "messages of nodes": "Messages",
  "keys of the cluster": "Keys",
} as const;

/** Texts that the newest Serf has changed since 0.9.4; ours are those of the newest. */
export const NEWER_TEXTS: readonly (readonly [old: string, ours: string])[] = [
  ["Failed to join 127.0.0.1: dial", "failed to join 127.0.0.1:19999: dial"],
  ["Requested key is not in the keyring", "requested key is not in the keyring"],
  ["Removing the primary key is not allowed", "removing the primary key is not allowed"],
];

/** Answers that are better than the captured one, by note: what we send instead, as values. */
export const MENDED: Readonly<Record<string, (values: readonly Value[]) => void>> = {
  "bad regexp: no response at all; connection closed by agent": ([header, body]) => {
    assert.match(field(header, "Error"), /^Failed to compile regex: /);
    assert.deepEqual(body, new Map([["Members", []]]));
  },
  "before auth with a body: the body is re-read as a header, so the error header comes twice": (
    values,
  ) => {
    assert.equal(values.length, 1);
    assert.equal(field(values[0], "Error"), "Authentication required");
  },
};

/** Checks that an answer has the captured bytes, but for the differences that are named above. */
export function assertCaptured({ command, note, response_hex }: Exchange, got: Uint8Array): void {
  const ours = split(got);
  const mended = MENDED[note];
  if (mended !== undefined) return mended(ours.map((value) => decodeValue(value)));
  const captured = split(Uint8Array.fromHex(response_hex));
  const expected = captured.map((value, i) => {
    const mine = ours[i];
    if (mine === undefined) return value;
    if (command === "get-coordinate" && i === 1) return withFloatsOf(value, mine);
    return encodeValue(adapted(decodeValue(value), decodeValue(mine)), "rpc");
  });
  const hex = (values: readonly Uint8Array[]): string[] => values.map((value) => value.toHex());
  assert.deepEqual(hex(ours), hex(expected), `${command}: ${note}`);
}

/** The values that `bytes` are made of, each as its bytes. */
export function split(bytes: Uint8Array): Uint8Array[] {
  const values: Uint8Array[] = [];
  new Splitter((value) => values.push(value)).push(bytes);
  assert.equal(concat(values).length, bytes.length, "ends within a value");
  return values;
}

/** What was captured with the values of ours that must differ, in our order where there is none. */
function adapted(captured: Value, ours: Value, key = ""): Encodable {
  if (Object.values(DIFFERENT_VALUES).some((name) => name === key)) return ours as Encodable;
  const ordered = !Object.values(RANDOM_ORDER).some((name) => name === key);
  if (captured instanceof Map && ours instanceof Map) {
    const keys = ordered || !sameItems([...captured.keys()], [...ours.keys()])
      ? captured.keys()
      : ours.keys();
    const pairs = [...keys].map((name): [Encodable, Encodable] => {
      return [
        name as Encodable,
        adapted(captured.get(name) ?? null, ours.get(name) ?? null, String(name)),
      ];
    });
    return new Map(pairs);
  }
  if (Array.isArray(captured) && Array.isArray(ours)) {
    const names = (values: readonly Value[]) => values.map((value) => field(value, "Name"));
    if (ordered || !sameItems(names(captured), names(ours))) {
      return captured.map((value, i) => adapted(value, ours[i] ?? null));
    }
    return names(ours).map((name, i) => {
      const value = captured.find((value) => field(value, "Name") === name) ?? null;
      return adapted(value, ours[i] ?? null);
    });
  }
  if (typeof captured !== "string") return captured as Encodable;
  return NEWER_TEXTS.reduce((text, [old, newer]) => text.replace(old, newer), captured);
}

/** A coordinate's bytes with the numbers of another one: they belong to the network. */
function withFloatsOf(captured: Uint8Array, ours: Uint8Array): Uint8Array {
  const bytes = captured.slice();
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0xcb) continue;
    bytes.set(ours.subarray(i + 1, i + 9), i + 1);
    i += 8;
  }
  return bytes;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}

function field(value: Value | undefined, name: string): string {
  return value instanceof Map ? String(value.get(name)) : "";
}
