/**
 * Values that no agent could use, and the table of options.
 *
 * @module
 */

import assert from "node:assert/strict";
import { settingProblems } from "../../../server/config/checks.ts";
import {
  checkConfig,
  ConfigError,
  type ConfigInput,
  loadConfig,
} from "../../../server/config/load.ts";
import { AGENT_OPTIONS, OPTION_SECTIONS } from "../../../server/config/options/mod.ts";
import { namedOptions } from "../../../server/config/options/option.ts";
import { mergeInputs } from "../../../server/config/options/values.ts";

Deno.test("0 says nothing, as a number and as a duration, but for the time limit of scripts", () => {
  assert.deepEqual(
    mergeInputs(
      AGENT_OPTIONS,
      { retry_interval: "10s", event_handler_timeout: "1s", query_size_limit: 7 },
      { retry_interval: "0s", event_handler_timeout: "0", query_size_limit: 0 },
    ),
    { retry_interval: "10s", event_handler_timeout: "0", query_size_limit: 7 },
  );
});

Deno.test("values that no agent could use are refused, each with its reason", async () => {
  const levels = "Valid log levels are: [TRACE DEBUG INFO WARN ERR]";
  const refused: [ConfigInput, string][] = [
    [
      { event_handlers: ["foo=bar"] },
      "Invalid event script: Event 'foo' invoking 'bar'. Valid events are: * member-join member-leave member-failed member-update member-reap user query, with names as in user:NAME",
    ],
    [
      { event_handler_concurrency: -1 },
      "Invalid event_handler_concurrency: expected a positive number, got -1",
    ],
    [
      { interface: "none0" },
      "Invalid network interface: route ip+net: no such network interface",
    ],
    [{ mdns: { interface: "lo" } }, "mDNS interface specified without enabling mDNS discovery"],
    [
      { discover: "c", mdns: { interface: "none0" } },
      "Invalid mDNS network interface: route ip+net: no such network interface",
    ],
    [
      { discover: "c", mdns: { disable_ipv4: true, disable_ipv6: true } },
      "Invalid mDNS configuration: both IPv4 and IPv6 are disabled",
    ],
    [{ log_level: "warning" }, `Invalid log level: WARNING. ${levels}`],
    [{ log_levels: { serf: "x" } }, `Invalid log level for 'serf': X. ${levels}`],
    [{ log_format: "xml" }, "Invalid log format: xml. Valid log formats are: [text json]"],
    [
      { enable_syslog: true, syslog_facility: "NOPE" },
      "Syslog setup failed: invalid syslog facility: NOPE",
    ],
    [
      { statsd_addr: "host" },
      "Failed to start statsd sink. Got: address host: missing port in address",
    ],
    [
      { statsite_addr: ":8125" },
      "Failed to start statsite sink. Got: expected host:port, got ':8125'",
    ],
  ];
  for (const [flags, message] of refused) {
    await assert.rejects(loadConfig([], flags), new ConfigError(message));
  }
  await loadConfig([], { syslog_facility: "NOPE", event_handlers: [""] });
});

Deno.test("a file whose name is not UTF-8 is refused, as the runtime would open another one", async () => {
  const names = ["tags_file", "keyring_file", "snapshot_path"] as const;
  for (const name of names) {
    await assert.rejects(loadConfig([], { [name]: "/tmp/caf\udce9" }), {
      name: "ConfigError",
      message: `Invalid ${name}: '/tmp/caf\\xe9' is not UTF-8`,
    });
  }
  const paths = namedOptions(AGENT_OPTIONS.table).filter(({ name }) => /_(file|path)$/.test(name));
  assert.deepEqual(
    paths.filter(({ option }) => option.placeholder !== "PATH").map(({ name }) => name),
    [],
  );
  await assert.rejects(loadConfig(["/tmp/caf\udce9.json"], {}), {
    name: "ConfigError",
    message: "Invalid path of a configuration: '/tmp/caf\\xe9.json' is not UTF-8",
  });
});

Deno.test("problems are told in the order in which a start would find them", async () => {
  const wrong: ConfigInput = {
    query_size_limit: -1,
    event_handlers: ["foo=bar"],
    interface: "none0",
    discover: "c",
    mdns: { disable_ipv4: true, disable_ipv6: true },
    log_level: "x",
    log_format: "xml",
    statsd_addr: "host",
    statsite_addr: "host",
  };
  const { config, problems } = await checkConfig(["/nonexistent"], wrong);
  const beginnings = [
    "Error reading '/nonexistent'",
    "Invalid query_size_limit",
    "Invalid event script",
    "Invalid network interface",
    "Invalid mDNS configuration",
    "Invalid log level",
    "Invalid log format",
    "Failed to start statsite",
    "Failed to start statsd",
  ];
  const same = (found: readonly ConfigError[], wanted: readonly string[]) =>
    assert.deepEqual(found.map(({ message }, i) => message.slice(0, wanted[i]?.length)), wanted);
  same(problems, beginnings);
  const settings = { ...config, eventHandlerTimeoutMs: -1, eventHandlerConcurrency: 1.5 };
  same(settingProblems(settings), [
    "Invalid event script",
    "Invalid event_handler_timeout: expected 0s or more, got -1 ms",
    "Invalid event_handler_concurrency: expected a whole number from 1, got 1.5",
    ...beginnings.slice(3),
  ]);
});

Deno.test("no two options have one setting, one name or one flag", () => {
  const named = AGENT_OPTIONS.all;
  const once = (texts: string[]) => assert.deepEqual(texts, [...new Set(texts)]);
  once(named.map(({ name }) => name));
  once(named.flatMap(({ place }) => place?.join(".") ?? []));
  once(named.flatMap(({ option }) => option.flag ?? []));
});

Deno.test("every option has its section in the reference", () => {
  const inSections = OPTION_SECTIONS.flatMap(({ options }) => namedOptions(options));
  assert.deepEqual(inSections, AGENT_OPTIONS.all);
});

Deno.test("flags with bad durations and negative values are refused", async () => {
  const refused = (flags: ConfigInput, message: string) =>
    assert.rejects(loadConfig([], flags), new ConfigError(message));
  await refused(
    { retry_interval: "xx" },
    `Invalid -retry-interval: time: invalid duration "xx", expected a duration such as 30s`,
  );
  await refused(
    { reconnect_timeout: "-1s" },
    "Invalid reconnect_timeout: expected a positive duration, got '-1s'",
  );
  await refused(
    { query_size_limit: -5 },
    "Invalid query_size_limit: expected a positive number, got -5",
  );
});
