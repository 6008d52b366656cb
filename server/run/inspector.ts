/**
 * Deno takes SIGUSR1 as Node does: it starts a debugger on 127.0.0.1:9229, by which everyone on the machine could run code
 * as the agent. Nothing turns that off, so it is ended as soon as it is there.
 *
 * @module
 */

/** How long the debugger may take to start, in milliseconds. */
const START_LIMIT_MS = 1_000;

/** Pause between two looks, in milliseconds. */
const LOOK_MS = 5;

/** Ends the debugger that this signal starts, or says on standard error that it cannot. */
export async function closeInspector(): Promise<void> {
  try {
    const inspector = await import("node:inspector");
    for (let waited = 0; waited < START_LIMIT_MS; waited += LOOK_MS) {
      if (inspector.url() !== undefined) return inspector.close();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    console.error("Without --allow-sys the debugger that Deno opens on SIGUSR1 cannot be closed");
  }
}
