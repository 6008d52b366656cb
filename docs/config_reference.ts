/**
 * Writes docs/config.schema.json, for editors, and docs/CONFIGURATION.md from the keys that the agent itself reads:
 * `deno task schema`.
 *
 * @module
 */

import { z } from "zod";
import {
  CONFIG_KEYS,
  type ConfigKey,
  KEY_SECTIONS,
  type KeyKind,
} from "../server/config/options/mod.ts";
import { defaultText, defaultValue } from "../server/config/options/text.ts";
import { configSchema } from "../server/config/schema.ts";

/** Columns of a line of Markdown, as `deno fmt` has them. */
const WIDTH = 100;

/** A Go duration: numbers with units. */
const DURATION_PATTERN = "^[+-]?(0|((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|ms|s|m|h))+)$";

/** The text of docs/config.schema.json. */
export function schemaText(): string {
  const schema = configSchema((_name, key) => ({
    description: key.doc,
    ...key.examples && { examples: key.examples },
    ...key.setting && key.unset === undefined && { default: defaultValue(key) },
    ...key.kind === "duration" && { pattern: DURATION_PATTERN },
  }));
  const json = z.toJSONSchema(schema, { io: "input" });
  const head = { title: "Configuration of skein agent", description: NOTE };
  return JSON.stringify({ $schema: json.$schema, ...head, ...json }, null, 2) + "\n";
}

const NOTE = "Generated from server/config/keys by 'deno task schema'. The agent also takes key " +
  "names in any case, and null for a key that is not set.";

const KIND_NAMES: Readonly<Record<KeyKind, string>> = {
  text: "string",
  duration: 'duration, such as `"1m30s"` (units `ns`, `us`, `ms`, `s`, `m`, `h`)',
  number: "whole number",
  switch: "`true` or `false`",
  list: "array of strings",
  map: "object of strings",
};

const INTRODUCTION = [
  "<!-- Generated from server/config/keys by `deno task schema`. -->",
  "`skein agent` takes its settings from JSON files and from flags. The files are the same as " +
  "those of HashiCorp's Serf; keys that Serf does not know are marked.",
  "```json\n{\n" +
  '  "node_name": "web-1",\n  "bind": "10.0.0.5:7946",\n' +
  '  "retry_join": ["10.0.0.6", "10.0.0.7"],\n' +
  '  "tags": { "role": "web" }\n}\n```',
  "```\nskein agent -config-file=agent.json -config-dir=/etc/skein -log-level=debug\n```",
  "## How files and flags merge",
  "1. `-config-file` and `-config-dir` may be given many times. They are read in the order of " +
  "the command line. Of a directory, every file ending in `.json` is read, in the byte order " +
  "of the names.",
  "2. Flags come last.",
  "3. Later values win, but an empty string, `0`, `0s` and `false` say nothing, and neither does " +
  "`null`. So a later file cannot switch off what an earlier one switched on. Two keys of ours " +
  "differ: `enable_compression` may be `false`, and `event_handler_timeout` may be `0s`.",
  "4. The lists `start_join`, `retry_join` and `event_handlers` are appended. `tags` and " +
  "`log_levels` merge by name.",
  "Names of keys match in any case. A key that does not exist and a value of a wrong type are " +
  "errors that name the file, the key and what was expected. `skein validate FILE|DIR...` shows " +
  "all such errors, or the merged configuration.",
  'An editor that knows JSON Schema checks a file that begins with `"$schema"` and the address ' +
  "of [config.schema.json](config.schema.json).",
  "## What a reload applies",
  "On `SIGHUP` the agent reads files and flags again. When something is wrong it says so and " +
  "keeps everything as it was. Otherwise it tells which keys changed, which of them it applied, " +
  "and which need a restart. A reload never writes the tags file.",
];

/** The text of docs/CONFIGURATION.md. */
export function referenceText(): string {
  const blocks = ["# Configuration", ...INTRODUCTION, "## All keys", table()];
  for (const { title, keys } of KEY_SECTIONS) {
    blocks.push(`## ${title}`);
    for (const [name, key] of Object.entries(keys)) blocks.push(...entry(name, key));
  }
  return blocks.map(wrapped).join("\n\n") + "\n";
}

function entry(name: string, key: ConfigKey): string[] {
  const facts = [
    `- Type: ${KIND_NAMES[key.kind]}`,
    `- Default: ${defaultCode(key)}`,
    `- Flag: ${key.flag === undefined ? "none" : flagCode(key)}`,
    ...key.examples ? [`- Values: ${key.examples.map((text) => `\`${text}\``).join(", ")}`] : [],
    `- On reload: ${key.reloads ? "applied" : "needs a restart"}`,
    ...key.isOurs ? ["- Serf does not know this key"] : [],
  ];
  return [`### \`${name}\``, withCode(key.doc), facts.map(wrapped).join("\n")];
}

function defaultCode(key: ConfigKey): string {
  const text = defaultText(key);
  return key.unset !== undefined || text === "none" ? text : `\`${text}\``;
}

function flagCode(key: ConfigKey): string {
  const value = key.placeholder === undefined ? "" : `=${key.placeholder}`;
  const many = key.kind === "list" || key.kind === "map" ? ", may be given many times" : "";
  return `\`-${key.flag}${value}\`${many}`;
}

/** The names of keys in a text, as code. */
function withCode(text: string): string {
  return text.replace(
    /(?<![\w/.$])[a-z]+(?:_[a-z]+)+\b/g,
    (name) => Object.hasOwn(CONFIG_KEYS, name) ? `\`${name}\`` : name,
  );
}

function table(): string {
  const rows = Object.entries(CONFIG_KEYS).map(([name, key]) => [
    `[\`${name}\`](#${name.replace(/[.$]/g, "")})`,
    key.flag === undefined ? "" : `\`-${key.flag}\``,
    key.reloads ? "yes" : "",
  ]);
  const all = [["Key", "Flag", "Applied on reload"], ...rows];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...all.map((row) => (row[column] ?? "").length))
  );
  const lines = all.map((row) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

/** Breaks the lines of a paragraph as `deno fmt` does; code and tables stay. */
function wrapped(block: string): string {
  if (/^(?:```|\||#|<!--)/.test(block)) return block;
  if (block.includes("\n")) return block.split("\n").map(wrapped).join("\n");
  const indent = /^(?:- |\d+\. )/.exec(block)?.[0].length ?? 0;
  const lines: string[] = [];
  let line = "";
  for (const word of block.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(indent) + word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("config.schema.json", import.meta.url), schemaText());
  await Deno.writeTextFile(new URL("CONFIGURATION.md", import.meta.url), referenceText());
}
