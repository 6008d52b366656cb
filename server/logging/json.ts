/**
 * Log lines as JSON objects, one a line.
 *
 * @module
 */

import { showBytes } from "../../protocol/text.ts";
import type { LogLevel } from "./levels.ts";

/** What a JSON line tells. */
export interface JsonLine {
  /** When, in milliseconds since 1970. */
  readonly time: number;
  /** How urgent. */
  readonly level: LogLevel;
  /** Name of the node. */
  readonly node: string;
  /** What it is about. */
  readonly subsystem: string;
  /** The text. */
  readonly message: string;
  /** More values. A value that JSON cannot show is shown as text. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Longest JSON of the fields of one line, in UTF-16 units; longer ones are left out, and the line says so. */
const MAX_FIELDS = 8_192;

/** Longest text in a field, in UTF-16 units; the rest is cut. */
const MAX_TEXT = 1_024;

/** Depth from which objects in fields are not shown. */
const MAX_DEPTH = 2;

/** Most entries of one object or array in fields. */
const MAX_ENTRIES = 64;

/** One line, without a line break. `fields` is there only when there are some. */
export function jsonLine({ time, level, node, subsystem, message, fields }: JsonLine): string {
  const head = {
    time: new Date(time).toISOString(),
    level,
    node: showBytes(node),
    subsystem,
    message: showBytes(message),
  };
  const plain = plainObject(fields, 0);
  if (Object.keys(plain).length === 0) return JSON.stringify(head);
  const tooLong = JSON.stringify(plain).length > MAX_FIELDS;
  return JSON.stringify({ ...head, fields: tooLong ? { omitted: "too long" } : plain });
}

function plainObject(object: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(object).slice(0, MAX_ENTRIES);
  return Object.fromEntries(
    entries.map(([name, value]) => [showBytes(name), plainValue(value, depth + 1)]),
  );
}

function plainValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return showBytes(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value);
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return null;
  if (value instanceof Error) return plainValue(`${value.name}: ${value.message}`, depth);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth > MAX_DEPTH) return "...";
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ENTRIES).map((one) => plainValue(one, depth + 1));
  }
  return plainObject(value instanceof Map ? Object.fromEntries(value) : value, depth);
}
