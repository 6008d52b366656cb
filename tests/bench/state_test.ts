/**
 * `deno task bench:state` on its smallest scale: the figures are there and true, and nothing is left behind.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { EVERYBODY, type Row, score, stateTables, summarise } from "../../bench/state/figures.ts";
import { Ground } from "../../bench/state/ground.ts";
import { Load } from "../../bench/state/load.ts";
import type { StateResult } from "../../bench/state/result.ts";
import { eventually } from "../support/agents.ts";
import { judgedTest } from "../support/linearizability/judge.ts";
import { loopback } from "../support/loopback.ts";
import { oneServer } from "../support/sessions/server.ts";

const HOST = loopback();
const BENCH = join(import.meta.dirname ?? ".", "..", "..", "bench", "state.ts");

const PARTS = ["one", "watch", "publish", "sessions", "connections", "restart", "levers"];

judgedTest("a small run of skein alone fills every row and leaves nothing behind", async () => {
  await using folders = await makeFolders();
  const { dir, out } = folders;
  const { code, stdout, stderr } = await benchmark(dir, `--only=${PARTS}`, `--out=${out}`).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.match(new TextDecoder().decode(stdout), /### Requests, one server\n\n\| median/);
  const result: StateResult = JSON.parse(await Deno.readTextFile(join(out, "state.json")));
  assert.deepEqual(result.parts.map(({ name }) => name), PARTS);
  const rows = result.parts.flatMap(({ rows }) => rows);
  assert.ok(rows.length > 90);
  for (const { name, spreads: { skein } } of rows) {
    assert.ok(skein !== undefined, name);
    if (/refused|missing/.test(name)) assert.equal(skein.median, 0, name);
    // So little work may be none that is counted.
    else if (!/CPU|memory of a server more/.test(name)) assert.ok(skein.median > 0, name);
  }
  // What sessions are to reach, as far as nobody else has to be there for it.
  const sessions = result.parts[PARTS.indexOf("sessions")]!.rows;
  assert.equal(sessions.flatMap(({ verdicts }) => verdicts).length, 22);
  // Each optimisation beside what was before it.
  const levers = result.parts.at(-1)!.rows;
  assert.equal(levers.length, 6);
  for (const { name, spreads: { naive }, verdicts } of levers) {
    assert.ok(naive !== undefined && naive.median > 0, name);
    assert.ok(/^.+: .+ \/ .+$/.test(name), name);
    assert.ok(verdicts.every(({ over }) => over === "naive"), name);
  }
  assert.equal(levers.flatMap(({ verdicts }) => verdicts).length, 4);
  assert.equal(Object.keys(result.machine).length, 5);
  assert.match(result.machine["Disk"]!, /^\w+ on \S+; 128 bytes and fdatasync take \d+\.\d\d ms/);
  assert.ok(existsSync(join(out, "state.svg")));
  assert.deepEqual([...Deno.readDirSync(dir)], []);
});

judgedTest("a run that is interrupted ends its servers and removes their data", async () => {
  await using folders = await makeFolders();
  const { dir } = folders;
  const child = benchmark(dir, "--only=three").spawn();
  const over = Promise.all([child.status, child.stdout.cancel(), child.stderr.cancel()]);
  await eventually("three servers write", () => {
    const [ground] = [...Deno.readDirSync(dir)];
    if (ground === undefined) return false;
    const [servers] = [...Deno.readDirSync(join(dir, ground.name))]
      .filter(({ name }) => name.startsWith("skein-"));
    return servers !== undefined &&
      [0, 1, 2].every((i) =>
        existsSync(join(dir, ground.name, servers.name, `${i}`, "raft", "vote"))
      );
  }, 120_000);
  const servers = processesWith(dir);
  assert.equal(servers.filter((line) => line.includes("-server")).length, 3);
  child.kill("SIGINT");
  const [{ code }] = await over;
  assert.equal(code, 130);
  assert.deepEqual(processesWith(dir), []);
  assert.deepEqual([...Deno.readDirSync(dir)], []);
});

judgedTest(
  "the load program counts what servers answer, and fails with what they refuse",
  async () => {
    await using ground = await Ground.make();
    const load = await Load.build(ground);
    await using server = await startLines();
    const target = { kind: "lines", addresses: [server.address], pids: [Deno.pid] } as const;
    const flags = { time: "100ms", "warm-up": "20ms", clients: 2 };
    for (
      const [measure, each] of [
        ["set", 1],
        ["get", 1],
        ["stale", 1],
        ["batches", 64],
        ["rate", 1],
        ["set-pipelined", 1],
        ["get-pipelined", 1],
        ["stale-pipelined", 1],
      ] as const
    ) {
      const before = server.count();
      const found = await load.run(target, measure, { ...flags, rate: 1_000 });
      const ops = found["ops"]!;
      assert.ok(ops > 10 && ops % each === 0, `${measure}: ${ops}`);
      assert.ok(ops <= server.count() - before, `${measure}: ${ops} of ${server.count() - before}`);
      assert.ok(found["p50_us"]! > 0 && found["p99_us"]! >= found["p50_us"]!, measure);
      if (measure === "rate") assert.ok(ops <= 100, `${ops}`);
    }
    assert.equal((await load.run(target, "fill", { keys: 2_500 }))["ms"]! > 0, true);
    server.refuse('{"status":"error","code":503}');
    await assert.rejects(load.run(target, "set", flags), /set of lines: answer .*"code":503/);
    const nobody = { ...target, addresses: [`${HOST}:1`] };
    await assert.rejects(
      load.run(nobody, "await", { limit: "200ms" }),
      /not (?:done )?within 200ms/i,
    );
  },
);

judgedTest("the load program tells how many of those who listen have not heard", async () => {
  await using ground = await Ground.make();
  const load = await Load.build(ground);
  await using server = await startLines();
  const target = { kind: "lines", addresses: [server.address], pids: [Deno.pid] } as const;
  const flags = { time: "50ms", "warm-up": "0s", listeners: 3, burst: 7 };
  for (const measure of ["watch", "publish"]) {
    const found = await load.run(target, measure, flags);
    assert.equal(found["missing"], 0, measure);
    assert.ok(found["p50_us"]! > 0 && found["p99_us"]! >= found["p50_us"]!, measure);
    if (measure === "publish") {
      assert.ok(found["heard_s"]! > 0 && found["ops"]! % (3 * 7) === 0, `${found["ops"]}`);
    }
  }
  // A client that is told of losses has not heard what is lost.
  server.losePush(10);
  assert.equal((await load.run(target, "watch", flags))["missing"], 1);
  server.repeatPush(10);
  await assert.rejects(load.run(target, "watch", { ...flags, time: "1s" }), /heard too often/);
});

judgedTest("the load program opens clients that rest, and asks each of them again", async () => {
  await using ground = await Ground.make();
  const load = await Load.build(ground);
  await using server = await startLines();
  const target = { kind: "lines", addresses: [server.address], pids: [Deno.pid] } as const;
  const found = await load.run(target, "idle", { clients: 100, time: "10ms" });
  assert.ok(found["ms"]! > 0 && found["kib_each"] !== undefined);
  assert.equal(server.count(), 200);
});

judgedTest("the load program speaks the wire of sessions, and tells when one ends", async () => {
  await using ground = await Ground.make();
  const load = await Load.build(ground);
  await using server = await oneServer({
    raft: { electionTimeoutMs: 500, heartbeatMs: 50 },
    sessions: { timeoutMs: 5_000 },
  });
  const addresses = [server.agent.state!.addresses.sessionAddr!];
  const target = { kind: "sessions", addresses, pids: [Deno.pid] } as const;
  const flags = { time: "200ms", "warm-up": "20ms", depth: 64 };
  for (const measure of ["set", "get", "batches", "set-pipelined", "rate", "create", "continue"]) {
    const found = await load.run(target, measure, { ...flags, rate: 500 });
    assert.ok(found["ops"]! > 10, `${measure}: ${found["ops"]}`);
    assert.ok(found["p50_us"]! > 0 && found["p999_us"]! >= found["p50_us"]!, measure);
  }
  const beats = await load.run(target, "beats", { ...flags, clients: 20 });
  assert.ok(beats["made_ms"]! > 0 && beats["ops"]! > 0 && beats["failures"] === 0);
  const busy = await load.run(target, "sessions", { ...flags, clients: 20, rate: 200, time: "2s" });
  assert.ok(busy["ops"]! > 300 && busy["beat_p99_us"]! > 0, `${busy["ops"]}`);
  const idle = await load.run(target, "idle-sessions", { ...flags, clients: 50 });
  assert.ok(idle["growth_mib"] !== undefined && idle["cpu_pct"]! > 0);
  // Sessions that nobody hears of for so long are over.
  const late = load.run(target, "idle-sessions", { clients: 2, time: "8s" });
  await assert.rejects(late, /session closed, reason 5|EOF/);
});

Deno.test("goals are judged by medians, in the direction of the row", () => {
  const row = (name: string, more: boolean, goals: Row["goals"]): Row => ({
    name,
    unit: "us",
    more,
    goals,
  });
  const less = row("less", false, [{ over: "etcd", bound: 0.8 }, { over: "hraft", bound: 1 }, {
    bound: 70,
  }]);
  const more = row("more", true, [{ over: "redis", bound: 0.6 }]);
  const rows = summarise([
    ...[90, 80, 10].map((value) => ({ row: less, who: "skein" as const, value })),
    { row: less, who: "etcd", value: 100 },
    { row: more, who: "redis", value: 10 },
    { row: more, who: "skein", value: 5.9 },
  ]);
  assert.deepEqual(rows.map(({ verdicts }) => verdicts), [
    [{ over: "etcd", bound: 0.8, value: 0.8, met: true }, { bound: 70, value: 80, met: false }],
    [{ over: "redis", bound: 0.6, value: 0.59, met: false }],
  ]);
  const parts = [{ name: "p", title: "Part", rows }];
  assert.deepEqual(score(parts), { goals: 3, met: 1 });
  const [, , head, , first] = stateTables(parts).split("\n");
  assert.deepEqual(cells(head!), [
    "median (least to most)",
    ...EVERYBODY.slice(0, 3),
    "goal",
    "skein is",
    "met",
  ]);
  assert.deepEqual(cells(first!), [
    "less, us",
    "80 (10 to 90)",
    "100",
    "",
    "at most 0.8x etcd; at most 70",
    "0.8x; 80",
    "yes; **no**",
  ]);
});

function cells(line: string): string[] {
  return line.split("|").slice(1, -1).map((cell) => cell.trim());
}

function benchmark(dir: string, ...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", BENCH, "--quick", "--peers=skein", `--dir=${dir}`, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** A folder for data and one for results. */
async function makeFolders(): Promise<{ dir: string; out: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "bench_state_" });
  const [dir, out] = [join(folder, "dir"), join(folder, "out")];
  await Deno.mkdir(dir);
  return {
    dir,
    out,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Command lines that name a folder, without that of the benchmark itself. */
function processesWith(folder: string): string[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      const line = Deno.readTextFileSync(`/proc/${Number(name)}/cmdline`).replaceAll("\0", " ");
      return line.includes(folder) && !line.includes("--quick") ? [line] : [];
    } catch {
      return [];
    }
  });
}

