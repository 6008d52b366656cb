/**
 * How long and in which pieces messages are kept, and for how long their ids are known, as flags and as text.
 *
 * @module
 */

import type { TopicRetention } from "../../client/mod.ts";
import { DurationError, formatDuration, parseDuration } from "../../protocol/duration.ts";
import { ExpectedError, type Flag, type FlagValues, parsedFlag } from "../shell/flags.ts";
import type { GoJson } from "../shell/format/gojson.ts";

/** What stands for a bound that is never reached. */
const NEVER = "none";

/** Least time that messages are kept, and that a segment takes messages, in milliseconds. */
const LEAST_MS = 1_000;

/** Bytes of a segment, as servers take them. */
const SEGMENT_BYTES = { least: 4 * 1_024, most: 1_024 ** 3 } as const;

const UNITS = { "": 1, k: 1_024, m: 1_024 ** 2, g: 1_024 ** 3, t: 1_024 ** 4 } as const;

/** The flags. */
export const retentionFlags = {
  retention: boundFlag(
    "DURATION",
    'Messages go so long after they came, such as "24h"; "none": never. Default: 168h.',
    durationOf,
  ),
  "retention-bytes": boundFlag(
    "SIZE",
    'The oldest messages of a partition go when it takes more than that, such as "10GiB"; "none": ' +
      "never. Default: none.",
    sizeOf,
  ),
  "segment-bytes": parsedFlag<number | undefined>(
    "SIZE",
    "Messages are kept, and go, in segments of so many bytes, 4KiB to 1GiB. Default: 64MiB.",
    undefined,
    (text) => {
      const bytes = sizeOf(text);
      if (bytes >= SEGMENT_BYTES.least && bytes <= SEGMENT_BYTES.most) return bytes;
      throw new ExpectedError("4KiB to 1GiB");
    },
  ),
  "segment-time": parsedFlag<number | undefined>(
    "DURATION",
    "A segment ends so long after its first message. Default: 1h.",
    undefined,
    durationOf,
  ),
  dedupe: parsedFlag<number | undefined>(
    "DURATION",
    'The id of a message is known for so long, and another one with it is not taken; "none": not at ' +
      "all. Default: 2m.",
    undefined,
    (text) => text === NEVER ? 0 : durationOf(text),
  ),
} as const;

/** What the flags say, as the client takes it. */
export function retentionOf(values: FlagValues<typeof retentionFlags>): TopicRetention {
  const { retention: retentionMs } = values;
  const retentionBytes = values["retention-bytes"];
  const segmentBytes = values["segment-bytes"];
  const segmentMs = values["segment-time"];
  const { dedupe: dedupeMs } = values;
  return {
    ...retentionMs !== undefined && { retentionMs },
    ...retentionBytes !== undefined && { retentionBytes },
    ...segmentBytes !== undefined && { segmentBytes },
    ...segmentMs !== undefined && { segmentMs },
    ...dedupeMs !== undefined && { dedupeMs },
  };
}

/** Rows of a table. */
export function retentionRows(retention: Required<TopicRetention>): [string, string][] {
  const { retentionMs, retentionBytes, segmentBytes, segmentMs, dedupeMs } = retention;
  return [
    ["Retention", bounded(retentionMs, formatDuration)],
    ["Retention bytes", bounded(retentionBytes, String)],
    ["Segment bytes", String(segmentBytes)],
    ["Segment time", formatDuration(segmentMs)],
    ["Dedupe", dedupeMs === 0 ? NEVER : formatDuration(dedupeMs)],
  ];
}

/** The same as JSON; `null` stands for never. */
export function retentionJson(retention: Required<TopicRetention>): Record<string, GoJson> {
  const { retentionMs, retentionBytes, segmentBytes, segmentMs, dedupeMs } = retention;
  return {
    retention_ms: retentionMs === Infinity ? null : retentionMs,
    retention_bytes: retentionBytes === Infinity ? null : retentionBytes,
    segment_bytes: segmentBytes,
    segment_ms: segmentMs,
    dedupe_ms: dedupeMs === 0 ? null : dedupeMs,
  };
}

function bounded(value: number, textOf: (value: number) => string): string {
  return value === Infinity ? NEVER : textOf(value);
}

function boundFlag(
  placeholder: string,
  help: string,
  parse: (text: string) => number,
): Flag<number | undefined> {
  return parsedFlag<number | undefined>(placeholder, help, undefined, (text) => {
    return text === NEVER ? Infinity : parse(text);
  });
}

function durationOf(text: string): number {
  try {
    const ms = Math.round(parseDuration(text));
    if (ms >= LEAST_MS) return ms;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
  }
  throw new ExpectedError("a time from 1s on, such as 168h for 7 days");
}

function sizeOf(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)(?:([kmgt])(?:i?b)?|b)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * UNITS[unit.toLowerCase() as keyof typeof UNITS];
  if (digits !== "" && bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new ExpectedError("a number of bytes, such as 65536, 64KiB or 10GiB");
}
