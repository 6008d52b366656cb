/**
 * Starts real agents as child processes and runs command lines against them: HashiCorp's `serf` and skein's
 * `cli.ts` behind one interface, so that a test reads the same whichever it talks to.
 *
 * Every agent binds to a loopback address and ports of its own, is waited for until its RPC port answers a
 * handshake, and is ended when its `await using` scope ends.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { join } from "node:path";

/** A program that speaks Serf's protocols and takes Serf's command line. */
export interface Program {
  /** For messages: `serf 0.8.2-dev`, `skein`. */
  readonly label: string;
  /** What is put before a command and its flags. */
  readonly command: readonly string[];
  /** How long a start until the first answer may take, in milliseconds. */
  readonly startLimitMs: number;
}

/** What {@linkcode startAgent} needs to know. */
export interface AgentOptions {
  /** Node name. */
  name: string;
  /** Loopback address for gossip and RPC. A test file that runs beside others takes one of its own. */
  host: string;
  /** Gossip port, TCP and UDP. Default: a free one. */
  bindPort?: number;
  /** RPC port. Default: a free one. */
  rpcPort?: number;
  /** More flags of `agent`. */
  flags?: readonly string[];
  /** Variables that are other than here. */
  env?: Readonly<Record<string, string>>;
}

/** A running agent process. */
export interface AgentProcess extends AsyncDisposable {
  /** Node name. */
  readonly name: string;
  /** Which program it is. */
  readonly program: Program;
  /** `ip:port` for gossip: what others join. */
  readonly gossip: string;
  /** `ip:port` for RPC: what command lines and clients connect to. */
  readonly rpc: string;
  /** Process id. */
  readonly pid: number;
  /** Milliseconds from spawn to the answered handshake. */
  readonly readyMs: number;
  /** Everything it has printed, both streams in arrival order. */
  output(): string;
  /** Sends a signal; does nothing once it has exited. */
  kill(signal: Deno.Signal): void;
  /** The exit code, once it has exited and its output has been read. A death by signal is 128 + number. */
  readonly exited: Promise<number>;
  /** Ends it with SIGKILL unless it has exited, and waits. Safe to call more than once. */
  stop(): Promise<void>;
}

/** What a command line did. */
export interface CliResult {
  /** Exit code; 128 + number for a death by signal. */
  code: number;
  /** Standard output. */
  stdout: string;
  /** Standard error. */
  stderr: string;
}

/** skein as a user starts it from a checkout. */
export const skein: Program = {
  label: "skein",
  command: [Deno.execPath(), "run", "-A", join(import.meta.dirname ?? ".", "..", "..", "cli.ts")],
  startLimitMs: 20_000,
};

/**
 * HashiCorp's agent: `SKEIN_SERF`, else Debian's /usr/bin/serf, else the first `serf` on PATH; `undefined` when
 * this machine has none.
 */
export const serf: Program | undefined = goProgram(
  env("SKEIN_SERF") ??
    ["/usr/bin", ...(env("PATH") ?? "").split(":")].map((folder) => join(folder, "serf")).find(
      isFile,
    ),
);

/**
 * HashiCorp's newest agent: `SKEIN_SERF_NEW`, else what `go install` left in GOBIN, GOPATH/bin or ~/go/bin;
 * `undefined` when there is none besides {@linkcode serf}.
 */
export const newestSerf: Program | undefined = goProgram(
  env("SKEIN_SERF_NEW") ??
    [env("GOBIN"), under(env("GOPATH"), "bin"), under(env("HOME"), "go/bin")]
      .map((folder) => under(folder, "serf"))
      .find((path) => path !== undefined && isFile(path) && path !== serf?.command[0]),
);

/** Starts HashiCorp's agent. Throws when this machine has none. */
export function startGoAgent(options: AgentOptions): Promise<AgentProcess> {
  return startAgent(needSerf(), options);
}

