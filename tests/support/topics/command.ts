/**
 * `skein topic` in this process.
 *
 * @module
 */

import { dispatch } from "../../../commands/dispatch.ts";
import { recordingTerminal } from "../recording_terminal.ts";
import type { TopicStage } from "./stage.ts";

/** Exit code, standard output and standard error. */
export type Outcome = [code: number, stdout: string, stderr: string];

/** Runs a command line. */
export async function run(...argv: string[]): Promise<Outcome> {
  const terminal = recordingTerminal();
  return [await dispatch(argv, terminal), terminal.stdout, terminal.stderr];
}

/** Runs actions of `topic` at an address. */
export function topicAt(address: string) {
  return (action: string, ...rest: string[]): Promise<Outcome> =>
    run("topic", action, `-topics-addr=${address}`, ...rest);
}

/** Where a stage serves. */
export function addressOf({ port: { address } }: TopicStage): string {
  return `${address.hostname}:${address.port}`;
}