/** A server that answers every line alike, and leads. */
async function startLines(): Promise<
  & {
    address: string;
    count(): number;
    refuse(answer: string, times?: number): void;
    /** Instead of the push after so many, the client is told that it is missing. */
    losePush(after: number): void;
    /** The push after so many comes twice. */
    repeatPush(after: number): void;
  }
  & AsyncDisposable
> {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const answer = '{"status":"ok","result":{"node":"a","leader":"a"}}';
  let refusal: string | undefined;
  let refusals = 0;
  let count = 0;
  let pushes = -Infinity;
  let odd: readonly string[] = [];
  const listeners: ((text: string) => Promise<void>)[] = [];
  const push = async (line: string): Promise<void> => {
    const kind = line.includes('"SET"') ? "change" : "message";
    for (const tell of listeners) {
      const kinds = ++pushes === 0 ? odd : [kind];
      await tell(kinds.map((one) => `{"push":"${one}","value":1}\n`).join(""));
    }
  };
  const serve = async (connection: Deno.TcpConn): Promise<void> => {
    const writer = connection.writable.getWriter();
    const write = (text: string): Promise<void> => writer.write(new TextEncoder().encode(text));
    let rest = "";
    try {
      for await (const text of connection.readable.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        count += lines.length;
        const answers = lines.map((line) =>
          refusal === undefined || line.includes("HELLO") || refusals-- <= 0 ? answer : refusal
        );
        await write(answers.map((one) => `${one}\n`).join(""));
        if (lines.some((line) => /WATCH|SUBSCRIBE/.test(line))) listeners.push(write);
        if (listeners.length === 0) continue;
        for (const line of lines) if (/"SET"|PUBLISH/.test(line)) await push(line);
      }
    } catch { /* The client is gone. */ }
    const at = listeners.indexOf(write);
    if (at >= 0) listeners.splice(at, 1);
    await writer.close().catch(() => {});
  };
  const open: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) open.push(serve(connection));
  })();
  return await Promise.resolve({
    address: `${HOST}:${listener.addr.port}`,
    count: () => count,
    refuse: (text, times = Infinity) => [refusal, refusals] = [text, times],
    losePush: (after) => [pushes, odd] = [-after, ["dropped"]],
    repeatPush: (after) => [pushes, odd] = [-after, ["change", "change"]],
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting.catch(() => {});
      await Promise.all(open);
    },
  });
}
