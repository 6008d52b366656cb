/**
 * `runAgent` in a test: what it printed, and a hand on its signals.
 *
 * @module
 */

import type { ConfigInput } from "../../../server/config/load.ts";
import { runAgent } from "../../../server/run/run.ts";
import type { AgentSignal, SignalSource } from "../../../server/run/signals.ts";
import { loopback } from "../loopback.ts";
import { until } from "../rpc/peer.ts";

/** Where the agents under test, and those that they meet, listen. */
export const HOST = loopback();

/** An agent under test: what it printed, a hand on its signals, and its end. */
export class Running {
  readonly exit: Promise<number>;
  readonly #printed: string[] = [];
  readonly #errors: string[] = [];
  #throw: (error: unknown) => void = () => {};
  readonly #listeners = new Map<AgentSignal, () => void>();

  constructor(flags: ConfigInput, configPaths: string[] = []) {
    const source: SignalSource = {
      add: (signal, listener) => void this.#listeners.set(signal, listener),
      remove: (signal) => void this.#listeners.delete(signal),
    };
    const defaults = {
      node_name: "t",
      bind: `${HOST}:0`,
      rpc_addr: `${HOST}:0`,
      profile: "local",
    };
    this.exit = runAgent({ configPaths, flags: { ...defaults, ...flags } }, {
      print: (text) => this.#printed.push(text),
      printError: (text) => this.#errors.push(text),
      signals: source,
      errors: {
        listen: (listener) => {
          this.#throw = listener;
          return () => void (this.#throw = () => {});
        },
      },
    });
  }

  /** All that was printed, log times and ports replaced. */
  get output(): string {
    return this.#printed.join("\n")
      .replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/g, "TIME")
      .replaceAll(new RegExp(`${HOST}:\\d+`, "g"), "ADDRESS");
  }

  /** What was printed on standard error. */
  get errors(): string {
    return this.#errors.join("\n");
  }

  /** The lines that were printed since the `from`th. */
  lines(from = 0): string[] {
    return this.#printed.slice(from);
  }

  /** The handled signals. */
  get handled(): AgentSignal[] {
    return [...this.#listeners.keys()];
  }

  /** The address after a label of the banner. */
  address(label: string): Deno.NetAddr {
    const [, hostname = "", port] =
      new RegExp(`${label}: '([^':]+):(\\d+)'`).exec(this.#printed.join("\n")) ?? [];
    return { transport: "tcp", hostname, port: Number(port) };
  }

  send(signal: AgentSignal): void {
    this.#listeners.get(signal)?.();
  }

  /** As if something of the process had thrown `error` and nobody had caught it. */
  throw(error: unknown): void {
    this.#throw(error);
  }

  /** Resolves when a line after the first `before` matches. */
  printedSince(before: number, pattern: RegExp): Promise<void> {
    return until(() => this.lines(before).some((line) => pattern.test(line)));
  }

  /** Resolves when `text` was printed. */
  printed(text: string): Promise<void> {
    return until(() => this.output.includes(text));
  }
}

/** The last line before the log. */
export const READY = "Log data will now stream in as it occurs:";
/** The first line of the log. */
export const GATE_OPEN = "Serf agent starting";

/** An agent whose log is shown. */
export async function ready(flags: ConfigInput = {}, paths: string[] = []): Promise<Running> {
  const running = new Running(flags, paths);
  await running.printed(GATE_OPEN);
  return running;
}
