/**
 * Writes docs/config.schema.json, for editors, and docs/CONFIGURATION.md from the options that the agent itself reads:
 * `deno task schema`.
 *
 * @module
 */

import { z } from "zod";
import {
  AGENT_OPTIONS,
  OPTION_SECTIONS,
  type OptionSection,
} from "../server/config/options/mod.ts";
import {
  type ConfigOption,
  isOnByDefault,
  type NamedOption,
  namedOptions,
  type OptionKind,
  type Options,
} from "../server/config/options/option.ts";
import { defaultText, defaultValue, withNames } from "../server/config/options/text.ts";
import { configSchema } from "../server/config/schema.ts";

/** Columns of a line of Markdown, as `deno fmt` has them. */
const WIDTH = 100;

/** A Go duration: numbers with units. */
const DURATION_PATTERN = "^[+-]?(0|((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|ms|s|m|h))+)$";

/** The text of docs/config.schema.json. */
export function schemaText({ table }: Options = AGENT_OPTIONS): string {
  const schema = configSchema(table, (option) => ({
    description: option.doc,
    ...option.examples && { examples: option.examples },
    ...option.setting && option.unset === undefined && { default: defaultValue(option) },
    ...option.kind === "duration" && { pattern: DURATION_PATTERN },
  }));
  const json = z.toJSONSchema(schema, { io: "input" });
  const head = { title: "Configuration of skein agent", description: NOTE };
  return JSON.stringify({ $schema: json.$schema, ...head, ...json }, null, 2) + "\n";
}

const NOTE =
  "Generated from server/config/options by 'deno task schema'. The agent also takes key " +
  "names in any case, and null for a key that is not set.";

const KIND_NAMES: Readonly<Record<OptionKind, string>> = {
  text: "string",
  duration: 'duration, such as `"1m30s"` (units `ns`, `us`, `ms`, `s`, `m`, `h`)',
  number: "whole number",
  switch: "`true` or `false`",
  list: "array of strings",
  map: "object of strings",
};

const HEAD = [
  "# Configuration",
  "<!-- Generated from server/config/options by `deno task schema`. -->",
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
];

const TAIL = [
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
export function referenceText(sections: readonly OptionSection[] = OPTION_SECTIONS): string {
  const all = sections.flatMap(({ options }) => namedOptions(options));
  const blocks = [...HEAD, ...mergeRules(all), ...TAIL, "## All keys", table(all)];
  for (const { title, options } of sections) {
    blocks.push(`## ${title}`, ...namedOptions(options).flatMap((option) => entry(option, all)));
  }
  return blocks.map(wrapped).join("\n\n") + "\n";
}

/** What merges otherwise than by the last word. */
function mergeRules(all: readonly NamedOption[]): string[] {
  const namesOf = (kind: OptionKind): string =>
    listed(all.filter(({ option }) => option.kind === kind).map(({ name }) => `\`${name}\``));
  const exceptions = all.flatMap(({ name, option }) => {
    if (isOnByDefault(option)) return [`\`${name}\` may be \`false\``];
    if (option.kind === "duration" && option.unlimited) return [`\`${name}\` may be \`0s\``];
    return [];
  });
  return [
    "3. Later values win, but an empty string, `0`, `0s` and `false` say nothing, and neither does " +
    "`null`. So a later file cannot switch off what an earlier one switched on. Some keys of ours " +
    `differ: ${listed(exceptions)}.`,
    `4. The lists ${namesOf("list")} are appended. ${namesOf("map")} merge by name.`,
  ];
}

/** `a, b and c`. */
function listed(texts: readonly string[]): string {
  return [texts.slice(0, -1).join(", "), ...texts.slice(-1)].filter(Boolean).join(" and ");
}

function entry({ name, option }: NamedOption, all: readonly NamedOption[]): string[] {
  const facts = [
    `- Type: ${KIND_NAMES[option.kind]}`,
    `- Default: ${defaultCode(option)}`,
    `- Flag: ${option.flag === undefined ? "none" : flagCode(option)}`,
    ...option.examples
      ? [`- Values: ${option.examples.map((text) => `\`${text}\``).join(", ")}`]
      : [],
    `- On reload: ${option.reloads ? "applied" : "needs a restart"}`,
    ...option.isOurs ? ["- Serf does not know this key"] : [],
  ];
  return [
    `### \`${name}\``,
    withNames(option.doc, all, ({ name }) => `\`${name}\``),
    facts.map(wrapped).join("\n"),
  ];
}

function defaultCode(option: ConfigOption): string {
  const text = defaultText(option);
  return option.unset !== undefined || text === "none" ? text : `\`${text}\``;
}

function flagCode({ kind, flag, placeholder }: ConfigOption): string {
  const value = placeholder === undefined ? "" : `=${placeholder}`;
  const many = kind === "list" || kind === "map" ? ", may be given many times" : "";
  return `\`-${flag}${value}\`${many}`;
}

function table(all: readonly NamedOption[]): string {
  const rows = all.map(({ name, option }) => [
    `[\`${name}\`](#${name.replace(/[.$]/g, "")})`,
    option.flag === undefined ? "" : `\`-${option.flag}\``,
    option.reloads ? "yes" : "",
  ]);
  const lines = [["Key", "Flag", "Applied on reload"], ...rows];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...lines.map((row) => (row[column] ?? "").length))
  );
  const [head, ...body] = lines.map((row) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [head, rule, ...body].join("\n");
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
