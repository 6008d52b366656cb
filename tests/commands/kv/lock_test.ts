/**
 * `skein kv lock`, with a port of its own and commands that are real processes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { NO_LEADER } from "../../../server/replica/service.ts";
import { eventually, skein } from "../../support/agents.ts";
import { serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

/** Runs `skein kv lock` at a stage, and shows exit code, standard output and standard error. */
async function lock({ port }: Stage, ...rest: string[]): Promise<[number, string, string]> {
  const terminal = recordingTerminal();
  const { hostname, port: number } = port.address;
  const argv = ["kv", "lock", `-kv-addr=${hostname}:${number}`, ...rest];
  return [await dispatch(argv, terminal), terminal.stdout, terminal.stderr];
}

/** What the state has at a key. */
async function valueAt(stage: Stage, key: string): Promise<unknown> {
  using client = await stage.client();
  return (await client.ask({ action: "GET", key }))["result"];
}

/** A folder for what commands write. */
async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "skein-lock-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Whether a file is there. */
async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** A shell that runs until the file is gone that it has made. */
const WAITING = 'touch "$0"; while test -e "$0"; do sleep 0.02; done';

Deno.test("a command runs while the lock is held, with the number of the lock", async () => {
  await using stage = serve(HOST);
  await using files = await folder();
  const out = `${files.path}/out`;
  const tell = 'echo "$SKEIN_LOCK_FENCE" >> "$0"; exit "$1"';
  assert.deepEqual(await lock(stage, "l", "--", "sh", "-c", tell, out, "3"), [3, "", ""]);
  assert.deepEqual(await lock(stage, "l", "sh", "-c", tell, out, "0"), [0, "", ""]);
  const [first, second, ...rest] = (await Deno.readTextFile(out)).split("\n").map(Number);
  assert.ok(first as number > 0 && second as number > (first as number) && rest.length === 1);
  assert.equal(await valueAt(stage, "l"), undefined);

  const other = ["-fence-env=N", "-namespace=app", "l", "--", "sh", "-c", 'echo "$N" > "$0"', out];
  assert.deepEqual(await lock(stage, ...other), [0, "", ""]);
  assert.ok(Number(await Deno.readTextFile(out)) > (second as number));
});

Deno.test("one command at a time has the lock, and who does not wait gets 124", async () => {
  await using stage = serve(HOST);
  await using files = await folder();
  const running = `${files.path}/running`;
  const first = lock(stage, "-namespace=app", "l", "--", "sh", "-c", WAITING, running);
  await eventually("the command runs", () => isThere(running));
  const { name } = await valueAt(stage, "^app^l") as { readonly name: string };
  assert.equal(name, `skein kv lock ${Deno.pid}`);
  const [code, , text] = await lock(stage, "-wait=0s", "^app^l", "--", "true");
  assert.equal(code, 124);
  assert.match(
    text,
    /^Error: Lock '\^app\^l' was not to be had within 0 ms, held with the number 1\n$/,
  );
  const second = lock(stage, "app^l", "--", "true");
  await Deno.remove(running);
  assert.deepEqual(await first, [0, "", ""]);
  assert.deepEqual(await second, [0, "", ""]);
});

Deno.test("what cannot be run is told, and the lock is free again", async () => {
  await using stage = serve(HOST);
  const [code, , text] = await lock(stage, "l", "--", "/no/such/program");
  assert.equal(code, 127);
  assert.match(text, /^Error running '\/no\/such\/program': /);
  assert.equal((await lock(stage, "l", "--", "/"))[0], 126);
  assert.deepEqual(await lock(stage, "l"), [1, "A key and a command must be specified\n", ""]);
  assert.deepEqual(await lock(stage, "l", "--"), [
    1,
    "",
    "A command must be specified after '--'\n",
  ]);
  const [, , grace] = await lock(stage, "-ttl=2s", "-grace=1100ms", "l", "--", "true");
  assert.equal(grace, "-grace is at most half of -ttl: 1s\n");
  const [, , ttl] = await lock(stage, "-ttl=1ms", "l", "--", "true");
  assert.match(ttl, /-ttl: expected a time from 100ms to 24h0m0s, such as 5s\n/);
  assert.deepEqual(await lock(stage, "a^^b", "--", "true"), [
    1,
    "",
    "Error: 'key': not a key\n",
  ]);
  assert.equal(await valueAt(stage, "l"), undefined);
});

Deno.test("a command whose lock cannot be kept is told to end in time, and killed otherwise", async () => {
  for (const [trapped, ended] of [["exit 0", 1], ["exit 7", 7], ["", 137]] as const) {
    await using stage = serve(HOST);
    await using files = await folder();
    const running = `${files.path}/running`;
    const script = `trap '${trapped}' TERM; ${WAITING}`;
    const done = lock(stage, "-ttl=1s", "-grace=400ms", "l", "--", "sh", "-c", script, running);
    await eventually("the command runs", () => isThere(running));
    stage.state.failure = NO_LEADER;
    const [code, , text] = await done;
    assert.equal(code, ended, text);
    assert.match(text, /^Lock 'l' is not renewed: 'sh' is told to end\n/);
    assert.match(
      text,
      /\nThe lock could not be given back: it is free when its lease has ended\n$/,
    );
  }
});

Deno.test("a command whose lock was deleted is told to end", async () => {
  await using stage = serve(HOST);
  await using files = await folder();
  const running = `${files.path}/running`;
  const done = lock(stage, "-ttl=600ms", "l", "--", "sh", "-c", WAITING, running);
  await eventually("the command runs", () => isThere(running));
  using client = await stage.client();
  await client.ask({ action: "DEL", key: "l" });
  const gone = "Lock 'l' is gone: its key was deleted or set anew, or has expired";
  assert.deepEqual(await done, [143, "", `${gone}: 'sh' is told to end\n`]);
});

Deno.test("SIGTERM is passed on, or ends the wait", async () => {
  await using stage = serve(HOST);
  await using files = await folder();
  const running = `${files.path}/running`;
  const { hostname, port } = stage.port.address;
  const [program = "", ...own] = skein.command;
  const start = (...args: string[]) =>
    new Deno.Command(program, {
      args: [...own, "kv", "lock", `-kv-addr=${hostname}:${port}`, "l", "--", ...args],
      stdin: "null",
    }).spawn();
  const first = start("sh", "-c", `trap 'rm "$0"; exit 7' TERM; ${WAITING}`, running);
  await eventually("the command runs", () => isThere(running));
  const second = start("touch", `${running}2`);
  await eventually("another one waits", () => stage.state.watches.figures.watches === 1);
  second.kill("SIGTERM");
  assert.equal((await second.status).code, 143);
  first.kill("SIGTERM");
  assert.equal((await first.status).code, 7);
  assert.equal(await isThere(`${running}2`), false);
  assert.equal(await valueAt(stage, "l"), undefined);
});
