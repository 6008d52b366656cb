/**
 * One list of commands, run four times at once: HashiCorp's command line and skein's, each against HashiCorp's
 * agent and skein's. What `serf` prints against `serf` is what the other three must print.
 *
 * All that may differ stands in `normalised.ts`.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type AgentProcess,
  eventually,
  freePort,
  type Program,
  runCli,
  skein,
  startAgent,
} from "../agents.ts";
import { normalised } from "./normalised.ts";

/** Four loopback addresses, equal in length, so that columns line up in every run. */
export type Hosts = readonly [string, string, string, string];

/** A command, what it printed and how it ended. */
export interface Step {
  command: string;
  code: number;
  stdout: string[];
  stderr: string[];
}

/** One of the four runs. */
export interface Run {
  /** Where its agents live. */
  readonly host: string;
  /** The command line under test. */
  readonly cli: Program;
  /** The agent that the commands talk to: the first that was started. */
  readonly one: AgentProcess;
  /** Starts an agent with the timing profile `local`, of the kind under test or HashiCorp's. */
  start(kind: "tested" | "serf", name: string, flags?: readonly string[]): Promise<AgentProcess>;
  /** Runs a command against {@linkcode one} and records what it said. */
  $(...args: string[]): Promise<void>;
  /** Runs a command with HashiCorp's program, which is the judge in every run, and records nothing. */
  ask(...args: string[]): Promise<string>;
  /** Waits until `serf members` against {@linkcode one} matches `what`. */
  shown(what: RegExp): Promise<void>;
  /** Records something that is not the outcome of `$`. */
  record(step: Step): void;
}

/** Runs `script` in all four runs and asserts that they said the same, in at least `atLeast` steps. */
export async function sameFourTimes(
  serf: Program,
  hosts: Hosts,
  atLeast: number,
  script: (run: Run) => Promise<void>,
): Promise<void> {
  const ports: number[] = [];
  for (let i = 0; i < 6; i++) ports.push(await freePort(...hosts));
  const run = (i: 0 | 1 | 2 | 3, cli: Program, agent: Program) =>
    runSession({ host: hosts[i], ports, cli, agent, serf }, script);
  const [expected, goAgainstSkein, skeinAgainstGo, skeinAgainstSkein] = await Promise.all([
    run(0, serf, serf),
    run(1, serf, skein),
    run(2, skein, serf),
    run(3, skein, skein),
  ]);
  assert.ok(expected.length >= atLeast, `only ${expected.length} steps`);
  for (
    const [label, got] of [
      ["serf's command line against skein's agent", goAgainstSkein],
      ["skein's command line against serf's agent", skeinAgainstGo],
      ["skein's command line against skein's agent", skeinAgainstSkein],
    ] as const
  ) {
    assert.deepEqual(differences(expected, got), [], label);
  }
}

async function runSession(
  { host, ports, cli, agent, serf }: {
    host: string;
    ports: readonly number[];
    cli: Program;
    agent: Program;
    serf: Program;
  },
  script: (run: Run) => Promise<void>,
): Promise<Step[]> {
  const steps: Step[] = [];
  const agents: AgentProcess[] = [];
  await using cleanUp = new AsyncDisposableStack();
  const one = () => agents[0] ?? assert.fail("No agent has been started");
  const ask = async (...args: string[]) => (await runCli(serf, args, one().rpc)).stdout;
  await script({
    host,
    cli,
    get one() {
      return one();
    },
    start: async (kind, name, flags = []) => {
      const [bindPort = 0, rpcPort = 0] = ports.slice(agents.length * 2);
      const started = cleanUp.use(
        await startAgent(kind === "tested" ? agent : serf, {
          name,
          host,
          bindPort,
          rpcPort,
          flags: ["-profile=local", ...flags],
        }),
      );
      agents.push(started);
      return started;
    },
    $: async (...args) => {
      const { code, stdout, stderr } = await runCli(cli, args, one().rpc);
      steps.push({
        command: args.join(" ").replaceAll(host, "HOST"),
        code,
        stdout: normalised(args, stdout, host),
        stderr: normalised(args, stderr, host),
      });
    },
    ask,
    shown: async (what) => {
      await eventually(`members match ${what}\n${one().output()}`, async () => {
        return what.test(await ask("members"));
      }, 30_000);
    },
    record: (step) => steps.push(step),
  });
  return steps;
}

/** Lines that one run has and the other has not, under the command that printed them. */
function differences(expected: readonly Step[], got: readonly Step[]): string[] {
  const lines = (step: Step) => [
    `exit code ${step.code}`,
    ...step.stdout.map((line) => `stdout: ${line}`),
    ...step.stderr.map((line) => `stderr: ${line}`),
  ];
  const found: string[] = [];
  expected.forEach((step, i) => {
    const [want, have] = [lines(step), lines(got[i] ?? { ...step, code: -1 })];
    if (want.join("\n") === have.join("\n")) return;
    const missing = want.filter((line) => !have.includes(line)).map((line) => `  - ${line}`);
    const extra = have.filter((line) => !want.includes(line)).map((line) => `  + ${line}`);
    found.push(`$ ${step.command}`, ...missing, ...extra);
    if (missing.length + extra.length === 0) found.push("  other order, or other times", ...have);
  });
  return found;
}
