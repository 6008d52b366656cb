/**
 * Everything that may differ between two correct runs of the same commands.
 *
 * @module
 */

import assert from "node:assert/strict";

/** The lines of `text`, which the command `args` printed, with everything that may differ taken out. */
export function normalised(args: readonly string[], text: string, host: string): string[] {
  const [command = ""] = args;
  const rest = text.replaceAll(host, "HOST")
    // The program says its own name.
    .replaceAll("skein", "serf")
    // After a wrong command line serf shows the help, skein does not; what was wrong, and where it is said, is the same.
    .replace(/(?:^|\n)Usage: [\s\S]*/, "")
    // Where serf shows the help alone, skein says why.
    .replace(
      /^(?:Neither -set nor -delete|None of -install, -use, -remove and -list) was given\n$/,
      "",
    )
    // Serf does not say so.
    .replace(/^No member is called '.*'\n$/, "")
    // 0.9.4 wrote "Failed to join HOST:", its successors and skein write "failed to join HOST:PORT:".
    .replace(/[Ff]ailed to join HOST(?::\d+)?:/g, "failed to join HOST:");
  return BY_COMMAND[command]?.(rest) ?? rest.split("\n");
}

const BY_COMMAND: Record<string, (text: string) => string[]> = {
  // The banner of ours says more.
  agent: (text) => text.replace(/^ +(?:Version|Advertise addr): .*\n/gm, "").split("\n"),
  info,
  keys,
  members,
  query,
  reachability: (text) =>
    inAnyOrder(text.replace(/\d+\.\d\d sec/g, "TIME"), /^\t/)
      // An agent of ours ends the query when everybody has answered.
      .map((line) => line.replace(/^Query time: .*/, "Query time: TIME")),
  rtt: (text) => text.replace(/\d+\.\d{3} ms/, "TIME").split("\n"),
  keygen: (text) => text.replace(/^[\w+/]{43}=$/m, "KEY").split("\n"),
  version: (text) => text.replace(/^.*$/m, "VERSION").split("\n"),
};

function info(text: string): string[] {
  return text
    // Facts about the process.
    .replace(
      /("?(?:arch|cpu_count|goroutines|max_procs|os|version)"?(?: =|:) )[^\n,]+/g,
      "$1FACT",
    )
    // Clocks and queues depend on the moment.
    .replace(/("?\w+_(?:time|queue)"?(?: =|:) )"?\d+"?/g, "$1NUMBER")
    // skein also counts RPC clients, streams and what slow ones missed.
    .replace(/rpc:\n(\t[^\n]*\n)+| {2}"rpc": \{[^}]*\},?\n/, "")
    .split("\n");
}

function keys(text: string): string[] {
  // 0.9.4 began what a node says with a capital letter, its successors and skein do not.
  const lowered = text.replace(/^(failed: {2}\S+ {2})(\S)/gm, (_, before, letter) => {
    return before + letter.toLowerCase();
  });
  return inAnyOrder(lowered, /^failed: |= +\[\d+\/\d+\]$/);
}

function members(text: string): string[] {
  if (text.startsWith("{")) {
    // The agent lists members in no order.
    const parsed = JSON.parse(text);
    parsed.members?.sort((a: { name: string }, b: { name: string }) => a.name < b.name ? -1 : 1);
    const ordered = JSON.stringify(parsed, null, 2);
    assert.equal(sortedLines(ordered), sortedLines(text.trimEnd()));
    return ordered.split("\n");
  }
  // Members and, in a cell, tags come in no order; the last line is trimmed, whichever it is.
  return text.split("\n").map((line) =>
    line.replace(/\S*=\S*/, (tags) => tags.split(",").sort().join(",")).trimEnd()
  ).sort();
}

function query(text: string): string[] {
  // In JSON the names of those who acknowledged are a list in the order of arrival.
  const listed = /^ {4}"[^"]*"$/;
  if (text.startsWith("{")) return inAnyOrder(text.replace(/^( {4}"[^"]*"),$/gm, "$1"), listed);
  return inAnyOrder(text, /^(Ack|Response) from /);
}

/** The lines with those that match sorted, in the places that such lines had. */
function inAnyOrder(text: string, which: RegExp): string[] {
  const lines = text.split("\n");
  const sorted = lines.filter((line) => which.test(line)).sort();
  return lines.map((line) => which.test(line) ? sorted.shift() ?? "" : line);
}

function sortedLines(text: string): string {
  return text.split("\n").map((line) => line.replace(/,$/, "")).sort().join("\n");
}
