/**
 * What the console of an agent shows, and when.
 *
 * @module
 */

import assert from "node:assert/strict";
import project from "../../../deno.json" with { type: "json" };
import { DEFAULT_AGENT_CONFIG } from "../../../server/config/load.ts";
import { LevelFilter } from "../../../server/logging/levels.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { showBanner } from "../../../server/run/banner.ts";
import { Console } from "../../../server/run/console.ts";

function recorded(): { console: Console; printed: string[] } {
  const printed: string[] = [];
  return { console: new Console((text) => void printed.push(text)), printed };
}

const FACTS = {
  address: { host: "::1", port: 7946 },
  advertise: { host: "127.0.14.9", port: 1 },
  rpcAddr: "127.0.14.9:2",
  encrypted: true,
  state: undefined,
};

const CONFIG = {
  ...DEFAULT_AGENT_CONFIG,
  nodeName: "a",
  snapshotPath: "/s",
  discover: "foo",
  profile: "wan",
};

Deno.test("the banner has Serf's lines, also those that not every agent has", () => {
  const { console, printed } = recorded();
  showBanner(console, CONFIG, FACTS);
  assert.equal(
    printed.join("\n"),
    `==> Serf agent running!
                        Version: skein ${project.version}
                      Node name: 'a'
                      Bind addr: '[::1]:7946'
                 Advertise addr: '127.0.14.9:1'
                       RPC addr: '127.0.14.9:2'
                      Encrypted: true
                       Snapshot: true
                        Profile: wan
    Message Compression Enabled: true
                   mDNS cluster: foo`,
  );
});

Deno.test("as JSON the banner is one line", () => {
  const { console, printed } = recorded();
  console.format = "json";
  showBanner(console, CONFIG, FACTS);
  assert.deepEqual(JSON.parse(printed.join("")).fields, {
    version: project.version,
    node_name: "a",
    bind_addr: "[::1]:7946",
    advertise_addr: "127.0.14.9:1",
    rpc_addr: "127.0.14.9:2",
    encrypted: true,
    snapshot: true,
    profile: "wan",
    compression: true,
    mdns_cluster: "foo",
  });
});

Deno.test("log lines wait behind the gate, a bounded number of them, and messages do not", () => {
  const { console, printed } = recorded();
  const log = new AgentLog("a");
  console.attach(log);
  for (let i = 0; i < 5_000; i++) log.write("INFO", "x", `${i}`);
  console.say("now");
  assert.deepEqual(printed, ["==> now"]);
  console.openGate();
  assert.equal(printed.length, 1 + 4_096);
  log.write("INFO", "x", "live");
  assert.match(printed.at(-1) ?? "", /^ {4}\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[INFO\] x: live$/);
});

Deno.test("filter and format count from the next line on", () => {
  const { console, printed } = recorded();
  const log = new AgentLog("a");
  console.attach(log);
  console.openGate();
  log.write("DEBUG", "serf", "hidden");
  console.filter = new LevelFilter("ERR", { serf: "DEBUG" });
  log.write("DEBUG", "serf", "shown");
  log.write("WARN", "agent", "hidden");
  console.format = "json";
  console.node = "a";
  log.write("ERR", "agent", "shown", { fields: { cause: new Error("why") } });
  assert.equal(printed.length, 2);
  assert.match(printed[0] ?? "", /\[DEBUG\] serf: shown$/);
  const { time: _, ...rest } = JSON.parse(printed[1] ?? "");
  assert.deepEqual(rest, {
    level: "ERR",
    node: "a",
    subsystem: "agent",
    message: "shown: why",
    fields: { cause: "Error: why" },
  });
});
