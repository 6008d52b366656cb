/**
 * What a person sees at a terminal and a script does not: progress, colours, hints, a screen that is drawn anew.
 *
 * @module
 */

import assert from "node:assert/strict";
import { JoinResponse, MembersResponse } from "../../protocol/ipc/mod.ts";
import { eventually, freePort, skein, startAgent } from "../support/agents.ts";
import { launchArguments, run } from "../support/e2e/cli.ts";
import { member, startFakeAgent } from "../support/fake_agent.ts";
import { loopback } from "../support/loopback.ts";
import { spelt, throughShell } from "../support/shell_bytes.ts";
import { addressOf } from "../support/topics/command.ts";
import { serveTopics } from "../support/topics/stage.ts";

const HOST = loopback();

/** Runs skein with a terminal of its own, which util-linux's `script` makes, and gives all that reached it; ␛ is escape. */
async function atTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  watch: (screen: string) => void = () => {},
): Promise<{ code: number; screen: string }> {
  const words = [Deno.execPath(), ...launchArguments(["-q", "-A"]), ...args].map((word) =>
    `'${word}'`
  );
  const child = new Deno.Command("script", {
    args: ["-qec", `stty cols 60 rows 10; ${words.join(" ")}`, "/dev/null"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    env: { NO_COLOR: "", SERF_RPC_AUTH: "", TERM: "xterm", ...env },
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
  let screen = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    screen += text.replaceAll("\x1b", "␛");
    watch(screen);
  }
  const { code } = await child.status;
  clearTimeout(limit);
  return { code, screen: screen.replaceAll("\r\n", "\n") };
}

function hasScript(): boolean {
  try {
    const { stdout } = new Deno.Command("script", { args: ["--version"] }).outputSync();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}

const ERASE = "\r␛[K";

function terminalTest(name: string, fn: () => Promise<void>): void {
  if (!hasScript()) {
    Deno.stderr.writeSync(
      new TextEncoder().encode(`\n!!! SKIPPED, no 'script' of util-linux here: ${name}\n\n`),
    );
  }
  Deno.test({ name, ignore: !hasScript(), fn });
}

terminalTest("a terminal sees progress, colours, hints and a watch; a pipe sees none", async () => {
  await using one = await startAgent(skein, { name: "one", host: HOST, flags: ["-profile=local"] });
  await using two = await startAgent(skein, {
    name: "two",
    host: HOST,
    flags: ["-profile=local", `-join=${one.gossip}`],
  });
  const env = { SERF_RPC_ADDR: one.rpc };
  await eventually("both see each other", async () => {
    return /^(?:.* alive *\n){2}$/.test((await run(["members"], { env })).stdout);
  });

  // Nobody answers, so that the query lasts: its acks are counted against the members.
  const query = await atTerminal(["query", "-timeout=2s", "nothing"], env);
  assert.equal(query.code, 0);
  assert.match(query.screen, /\r␛\[K2 of 2 acks, 0 of 2 answers \(\d\.\d s\)/);
  const rest = query.screen.replace(/\r␛\[K[^\r\n]*(?=\r)/g, "").replaceAll(ERASE, "");
  assert.deepEqual(rest.split("\n").sort(), [
    "",
    "Ack from 'one'",
    "Ack from 'two'",
    "Query 'nothing' dispatched",
    "Total Acks: 2",
    "Total Responses: 0",
  ]);
  const piped = await run(["query", "-timeout=100ms", "nothing"], { env });
  assert.deepEqual([piped.stderr, piped.stdout.includes("\r")], ["", false]);
  const json = await atTerminal(["query", "-timeout=2s", "-format=json", "nothing"], env);
  assert.deepEqual(JSON.parse(json.screen).Acks.sort(), ["one", "two"]);

  // A member that is dead without anybody having noticed is named.
  const frozen = async (...args: string[]) => {
    two.kill("SIGSTOP");
    const { screen } = await atTerminal(args, env);
    two.kill("SIGCONT");
    await eventually("two is seen alive", async () => {
      return /^two .* alive/m.test((await run(["members"], { env })).stdout);
    });
    return screen;
  };
  const silent = await frozen("query", "-timeout=700ms", "-node=two", "nothing");
  assert.match(silent, /No ack from 'two'\n/);
  assert.match(silent, /\r␛\[K0 of 1 acks, 0 of 1 answers/);
  const unreached = await frozen("reachability");
  assert.match(unreached, /\r␛\[K1 of 2 acks/);
  assert.match(unreached, /Missing acks from:\n\ttwo\n/);
  assert.match(await frozen("keys", "-list"), /\r␛\[KWaiting for 2 members/);

  const colored = await atTerminal(["members"], env);
  assert.match(colored.screen, /^one {2}\S+ {2}␛\[32malive␛\[39m *$/m);
  const plain = await atTerminal(["members"], { ...env, NO_COLOR: "1" });
  assert.match(plain.screen, /^one {2}\S+ {2}alive *$/m);

  let shown = "";
  const watching = atTerminal(["members", "-watch"], env, (screen) => shown = screen);
  await eventually("the watch has begun", () => shown.includes("2 alive"));
  await two.stop();
  await eventually("the watch shows the failure", () => shown.includes("1 failed"), 30_000);
  await one.stop();
  const watched = await watching;
  assert.equal(watched.code, 1);
  const frames = watched.screen.split("␛[H␛[2J").slice(1);
  assert(frames.length >= 2, watched.screen);
  assert.match(frames[0] ?? "", /^2 members at \d\d:\d\d:\d\d: 2 alive; Ctrl-C ends\n\none /);
  assert.match(frames.at(-1) ?? "", /: 1 alive, 1 failed; Ctrl-C ends\n/);
});

terminalTest("a terminal obeys nothing that came from another node, on either stream", async () => {
  const name = "evil\x1b[2J\nforged";
  await using agent = startFakeAgent(HOST, ({ command, answer }) => {
    if (command === "join") answer(name, JoinResponse, { Num: 0 });
    if (command === "members-filtered") {
      answer("", MembersResponse, { Members: [member({ Name: name })] });
    }
    return command !== "handshake";
  });
  const env = { SERF_RPC_ADDR: agent.address, NO_COLOR: "1" };
  const line = String.raw`evil\x1b[2J\nforged  127.0.0.1:7946  alive  role=web`;
  assert.equal((await atTerminal(["members"], env)).screen.trim(), line);
  assert.equal(
    (await atTerminal(["join", "x"], env)).screen.replaceAll(ERASE, ""),
    "Error joining the cluster: evil\\x1b[2J\n  forged\n",
  );
  const flag = "-x\x1b[2J";
  assert.match((await atTerminal(["members", flag], env)).screen, /not defined: -x\\x1b\[2J\n/);
});

terminalTest("a terminal shows a byte that is no text as an escape", async () => {
  await using agent = await startAgent(throughShell(skein), {
    name: spelt("caf\udce9"),
    host: HOST,
    flags: ["-profile=local"],
  });
  const { screen } = await atTerminal(["members"], { SERF_RPC_ADDR: agent.rpc, NO_COLOR: "1" });
  assert.match(screen, /^caf\\xe9 {2}/);
});

terminalTest("a terminal is told that lines are waited for, a pipe is not", async () => {
  await using stage = serveTopics(HOST);
  const args = ["topic", "produce", `-topics-addr=${addressOf(stage)}`, "t"];
  const { code, screen } = await atTerminal(args, {});
  assert.equal(code, 0);
  assert.match(screen, /^Each line is a message, Ctrl-D ends\n/);
  assert.match(screen, /Produced 0 messages\n$/);
  const piped = await run(args, {});
  assert.deepEqual([piped.stdout, piped.stderr], ["Produced 0 messages\n", ""]);
});

terminalTest("a terminal is told what to do when no agent runs", async () => {
  const address = `${HOST}:${await freePort(HOST)}`;
  const { code, screen } = await atTerminal(["members"], { SERF_RPC_ADDR: address });
  assert.equal(code, 1);
  assert.match(
    screen,
    /^Error connecting to Serf agent: dial tcp \S+: connect: connection refused\nIs an agent running/,
  );
});
