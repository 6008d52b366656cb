/**
 * The commands that ask the whole cluster, by both command lines against both agents: `query`, `reachability`
 * and `rtt`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually } from "../support/agents.ts";
import { type Run, sameFourTimes } from "../support/interop/command_lines.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOSTS = [loopback(), loopback(), loopback(), loopback()] as const;

goTest("both command lines ask the cluster in the same way through both agents", (serf) => {
  return sameFourTimes(serf, HOSTS, 35, questions);
});

/** What the scripts of the agents answer: one line, many lines, nothing, too much, and a failure. */
const HANDLERS = [
  "query:load=echo ok from $SERF_SELF_NAME",
  "query:lines=printf 'a\\n<b>&\\n\\n'",
  "query:echo=cat",
  "query:silent=true",
  "query:long=head -c 1020 /dev/zero | tr '\\0' x",
  "query:broken=echo no; exit 3",
].map((handler) => `-event-handler=${handler}`);

async function questions(run: Run): Promise<void> {
  const { $, ask, shown } = run;
  // A Go agent ends a query at its timeout, whoever has answered. Scripts take their time on a busy machine.
  const query = (...args: string[]) => $("query", "-timeout=1s", ...args);
  const quickly = (...args: string[]) => $("query", "-timeout=500ms", ...args);
  const one = await run.start("tested", "one", ["-tag=role=web", ...HANDLERS]);
  await $("query", "load");
  const two = await run.start("serf", "two", ["-tag=role=db", ...HANDLERS]);
  await ask("join", two.gossip);
  await shown(/two.*alive/);

  await $("query", "load");
  await query("load", "some payload");
  await query("-format=json", "load");
  await query("-no-ack", "load");
  await query("nobody-answers");
  await $("query", "-timeout", "700ms", "-no-ack", "-format", "json", "nobody-answers");

  await query("-node=two", "load");
  await query("-node=one", "-node=two", "load");
  await query("-tag=role=w.b", "load");
  await query("-tag", "role=db", "-node=two", "load");
  await quickly("-tag=role=db", "-node=one", "load");
  await quickly("-node=nobody", "-format=json", "load");
  // Our command line does not send it; the agents take it and nobody answers.
  assert.match(
    await ask("query", "-timeout=500ms", "-tag=role=(", "load"),
    /^Total Acks: 0\nTotal Responses: 0$/m,
  );
  await query("-relay-factor=1", "load");
  await $("query", "-relay-factor=300", "load");
  await $("query", "-relay-factor=-1", "load");

  // Without the ack, which may come before or after an answer of many lines.
  await query("-node=two", "-no-ack", "lines");
  await query("-format=json", "lines");
  await query("-format=json", "echo", '\u00e9\t\u0001"<');
  await $("query", "silent", "-timeout=700ms");
  await query("silent");
  await query("long");
  await query("broken");

  await $("query");
  await $("query", "a", "b", "c");
  await $("query", "-tag=broken", "load");
  await $("query", "-format=xml", "load");
  await $("query", "-timeout=soon", "load");
  await quickly("big", "x".repeat(1100));
  await quickly("_serf_load");
  await quickly("-timeout=1s", "_serf_ping");

  await $("reachability");
  await $("reachability", "-verbose");
  await $("reachability", "-bogus");

  await $("rtt");
  await $("rtt", "one", "two", "three");
  await $("rtt", "nobody");
  await $("rtt", "one", "nobody");
  await eventually("one has probed two", async () => {
    return /^Estimated two <-> one/.test(await ask("rtt", "two"));
  });
  await $("rtt", "two");
  await $("rtt", "two", "one");
  await $("rtt", "one", "two");
  await $("rtt", "one");

  two.kill("SIGKILL");
  await shown(/two.*failed/);
  await $("reachability", "-verbose");
  await $("query", "load");
  one.kill("SIGKILL");
  await one.exited;
  await $("query", "load");
  await $("reachability");
  await $("rtt", "two");
}
