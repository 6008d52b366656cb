/**
 * The result as Markdown tables.
 *
 * @module
 */

import { table } from "../table.ts";
import type { FalseDeaths } from "./false_deaths.ts";
import { NEWCOMERS, type ScaleRow } from "./result.ts";
import { BLOCKED_MS, WORKING_MS } from "./slow.ts";
import { theory } from "./theory.ts";

/** Measured beside theory, then false deaths. */
export function scaleTables(rows: readonly ScaleRow[]): string {
  const seeds = [...new Set(rows.map(({ seed }) => seed))].join(", ");
  return [
    `Virtual time, LAN profile, seed ${seeds}; one-way latency 0.2 to 2 ms.`,
    "",
    table(
      [
        "nodes",
        "runs",
        `${NEWCOMERS} join: all list all`,
        "event to 99 %",
        "event to all",
        "killed: all list it failed",
        "formula",
        "packets/node/s",
        "packet bytes/node/s",
        "push/pull bytes/node/s",
      ],
      rows.map((row) => [
        count(row.nodes),
        row.layer,
        time(row.convergenceMs),
        times(row.events.to99),
        times(row.events.toAll),
        times(row.deaths),
        time(theory(row.nodes).deathMs),
        row.rates.packets.toFixed(1),
        count(row.rates.packetBytes),
        count(row.rates.streamBytes),
      ]),
    ),
    "",
    "- Medians, with the longest in brackets; the joins are one sample.",
    "- Rates of an idle cluster; the bytes of push/pulls are compressed.",
    "",
    table(
      [
        "nodes",
        "sent times each",
        "rounds to 99 %",
        "rounds to all",
        "push/pull every",
        "bytes/pair",
        "GB",
        "simulated s",
        "took s",
        "trace",
      ],
      rows.map((row) => {
        const { transmissions, roundsTo99, roundsToAll, pushPullMs } = theory(row.nodes);
        return [
          count(row.nodes),
          String(transmissions),
          roundsTo99.toFixed(1),
          roundsToAll.toFixed(1),
          time(pushPullMs),
          count(row.bytesPerPair),
          row.cost.residentGB.toFixed(1),
          count(row.cost.virtualSeconds),
          count(row.cost.realSeconds),
          row.trace,
        ];
      }),
    ),
    "",
    table(
      [
        "nodes",
        "network",
        "simulated s",
        "false suspicions",
        "false deaths",
        "nodes that saw each",
        "95 % interval",
        "per node and hour",
        "per cluster and hour",
        "slow nodes declared dead",
        "packets/node/s",
      ],
      rows.flatMap((row) => row.falseDeaths.map((counted) => falseDeathCells(row, counted))),
    ),
    "",
    `- Slow nodes, every 20th: nothing in or out for ${BLOCKED_MS / 1_000} s, then ` +
    `${WORKING_MS / 1_000} s of work, over and over.`,
    "- False deaths are those of the other nodes.",
  ].join("\n");
}

function falseDeathCells({ nodes }: ScaleRow, counted: FalseDeaths): string[] {
  const seen = counted.deaths + counted.slowDeaths;
  const { deaths, interval, perNodeHour: [least, rate, most], seconds } = counted;
  return [
    count(nodes),
    networkName(counted),
    count(seconds),
    count(counted.suspicions),
    count(deaths),
    seen === 0 ? "" : (counted.views / seen).toFixed(1),
    interval.map((bound) => bound.toFixed(1)).join(" to "),
    `${figure(rate)} (${figure(least)} to ${figure(most)})`,
    count(deaths * 3_600 / seconds),
    counted.slow ? count(counted.slowDeaths) : "",
    counted.packets.toFixed(1),
  ];
}

/** What made life hard, in words. */
export function networkName({ loss, slow }: { loss: number; slow: boolean }): string {
  return slow ? "5 % slow" : `${100 * loss} % loss`;
}

/** Milliseconds, or seconds from ten on. */
export function time(ms: number): string {
  return ms < 10_000 ? `${count(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function times({ medianMs, maxMs }: { medianMs: number; maxMs: number }): string {
  return `${time(medianMs)} (${time(maxMs)})`;
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function figure(value: number): string {
  return value === 0 ? "0" : value < 0.01 ? value.toExponential(1) : value.toPrecision(2);
}
