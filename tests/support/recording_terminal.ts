/**
 * A terminal that remembers what was printed.
 *
 * @module
 */

import type { ScreenSize, Terminal } from "../../commands/shell/terminal.ts";

/** A terminal whose output can be read back. */
export interface RecordingTerminal extends Terminal {
  /** What went to standard output. */
  readonly stdout: string;
  /** What went to standard error. */
  readonly stderr: string;
  /** What {@linkcode Terminal.status} showed, one after the other; empty when it was taken away. */
  readonly statuses: readonly string[];
}

/** What the terminal claims to be. */
export interface RecordingOptions {
  /** Whether standard error is a terminal. Default false. */
  readonly interactive?: boolean;
  /** Whether nobody reads standard output. Default false. */
  readonly broken?: boolean;
  /** The size of the screen. Default: standard output is not one. */
  readonly screen?: ScreenSize;
}

/** Makes an empty terminal without colours. */
export function recordingTerminal(options: RecordingOptions = {}): RecordingTerminal {
  let stdout = "";
  let stderr = "";
  const statuses: string[] = [];
  return {
    color: false,
    broken: options.broken ?? false,
    problem: undefined,
    interactive: options.interactive ?? false,
    screen: options.screen,
    statuses,
    out(text) {
      stdout += (typeof text === "string" ? text : new TextDecoder().decode(text)) + "\n";
      return Promise.resolve();
    },
    err: (text) => Promise.resolve(void (stderr += text + "\n")),
    status: (text) => void (options.interactive && statuses.push(text ?? "")),
    redraw: (text) => Promise.resolve(void (stdout += `<screen>\n${text}\n`)),
    flush: () => Promise.resolve(),
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
  };
}
