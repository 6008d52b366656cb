/**
 * Event handler scripts that were written for `serf` run unchanged: the same script, on the same events, writes
 * down the same environment and the same input under both kinds of agents, and answers queries in the same way.
 *
 * What differs is named in {@linkcode lines}.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join as path } from "node:path";
import { eventually, freePort, type Program, skein } from "../support/agents.ts";
import { allShow, join, type Node, startNode } from "../support/interop/cluster.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOSTS = [loopback(), loopback()] as const;

/**
 * A script as people write them: variables, a loop over the tab-separated members, standard input kept to the last
 * byte, all appended to a file beside it in one write.
 */
const SCRIPT = `
input=$(cat; echo .)
record=$(
  echo "--- $SERF_EVENT \${SERF_USER_EVENT:-}\${SERF_QUERY_NAME:-} in $(basename "$PWD")"
  env | grep '^SERF_' | LC_ALL=C sort
  case $SERF_EVENT in
    member-*) printf '%s' "\${input%.}" | while IFS='	' read -r name address role tags; do
        printf 'member [%s] [%s] [%s] [%s]\\n' "$name" "$address" "$role" "$tags"
      done ;;
  esac
  printf 'input [%s]\\n' "\${input%.}"
)
printf '%s\\n' "$record" >> "$1.$SERF_SELF_NAME"
`;

goTest("event handler scripts run unchanged", (go) => {
  return sameRecords(go, HOSTS);
});

async function sameRecords(go: Program, hosts: readonly [string, string]): Promise<void> {
  const port = await freePort(...hosts);
  const [expected, got] = await Promise.all([
    recordsOf(go, go, hosts[0], port),
    recordsOf(skein, go, hosts[1], port),
  ]);
  assert.ok(expected.length > 80, expected.join("\n"));
  assert.deepEqual(got, expected);
}

async function recordsOf(program: Program, go: Program, host: string, bindPort: number) {
  await using cleanUp = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  // A script may outlive a killed agent by a moment, and still write.
  cleanUp.defer(async () => {
    await eventually("the folder is removed", async () => {
      await Deno.remove(folder, { recursive: true });
      return true;
    });
  });
  const script = path(folder, "record.sh");
  await Deno.writeTextFile(script, SCRIPT);
  const record = (name: string) => `sh ${script} ${path(folder, name)}`;
  const flags = [
    "-profile=local",
    "-tag=kind=any",
    "-tag=role=web",
    "-tag=my-tag.x=a b",
    "-tag=\u00dcn\u00ef=1",
    "-log-level=debug",
    `-event-handler=${record("all")}`,
    `-event-handler=user:deploy,member-update=${record("some")}`,
    "-event-handler=query:load=echo one line",
    `-event-handler=query:upper=tr a-z A-Z`,
    "-event-handler=query:lines=printf 'no end'; echo on stderr >&2",
    "-event-handler=query:fails=echo nobody sees this; exit 3",
    "-event-handler=query:large=head -c 1100 /dev/zero | tr '\\0' x",
    "-event-handler=user:fails=echo said before; exit 7",
  ];
  const one = cleanUp.use(await startNode(program, "one", host, { flags, bindPort }));
  const recorded = (name: string, what: RegExp) =>
    eventually(`${name} has ${what}\n${one.agent.output()}`, async () => {
      return what.test(await Deno.readTextFile(path(folder, `${name}.one`)));
    });
  await recorded("all", /--- member-join/);

  const two = await startNode(go, "two", host, {
    flags: ["-profile=local", "-tag=kind=any", "-tag=tab=a\tb\nc", "-tag=role=db,x=y"],
  });
  cleanUp.use(two);
  await join(one, two);
  await allShow([one, two], { one: "alive", two: "alive" });
  await recorded("all", /^member \[two\]/m);

  for (
    const [Name, Payload, done] of [
      ["deploy", "two\nlines", /input \[two\nlines\n\]/],
      ["deploy", "one line\n", /input \[one line\n\]/],
      ["bare", null, /--- user bare in .*\n(SERF_.*\n)+input \[\]/],
      ["fails", "x", /--- user fails/],
    ] as const
  ) {
    await one.rpc.must("event", { Name, Payload, Coalesce: false });
    await recorded("all", done);
  }
  const answers: string[] = [];
  for (const Name of ["load", "upper", "lines", "fails", "large", "unheard"]) {
    answers.push(`answer to ${Name}: ${await ask(one, Name, "some text")}`);
  }
  await recorded("all", /--- query unheard/);

  await one.rpc.must("tags", { Tags: { role: "db", build: "7" }, DeleteTags: ["my-tag.x"] });
  await recorded("some", /--- member-update(.*\n)+member \[one\] .*build=7/);
  two.agent.kill("SIGKILL");
  await recorded("all", /--- member-failed(.*\n)+member \[two\]/);
  await one.rpc.must("force-leave", { Node: "two" });
  await recorded("all", /--- member-leave(.*\n)+member \[two\]/);
  await eventually("the last script has ended", () => {
    return /Event 'member-leave' script output/.test(one.agent.output());
  });

  const read = async (name: string) => [
    `file ${name}`,
    ...lines(await Deno.readTextFile(path(folder, `${name}.one`)), host),
  ];
  const logged = one.agent.output().split("\n")
    .filter((line) => /script|Failed to respond/.test(line))
    .map((line) => line.replace(/^.*?\[/, "[").replaceAll(folder, "FOLDER"));
  return [...await read("all"), ...await read("some"), ...answers, ...new Set(logged.sort())];
}

/** What the query brought from `one`, or nothing. */
async function ask(one: Node, Name: string, text: string): Promise<string> {
  const query = { Name, Payload: new TextEncoder().encode(text), Timeout: 500_000_000 };
  const records = await one.rpc.subscribe("query", { ...query, FilterNodes: ["one"] });
  await eventually(`query '${Name}' is done`, () => records.at(-1)?.Type === "done");
  return records.filter(({ Type, From }) => Type === "response" && From === "one")
    .map(({ Payload }) => JSON.stringify(new TextDecoder().decode(Payload ?? undefined))).join();
}

/**
 * What a script wrote down: Lamport times have no value, and the tags of a member come in no order. A Go agent
 * repeats an update with every later event about members (docs/spec/agent.md 6.8), so it counts once.
 */
function lines(text: string, host: string): string[] {
  const seen = new Set<string>();
  const records = text.replaceAll(host, "HOST").split(/^(?=--- )/m).map((record) => {
    return record.split("\n").map(ordered).join("\n");
  });
  return records.filter((record) => {
    if (!record.startsWith("--- member-update")) return true;
    return !seen.has(record) && seen.add(record);
  }).flatMap((record) => record.split("\n"));
}

function ordered(line: string): string {
  const [, before, tags, after] = /^(member .*\[|.*\t)(\S+=[^\t]*?)(\]?)$/.exec(line) ?? [];
  return before === undefined || tags === undefined
    ? line.replace(/^(SERF_\w+_LTIME=)\d+$/, "$1N")
    : `${before}${tags.split(",").sort()}${after}`;
}
