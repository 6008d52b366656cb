/**
 * docs/EVENT-HANDLERS.md: its scripts do what the page says, and its tables name what there is.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { formatDuration } from "../../protocol/duration.ts";
import { parseHandler } from "../../server/config/handler_spec.ts";
import { DEFAULT_AGENT_CONFIG } from "../../server/config/load.ts";
import { AgentLog } from "../../server/logging/log.ts";
import { QUEUE_LIMIT } from "../../server/scripts/event_handler.ts";
import { OUTPUT_LIMIT } from "../../server/scripts/output_tail.ts";
import { scriptVariables } from "../../server/scripts/script_input.ts";
import { ScriptRun } from "../../server/scripts/script_run.ts";
import { skein, startAgent } from "../support/agents.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

const page = await Deno.readTextFile(
  join(import.meta.dirname ?? ".", "../../docs/EVENT-HANDLERS.md"),
);

/** A folder with one of the page's scripts, in which /tmp is the folder itself. */
class Script implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "skein-docs-" });
  readonly #command: string;

  constructor(name: string, command: string) {
    const after = page.split(`\`${name}\`:\n\n\`\`\``)[1] ?? "";
    const text = /^\w+\n([\s\S]*?)```/.exec(after)?.[1];
    assert.ok(text !== undefined, `${name} is on the page`);
    Deno.writeTextFileSync(`${this.folder}/${name}`, text.replaceAll("/tmp/", `${this.folder}/`));
    Deno.chmodSync(`${this.folder}/${name}`, 0o755);
    this.#command = `cd '${this.folder}' && ${command}`;
  }

  async run(env: Record<string, string>, input: string): Promise<string> {
    const { output, problem } = await new ScriptRun(this.#command, {
      env: { ...Deno.env.toObject(), NO_COLOR: "1", SERF_SELF_NAME: "web-1", ...env },
      input: new TextEncoder().encode(input),
      log: new AgentLog("t"),
      timeoutMs: 60_000,
    }).finished;
    const text = new TextDecoder().decode(output);
    assert.equal(problem, undefined, text);
    return text;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function has(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test("the sh example keeps a file for each member", async () => {
  using script = new Script("members.sh", "./members.sh");
  const input =
    "web-2\t10.0.0.2\t\tdc=eu,note=a b\nweb-3\t10.0.0.3\tweb\trole=web\n../x\t10.0.0.4\t\t\n";
  assert.equal(await script.run({ SERF_EVENT: "member-join" }, input), "");
  const read = (name: string): string => Deno.readTextFileSync(`${script.folder}/members/${name}`);
  assert.equal(read("web-2"), "10.0.0.2 dc=eu,note=a b\n");
  assert.equal(read("web-3"), "10.0.0.3 role=web\n");
  await script.run({ SERF_EVENT: "member-failed" }, "web-2\t10.0.0.2\t\tdc=eu\n");
  const left = [...Deno.readDirSync(`${script.folder}/members`)].map(({ name }) => name);
  assert.deepEqual(left, ["web-3"]);
  assert.equal(Deno.readDirSync(script.folder)[Symbol.iterator]().toArray().length, 2);
});

Deno.test({
  name: "the Python example notes a version and tells it",
  ignore: !has("python3"),
  fn: async () => {
    using script = new Script("deploy.py", "./deploy.py");
    assert.equal(await script.run({ SERF_EVENT: "query" }, ""), "");
    assert.equal(await script.run({ SERF_EVENT: "user" }, "v2\n"), "");
    assert.equal(await script.run({ SERF_EVENT: "query" }, ""), "web-1 runs v2\n");
  },
});

Deno.test({
  name:
    "the commands below the Python example print what the page shows when they are pasted at once",
  ignore: !has("python3"),
  fn: async () => {
    using script = new Script("deploy.py", "./deploy.py");
    const { folder } = script;
    const [deno = "", ...args] = skein.command;
    const words = [deno, ...args].map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(`${folder}/skein`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
    await using agent = await startAgent(skein, {
      name: "web-1",
      host: HOST,
      flags: [`-event-handler=user:deploy,query:version=${folder}/deploy.py`],
    });
    const [, commands = "", shown = ""] =
      /^Then:\n\n```sh\n(skein event [\s\S]*?)```\n\n```text\n([\s\S]*?)```/m.exec(page) ?? [];
    const { stdout } = await new Deno.Command("sh", {
      args: ["-ec", commands.replaceAll("/tmp/", `${folder}/`)],
      env: { PATH: `${folder}:${Deno.env.get("PATH")}`, SERF_RPC_ADDR: agent.rpc, NO_COLOR: "1" },
      stdin: "null",
      signal: AbortSignal.timeout(30_000),
    }).output();
    const printed = new TextDecoder().decode(stdout);
    assert.equal(printed.replace(/^Event 'deploy' dispatched!.*\n/, ""), shown);
  },
});

Deno.test("the Deno example answers with JSON", async () => {
  const [, , command = ""] = /-event-handler='(query:facts)=(deno run [^']*)'/.exec(page) ?? [];
  const deno = command.replace(/^deno/, `'${Deno.execPath()}'`);
  using script = new Script("facts.ts", deno);
  const { node, asked, load, freeMiB } = JSON.parse(await script.run({}, "everything\n"));
  assert.deepEqual([node, asked, load.length, typeof freeMiB], [
    "web-1",
    "everything",
    3,
    "number",
  ]);
});

Deno.test("every handler on the page can be parsed", () => {
  const texts = [...page.matchAll(/-event-handler='([^']*)'/g)].map(([, text]) => text ?? "");
  const config = JSON.parse(/```json\n(\{\n {2}"event_handlers"[^`]*)```/.exec(page)?.[1] ?? "");
  const all = [...texts, ...config.event_handlers];
  assert.equal(all.length, 8);
  for (const text of all) assert.notEqual(parseHandler(text).script, text, text);
  assert.throws(() => parseHandler("FOO=1 run.sh"));
  assert.equal(parseHandler("*=FOO=1 run.sh").script, "FOO=1 run.sh");
});

Deno.test("the page names every variable and bound", () => {
  const self = { name: "a", tags: { name: "x" } };
  const event = { ltime: 1n, name: "n", payload: null };
  const query = { id: 1, sourceNode: "b", deadline: 0, respond: () => {} };
  const variables = [
    ...Object.keys(scriptVariables({ type: "user", coalesce: false, ...event }, self)),
    ...Object.keys(scriptVariables({ type: "query", ...query, ...event }, self)),
  ];
  for (const variable of variables) assert.ok(page.includes(`\`${variable}\``), variable);
  const row = (text: string): RegExp => new RegExp(`^\\|[^|]*\\|[^|]*${text} *\\|`, "m");
  assert.match(page, row(QUEUE_LIMIT.toLocaleString("en")));
  assert.match(page, row(`last ${OUTPUT_LIMIT.toLocaleString("en")} bytes`));
  const { eventHandlerTimeoutMs, eventHandlerConcurrency } = DEFAULT_AGENT_CONFIG;
  assert.equal(formatDuration(eventHandlerTimeoutMs), "1h0m0s");
  assert.match(page, row("`event_handler_timeout`, 1 h"));
  assert.match(page, row(`\`event_handler_concurrency\`, ${eventHandlerConcurrency}`));
});