/** Starts skein's agent. */
export function startSkeinAgent(options: AgentOptions): Promise<AgentProcess> {
  return startAgent(skein, options);
}

/**
 * Starts an agent and waits until its RPC port answers a handshake.
 *
 * Throws, with all it printed, when it exits first or does not answer within the program's limit.
 */
export async function startAgent(program: Program, options: AgentOptions): Promise<AgentProcess> {
  const { name, host } = options;
  const gossip = `${host}:${options.bindPort ?? await freePort(host)}`;
  const rpcPort = options.rpcPort ?? await freePort(host);
  const rpc = `${host}:${rpcPort}`;
  const started = performance.now();
  const child = new Child(program, [
    "agent",
    `-node=${name}`,
    `-bind=${gossip}`,
    `-rpc-addr=${rpc}`,
    ...options.flags ?? [],
  ], { env: options.env });
  let exitCode: number | undefined;
  child.exited.then((code) => exitCode = code);
  const deadline = started + program.startLimitMs;
  while (!await handshakes(host, rpcPort, Math.max(1, deadline - performance.now()))) {
    if (exitCode !== undefined || performance.now() > deadline) {
      await child.stop();
      const what = exitCode === undefined ? "is not ready" : `exited with ${exitCode}`;
      throw new Error(`Agent '${name}' (${program.label}) ${what}:\n${child.output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return {
    name,
    program,
    gossip,
    rpc,
    pid: child.pid,
    readyMs: performance.now() - started,
    exited: child.exited,
    output: () => child.output(),
    kill: (signal) => child.kill(signal),
    stop: () => child.stop(),
    [Symbol.asyncDispose]: () => child.stop(),
  };
}

/**
 * Runs one command of `program` against the agent at `rpc` and collects what it prints.
 *
 * With `until`, the command is one that does not end by itself: it gets one SIGINT as soon as `until` holds for
 * its standard output. `limitMs` (default 20 s) ends it with SIGKILL.
 */
export async function runCli(
  program: Program,
  args: readonly string[],
  rpc: string,
  options: { until?: (stdout: string) => boolean; limitMs?: number } = {},
): Promise<CliResult> {
  const [command = "", ...rest] = args;
  let interrupted = false;
  const child = new Child(program, [command, `-rpc-addr=${rpc}`, ...rest], {
    onStdout: (stdout) => {
      if (interrupted || !options.until?.(stdout)) return;
      // Once: a second SIGINT ends skein's monitor without waiting for the agent.
      interrupted = true;
      child.kill("SIGINT");
    },
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), options.limitMs ?? 20_000);
  try {
    const code = await child.exited;
    return { code, stdout: child.stdout, stderr: child.stderr };
  } finally {
    clearTimeout(limit);
  }
}

/** {@linkcode runCli} with HashiCorp's program. */
export function runGoCli(args: readonly string[], rpc: string): Promise<CliResult> {
  return runCli(needSerf(), args, rpc);
}

/** {@linkcode runCli} with skein's. */
export function runSkeinCli(args: readonly string[], rpc: string): Promise<CliResult> {
  return runCli(skein, args, rpc);
}

/**
 * Waits until `probe` gives something other than `undefined` or `false`, and gives that.
 *
 * Asks every 20 ms. After `limitMs` it throws, saying `what` did not happen and what `probe` last threw;
 * errors before that count as not yet.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Not within ${limitMs} ms: ${what}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const given = new Set<string>();

/** A port that is free for TCP and UDP on every one of `hosts` and that this process has not given out before. */
export async function freePort(...hosts: [string, ...string[]]): Promise<number> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const listener = Deno.listen({ hostname: hosts[0], port: 0 });
    const { port } = listener.addr;
    listener.close();
    const keys = hosts.map((host) => `${host}:${port}`);
    if (keys.some((key) => given.has(key))) continue;
    const free = await Promise.all(
      hosts.map(async (host) => tcpIsFree(host, port) && await udpIsFree(host, port)),
    );
    if (free.includes(false)) continue;
    for (const key of keys) given.add(key);
    return port;
  }
  throw new Error(`No port of ${hosts.join(", ")} is free for both TCP and UDP`);
}

function tcpIsFree(host: string, port: number): boolean {
  try {
    Deno.listen({ hostname: host, port }).close();
    return true;
  } catch {
    return false;
  }
}

function udpIsFree(host: string, port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => {
    socket.once("error", () => socket.close(() => resolve(false)));
    socket.bind(port, host, () => socket.close(() => resolve(true)));
  });
}

/** A request for version 1 of the RPC: `{Command: "handshake", Seq: 0}{Version: 1}` (docs/spec/agent.md 1.1, 2). */
const HANDSHAKE = Uint8Array.from(
  [0x82, ...str("Command"), ...str("handshake"), ...str("Seq"), 0, 0x81, ...str("Version"), 1],
);

/** Whether the RPC server at `host:port` accepts a connection and answers a handshake within `limitMs`. */
async function handshakes(host: string, port: number, limitMs: number): Promise<boolean> {
  let connection: Deno.TcpConn;
  try {
    connection = await Deno.connect({ hostname: host, port });
  } catch {
    return false;
  }
  const limit = setTimeout(() => connection.close(), limitMs);
  try {
    await connection.write(HANDSHAKE);
    return await connection.read(new Uint8Array(64)) !== null;
  } catch {
    return false;
  } finally {
    clearTimeout(limit);
    try {
      connection.close();
    } catch { /* The limit closed it. */ }
  }
}

function str(text: string): number[] {
  return [0xa0 + text.length, ...new TextEncoder().encode(text)];
}

/** One child process whose output is kept. */
class Child {
  readonly pid: number;
  readonly exited: Promise<number>;
  stdout = "";
  stderr = "";
  #output = "";
  #process: Deno.ChildProcess;
  #gone = false;

  constructor(
    program: Program,
    args: readonly string[],
    { onStdout = () => {}, env = {} }: {
      readonly onStdout?: (all: string) => void;
      readonly env?: Readonly<Record<string, string>> | undefined;
    } = {},
  ) {
    const [executable = "", ...before] = program.command;
    const process = new Deno.Command(executable, {
      args: [...before, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", SERF_RPC_ADDR: "", SERF_RPC_AUTH: "", ...env },
    }).spawn();
    this.#process = process;
    this.pid = process.pid;
    const stdout = this.#collect(process.stdout, (text) => {
      this.stdout += text;
      onStdout(this.stdout);
    });
    const stderr = this.#collect(process.stderr, (text) => this.stderr += text);
    this.exited = (async () => {
      const { code } = await process.status;
      this.#gone = true;
      await Promise.all([stdout, stderr]);
      return code;
    })();
  }

  output(): string {
    return this.#output;
  }

  kill(signal: Deno.Signal): void {
    if (this.#gone) return;
    try {
      this.#process.kill(signal);
    } catch { /* It has just ended. */ }
  }

  async stop(): Promise<void> {
    this.kill("SIGCONT");
    this.kill("SIGKILL");
    await this.exited;
  }

  async #collect(stream: ReadableStream<Uint8Array>, keep: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true });
      this.#output += text;
      keep(text);
    }
  }
}

function goProgram(path: string | undefined): Program | undefined {
  if (path === undefined) return undefined;
  const { success, stdout } = new Deno.Command(path, { args: ["version"] }).outputSync();
  if (!success) throw new Error(`'${path} version' fails`);
  const version = new TextDecoder().decode(stdout).split("\n")[0];
  return { label: `serf ${version}`, command: [path], startLimitMs: 10_000 };
}

function needSerf(): Program {
  if (serf === undefined) throw new Error("This machine has no serf program");
  return serf;
}

function env(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}

function under(folder: string | undefined, name: string): string | undefined {
  return folder === undefined ? undefined : join(folder, name);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
