/**
 * The commands about encryption keys, by both command lines against both agents.
 *
 * @module
 */

import { type Run, sameFourTimes } from "../support/interop/command_lines.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOSTS = [loopback(), loopback(), loopback(), loopback()] as const;

const FIRST = "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";
const SECOND = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
const SHORT = "BhQyvb2hdSuKqB0rW4sUjQ==";

goTest("both command lines turn keys in the same way through both agents", (serf) => {
  return sameFourTimes(serf, HOSTS, 25, rotation);
});

newestGoTest("both command lines turn keys in the same way through both agents", (serf) => {
  return sameFourTimes(serf, HOSTS, 25, rotation);
});

goTest("both command lines say the same of a cluster without keys", (serf) => {
  return sameFourTimes(serf, HOSTS, 6, withoutKeys);
});

async function rotation(run: Run): Promise<void> {
  const { $, ask, shown } = run;
  await run.start("tested", "one", [`-encrypt=${FIRST}`]);
  await $("keys", "-list");
  const two = await run.start("serf", "two", [`-encrypt=${FIRST}`]);
  await ask("join", two.gossip);
  await shown(/two.*alive/);

  await $("keys", "-list");
  await $("keys", "-install", SECOND);
  await $("keys", `-install=${SECOND}`);
  await $("keys", "-list");
  await $("keys", "-use", SECOND);
  await $("keys", "-use", SECOND);
  await $("keys", "-list");
  await $("keys", "-remove", SECOND);
  await $("keys", "-remove", FIRST);
  await $("keys", "-remove", FIRST);
  await $("keys", "-list");
  await $("keys", "-use", FIRST);
  await $("keys", "-install", SHORT);
  await $("keys", "-use", SHORT);
  await $("keys", "-list");
  await $("event", "after");
  await $("query", "-timeout=700ms", "after");

  await $("keys");
  await $("keys", "-install=");
  await $("keys", "-install", "not base64");
  await $("keys", "-install", "AAAA");
  await $("keys", "-use", "AAAA");
  await $("keys", "-list", "-install", FIRST);
  await $("keys", "-use", FIRST, "-remove", FIRST);
  await $("keys", "-bogus");
  await $("info");

  two.kill("SIGKILL");
  await shown(/two.*failed/);
  await $("keys", "-list");
  await $("keys", "-install", FIRST);
  await $("leave");
  await run.one.exited;
  await $("keys", "-list");
}

async function withoutKeys(run: Run): Promise<void> {
  const { $, ask, shown } = run;
  await run.start("tested", "one");
  const two = await run.start("serf", "two");
  await ask("join", two.gossip);
  await shown(/two.*alive/);
  await $("keys", "-list");
  await $("keys", "-install", FIRST);
  await $("keys", "-use", FIRST);
  await $("keys", "-remove", FIRST);
  await $("keys", "-install", "not base64");
  await $("info");
}
