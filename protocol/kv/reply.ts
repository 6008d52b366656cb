/**
 * Answers and pushes as lines. They have few shapes, so they are put together from their parts and not from objects.
 *
 * @module
 */

import type { LineWriter } from "./line_writer.ts";
import { type Problem, textOfProblem } from "./problem.ts";
import type { RequestId } from "./request.ts";

const encoder = new TextEncoder();
const OK = encoder.encode('"status":"ok","result":');
const ERROR = encoder.encode('"status":"error","code":');
const START = encoder.encode("{");
const START_ID = encoder.encode('{"id":');
const COMMA = encoder.encode(",");
const REV = encoder.encode(',"rev":');
const TTL = encoder.encode(',"ttl_ms":');
const NEXT = encoder.encode(',"next":');
const LAG = encoder.encode(',"lag_ms":');
const END = encoder.encode("}\n");

/** Characters that stand for themselves in a text of JSON. */
const PLAIN = /^[\w .:/^$-]*$/;

/** What a failure says besides its {@linkcode Problem}. */
export interface FailureNotes {
  /** The agent that leads, if it is known. */
  readonly leader?: string | undefined;
  /** What the log of the agent names the fault by. */
  readonly incident?: string | undefined;
  /** How old the answer may be, in milliseconds. */
  readonly lagMs?: number | undefined;
}

/** Begins a success; the JSON text of the result is to follow, then {@linkcode endSuccess}. */
export function beginSuccess(writer: LineWriter, id: RequestId | undefined): void {
  writeStart(writer, id);
  writer.raw(OK);
}

/** Ends a success; `next` is where a listing is to be gone on with, `ttlMs` how long until what was found is due. */
export function endSuccess(
  writer: LineWriter,
  rev?: number,
  lagMs?: number,
  next?: string,
  ttlMs?: number,
): void {
  if (rev !== undefined) {
    writer.raw(REV);
    writer.text(String(rev));
  }
  if (ttlMs !== undefined) {
    writer.raw(TTL);
    writer.text(String(ttlMs));
  }
  if (next !== undefined) {
    writer.raw(NEXT);
    writer.text(quoted(next));
  }
  if (lagMs !== undefined) {
    writer.raw(LAG);
    writer.text(String(lagMs));
  }
  writer.raw(END);
}

/** Writes a failure. */
export function writeFailure(
  writer: LineWriter,
  id: RequestId | undefined,
  problem: Problem,
  { leader, incident, lagMs }: FailureNotes = {},
): void {
  const { code, reason, field, rev } = problem;
  writeStart(writer, id);
  writer.raw(ERROR);
  writer.text(String(code));
  writeMember(writer, "error", textOfProblem(problem));
  writeMember(writer, "reason", reason);
  if (field !== undefined) writeMember(writer, "field", field);
  if (leader !== undefined) writeMember(writer, "leader", leader);
  if (incident !== undefined) writeMember(writer, "incident", incident);
  endSuccess(writer, rev, lagMs);
}

/** Writes the push that tells why the connection is about to be closed. */
export function writeClosing(writer: LineWriter, problem: Problem): void {
  writePush(writer, "closing", problem);
}

/** Writes a push that tells what has ended, and why. */
export function writePush(
  writer: LineWriter,
  push: "closing" | "session",
  { code, reason }: Problem,
): void {
  writer.text(`{"push":"${push}","code":${code},"reason":"${reason}"}`);
  writer.end();
}

function writeStart(writer: LineWriter, id: RequestId | undefined): void {
  if (id === undefined) return writer.raw(START);
  writer.raw(START_ID);
  writer.text(typeof id === "number" ? String(id) : quoted(id));
  writer.raw(COMMA);
}

function writeMember(writer: LineWriter, name: string, value: string): void {
  writer.text(`,"${name}":`);
  writer.text(quoted(value));
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
