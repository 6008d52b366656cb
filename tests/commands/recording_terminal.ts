/**
 * A terminal that remembers what was printed.
 *
 * @module
 */

import type { Terminal } from "../../commands/terminal.ts";

/** A terminal whose output can be read back. */
export interface RecordingTerminal extends Terminal {
  /** What went to standard output. */
  readonly stdout: string;
  /** What went to standard error. */
  readonly stderr: string;
}

/** Makes an empty terminal without colours. */
export function recordingTerminal(): RecordingTerminal {
  let stdout = "";
  let stderr = "";
  return {
    color: false,
    broken: false,
    out: (text) => Promise.resolve(void (stdout += text + "\n")),
    err: (text) => Promise.resolve(void (stderr += text + "\n")),
    flush: () => Promise.resolve(),
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
  };
}
