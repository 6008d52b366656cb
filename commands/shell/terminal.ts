/**
 * Where a command prints.
 *
 * @module
 */

import { withoutControls } from "./format/foreign.ts";
import { LineWriter } from "./line_writer.ts";
import { StatusLine } from "./status_line.ts";

/** Standard output and standard error, a line at a time, and what decides how they look. */
export interface Terminal {
  /** Whether standard output shows colours: it is a terminal and `NO_COLOR` is not set. */
  readonly color: boolean;
  /** Whether the reader of standard output is gone. Lines written since then are dropped without an error. */
  readonly broken: boolean;
  /** Why something could not be written to standard output that somebody may wait for, such as a full disk. */
  readonly problem: string | undefined;
  /** Whether somebody may see {@linkcode Terminal.status}: standard error is a terminal that can erase a line. */
  readonly interactive: boolean;
  /** The size of the screen when standard output is one, in characters; it changes with the window. */
  readonly screen: ScreenSize | undefined;
  /**
   * Writes `text`, or the bytes of one, and a newline to standard output. Resolves, and never rejects, when it is
   * written or dropped.
   */
  out(text: string | Uint8Array): Promise<void>;
  /** Writes `text` and a newline to standard error, as {@linkcode Terminal.out}. */
  err(text: string): Promise<void>;
  /**
   * Shows how far a command is, on a line of its own below the output, instead of what was shown there before;
   * `undefined` takes it away. Does nothing unless the terminal is {@linkcode Terminal.interactive}.
   */
  status(text: string | undefined): void;
  /** Clears the screen and writes `text` and a newline to it, as {@linkcode Terminal.out}. */
  redraw(text: string): Promise<void>;
  /** Resolves when everything was written, or after `timeoutMs` milliseconds. */
  flush(timeoutMs: number): Promise<void>;
}

/** How much fits on a screen. */
export interface ScreenSize {
  /** Lines. */
  readonly rows: number;
  /** Characters in a line. */
  readonly columns: number;
}

/** ECMA-48: go to the start of the screen and erase it. */
const ERASE_SCREEN = "\x1b[H\x1b[2J";

/** The terminal, files or pipes that this process was started with. */
export function processTerminal(): Terminal {
  const stdout = new LineWriter(Deno.stdout);
  const stderr = new LineWriter(Deno.stderr);
  const line = new StatusLine(stderr, () => screenSize().columns);
  const onScreen = Deno.stdout.isTerminal();
  const interactive = Deno.stderr.isTerminal();
  const guarded = (text: string | Uint8Array) =>
    onScreen && typeof text === "string" ? withoutControls(text) : text;
  return {
    color: onScreen && !Deno.noColor,
    interactive,
    get broken() {
      return stdout.broken;
    },
    get problem() {
      return stdout.problem;
    },
    get screen() {
      return onScreen ? screenSize() : undefined;
    },
    out: (text) => line.around(() => stdout.write(guarded(text))),
    err: (text) => line.around(() => stderr.write(interactive ? withoutControls(text) : text)),
    status: (text) => interactive ? line.show(text) : undefined,
    redraw: (text) => line.around(() => stdout.write(ERASE_SCREEN + withoutControls(text))),
    async flush(timeoutMs) {
      line.show(undefined);
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, timeoutMs);
      await Promise.race([
        line.idle.then(() => Promise.all([stdout.idle, stderr.idle])),
        late.promise,
      ]);
      clearTimeout(timer);
    },
  };
}

/** What a terminal has that does not tell its size: that of the classic one. */
const CLASSIC_SIZE: ScreenSize = { rows: 24, columns: 80 };

function screenSize(): ScreenSize {
  try {
    const { rows, columns } = Deno.consoleSize();
    return rows > 0 && columns > 0 ? { rows, columns } : CLASSIC_SIZE;
  } catch {
    // Standard output is no terminal, or one that cannot tell.
    return CLASSIC_SIZE;
  }
}
