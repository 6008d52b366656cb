/**
 * docs/TOPICS.md: its tour as somebody pastes it, and its tables beside the code.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import * as machine from "../../cluster/machine/topics/limits.ts";
import { DEFAULT_OPTIONS } from "../../cluster/machine/topics/rows/topic.ts";
import { clientSettings, producerSettings } from "../../client/topics/options.ts";
import { CODE } from "../../protocol/topics/codes.ts";
import * as wire from "../../protocol/topics/limits.ts";
import { DEFAULT_AGENT_CONFIG } from "../../server/config/settings.ts";
import * as server from "../../server/topics/limits.ts";
import { skein } from "../support/agents.ts";
import { blocksOf, runTour } from "../support/docs/tour.ts";
import { loopback } from "../support/loopback.ts";
import { addressOf } from "../support/topics/command.ts";
import { serveTopics } from "../support/topics/stage.ts";

const HOST = loopback();
const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const page = await Deno.readTextFile(join(ROOT, "docs", "TOPICS.md"));

/** The rows of the table whose first head is this. */
function rowsOf(head: string): string[][] {
  const lines = page.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${head} `));
  assert.ok(at > 0, head);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"));
  return lines.slice(at + 2, end).map((line) =>
    line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll("\\|", "|"))
  );
}

Deno.test("the page about topics works as it stands", async (t) => {
  const install = (await blocksOf("GETTING-STARTED.md")).slice(0, 1);
  const blocks = await blocksOf("TOPICS.md");
  assert.ok(blocks.length > 15);
  const addresses = [1, 2, 3].map((n) => `${HOST}:909${n}`).join(",");
  await runTour(t, [...install, ...blocks], HOST, { SKEIN_TOPICS_ADDR: addresses });
});

Deno.test("docs/TOPICS.md has the bounds of the code", () => {
  const mib = (bytes: number): string => `${bytes / 2 ** 20} MiB`;
  const count = (number: number): string => number.toLocaleString("en-US");
  const days = (ms: number): string => `${ms / 86_400_000} days`;
  const seconds = (ms: number): string => `${ms / 1_000} s`;
  const { bufferBytes, maxInFlight } = producerSettings({}, clientSettings({}));
  const { topics } = DEFAULT_AGENT_CONFIG;
  assert.equal(wire.MAX_PARTITIONS, machine.MAX_PARTITIONS);
  assert.equal(wire.MAX_TRANSACT_ITEMS, machine.MAX_TRANSACT_ITEMS);
  assert.equal(wire.MAX_SUBSCRIBED, machine.MAX_GROUP_TOPICS);
  assert.equal(wire.MAX_GROUP_PARTITIONS, machine.MAX_GROUP_PARTITIONS);
  assert.deepEqual(wire.MEMBER_TIMEOUT_MS, machine.MEMBER_TIMEOUT_MS);
  assert.equal(maxInFlight, machine.KNOWN_BATCHES);
  assert.deepEqual(rowsOf("What  ").map(([, most]) => most), [
    `${machine.MAX_NAME_BYTES} bytes`,
    count(machine.MAX_TOPICS),
    count(machine.MAX_PARTITIONS),
    count(machine.MAX_ALL_PARTITIONS),
    mib(wire.MAX_MESSAGE_BYTES),
    mib(wire.MAX_FRAME_BYTES),
    count(server.MAX_IN_FLIGHT),
    count(maxInFlight),
    mib(bufferBytes),
    seconds(topics.requestLimitMs),
    seconds(server.MAX_FETCH_WAIT_MS),
    days(DEFAULT_OPTIONS.retentionMs),
    mib(DEFAULT_OPTIONS.segmentBytes),
    `${machine.MAX_ID_BYTES} bytes`,
    count(machine.MAX_IDS),
    count(machine.MAX_ALL_IDS),
    `${DEFAULT_OPTIONS.dedupeMs / 60_000} min`,
    count(machine.MAX_TRANSACT_ITEMS),
    `${machine.MAX_METADATA_BYTES / 1_024} KiB`,
    count(machine.MAX_ALL_COMMITTED),
    days(machine.GROUP_LIFE_MS),
    count(machine.MAX_GROUP_MEMBERS),
    count(machine.MAX_ALL_MEMBERS),
    count(machine.MAX_GROUP_TOPICS),
    count(machine.MAX_GROUP_PARTITIONS),
    days(machine.PRODUCER_LIFE_MS),
    count(topics.maxConnections),
    `${topics.idleLimitMs / 60_000} min`,
  ]);
});

Deno.test("docs/TOPICS.md has each failure that servers tell", () => {
  const told = rowsOf("Code").map(([code, reason]) => `${code} ${reason}`);
  const known = new Set<string>();
  for (const text of sourcesIn(join(ROOT, "server", "topics"))) {
    for (const [, reason = ""] of text.matchAll(/\bCODE\.([A-Z_]+)/g)) {
      known.add(`${CODE[reason as keyof typeof CODE]} \`${reason}\``);
    }
  }
  assert.ok(known.size > 15);
  assert.deepEqual(told.toSorted(), [...known].sort());
});

Deno.test("each line for those who know Kafka or JetStream does as docs/TOPICS.md says", async () => {
  for (const head of ["Kafka", "JetStream"]) {
    const lines = rowsOf(head).flatMap(([, here = ""]) =>
      /^`(.*skein topic .*)`$/.exec(here)?.[1] ?? []
    );
    assert.ok(lines.length > 10, head);
    await using stage = serveTopics(HOST);
    const quoted = skein.command.map((part) => `'${part}'`).join(" ");
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-ec", `skein() { ${quoted} "$@"; }\n${lines.join("\n")}`],
      env: { SKEIN_TOPICS_ADDR: addressOf(stage) },
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    assert.deepEqual([code, text(stderr)], [0, ""], head);
    assert.match(text(stdout), /^hello$/m);
  }
});

function sourcesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder)).flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    // What a program is told by its own agent is no answer of the port.
    if (isDirectory) return name === "local" ? [] : sourcesIn(path);
    return name.endsWith(".ts") ? [Deno.readTextFileSync(path)] : [];
  });
}
