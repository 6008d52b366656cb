import assert from "node:assert/strict";
import { decodeUtf8 } from "../../../protocol/text.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { type ScriptOptions, ScriptRun } from "../../../server/scripts/script_run.ts";
import { eventually } from "../../support/agents.ts";

const run = (script: string, options: Partial<ScriptOptions> = {}): ScriptRun =>
  new ScriptRun(script, {
    env: Deno.env.toObject(),
    input: new Uint8Array(0),
    timeoutMs: 0,
    log: new AgentLog("t"),
    ...options,
  });
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Whether a process with this id lives; one that only waits to be reaped does not. */
async function lives(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+Z/m.test(await Deno.readTextFile(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (await lives(pid)) {
    assert.ok(performance.now() < deadline, `process ${pid} still lives`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a script's output comes in the order in which it was printed", async () => {
  const script = "for i in 1 2 3; do echo out$i; echo err$i >&2; done";
  const { output, written, problem, lingered } = await run(script).finished;
  assert.equal(textOf(output), "out1\nerr1\nout2\nerr2\nout3\nerr3\n");
  assert.deepEqual({ written, problem, lingered }, {
    written: 30,
    problem: undefined,
    lingered: false,
  });
});

Deno.test("a script reads its input and has the environment that it was given", async () => {
  const input = new Uint8Array(300_000).fill(0x61);
  const env = { PATH: Deno.env.get("PATH") ?? "", GREETING: 'it\'s "odd" $HOME\n' };
  const result = await run('wc -c; printf %s "$GREETING"; env | wc -l', { input, env }).finished;
  assert.match(textOf(result.output), /^300000\nit's "odd" \$HOME\n[345]\n$/);
});

Deno.test("a script has variables, and is itself, of any bytes", async () => {
  const text = decodeUtf8(Uint8Array.from({ length: 255 }, (_, i) => i + 1));
  const values = { SERF_A: text, SERF_B: "100% '\udce9'\n\n", SERF_C: "\udcff" };
  const env = { PATH: Deno.env.get("PATH") ?? "", ...values };
  const script = 'printf "%s|" "$SERF_A" "$SERF_B" "$SERF_C" "it\'s caf\udce9 $((1 + 1))"';
  const { output, problem } = await run(script, { env }).finished;
  assert.equal(problem, undefined);
  assert.equal(decodeUtf8(output), [...Object.values(values), "it's caf\udce9 2", ""].join("|"));
});

Deno.test("a script that ends badly says how, as Go does", async () => {
  const problemOf = async (script: string) => (await run(script).finished).problem;
  assert.equal(await problemOf("exit 3"), "exit status 3");
  assert.equal(await problemOf("no-such-command-4711"), "exit status 127");
  assert.equal(await problemOf("kill -TERM $$"), "signal: terminated");
  assert.equal(await problemOf("kill -KILL $$"), "signal: killed");
  assert.equal(await problemOf("kill -USR1 $$"), "signal: SIGUSR1");
});

Deno.test("a script need not read what it is given", async () => {
  const input = new Uint8Array(1 << 20);
  assert.equal((await run("exit 0", { input }).finished).problem, undefined);
  const unread = run("exec 3<&0; sleep 60 <&3 >/dev/null 2>&1 & echo $!", { input });
  const { output, problem, lingered } = await unread.finished;
  assert.deepEqual({ problem, lingered }, { problem: undefined, lingered: false });
  Deno.kill(Number(textOf(output)), "SIGKILL");
});

Deno.test("of a flood the last 8192 bytes are kept, and reading it leaves the agent time", async () => {
  const script = "head -c 3000000 /dev/zero | tr '\\0' x; printf end";
  let turns = 0;
  const counter = setInterval(() => turns++, 5);
  const { output, written } = await run(script).finished;
  clearInterval(counter);
  assert.equal(written, 3_000_003);
  assert.equal(output.length, 8_192);
  assert.ok(textOf(output).endsWith("xend"));
  assert.ok(turns > 10, `${turns} turns of a 5 ms timer`);
});

Deno.test("a script whose time is over ends with all its processes", async () => {
  const polite = run("sleep 60 & echo $!; wait", { timeoutMs: 300 });
  const { output, problem } = await polite.finished;
  assert.equal(problem, "no end within 300ms, killed");
  await gone(Number(textOf(output)));
});

Deno.test("what a script leaves behind is not waited for, lives on and can print for a while", async () => {
  const dir = await Deno.makeTempDir();
  const script = `(sleep 0.4; echo late; echo lives > ${dir}/file; exec sleep 60) & echo $!`;
  const started = performance.now();
  const left = run(script);
  const { lingered, output, problem } = await left.finished;
  const elapsed = performance.now() - started;
  assert.ok(elapsed < 2_000, `${elapsed} ms`);
  assert.deepEqual([lingered, problem], [true, undefined]);
  const pid = Number(textOf(output));
  await eventually("its line", () => Deno.readTextFileSync(`${dir}/file`) === "lives\n");
  left.stop(60_000);
  await left.released;
  assert.ok(await lives(pid), "what is let go lives on");
  Deno.kill(pid, "SIGKILL");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("of what a script leaves behind the output is held for five seconds, its time limit is over", async () => {
  const started = performance.now();
  const left = run("sleep 60 & echo $!", { timeoutMs: 1_000 });
  const pid = Number(textOf((await left.finished).output));
  await left.released;
  const elapsed = performance.now() - started;
  assert.ok(elapsed >= 5_000 && elapsed < 20_000, `${elapsed} ms`);
  assert.ok(await lives(pid), "the time limit is the script's");
  Deno.kill(pid, "SIGKILL");
});

Deno.test("a program that is always busy still gets all that a script has printed", async () => {
  const busy = setInterval(() => {
    const until = performance.now() + 150;
    while (performance.now() < until);
  });
  const left = run("sleep 60 & echo $!; head -c 200000 /dev/zero | tr '\\0' x; echo $!");
  const { output, written } = await left.finished;
  clearInterval(busy);
  left.stop(0);
  await left.released;
  const pid = textOf(output).replaceAll("x", "");
  assert.equal(written, 200_000 + 2 * pid.length);
  Deno.kill(Number(pid), "SIGKILL");
});

Deno.test("a script that is deaf to the end of its time is killed with what it left behind", async () => {
  const deaf = run("trap '' TERM; sleep 60 & echo $!; wait; sleep 60", { timeoutMs: 200 });
  const heir = run("(trap '' TERM; exec sleep 60) & echo $!; sleep 60", { timeoutMs: 200 });
  for (const { finished, released } of [deaf, heir]) {
    const { output, problem } = await finished;
    assert.equal(problem, "no end within 200ms, killed");
    await released;
    await gone(Number(textOf(output)));
  }
});

Deno.test("a stopped script may end by itself, or is killed", async () => {
  const quick = run("sleep 0.1; echo done");
  quick.stop(5_000);
  assert.equal((await quick.finished).problem, undefined);
  const endless = run("sleep 60 & echo $!; wait");
  endless.stop(200);
  const { output, problem } = await endless.finished;
  assert.equal(problem, "the agent ends, killed");
  await gone(Number(textOf(output)));
});

Deno.test("what the system refuses to start is a problem, no exception later on", async () => {
  const env = { TOO_LONG: "x".repeat(200_000) };
  assert.match((await run("true", { env }).finished).problem ?? "", /Argument list too long/);
});
