/**
 * The push that hands a job to a session, and what skill a job needs.
 *
 *     {"push":"job","job":7,"capability":"resize","value":"gpu","payload":{"image":3}}
 *
 * @module
 */

import { concatBytes } from "../bytes.ts";

/** Longest payload of a job, in bytes of its JSON text. */
export const MAX_JOB_PAYLOAD_BYTES: number = 256 * 1024;

/** What stands before the number of a job. */
export const JOB_HEAD: Uint8Array = new TextEncoder().encode('{"push":"job","job":');

const encoder = new TextEncoder();

/** What is to be done, and by whom. */
export interface JobText {
  /** The capability that a session needs. */
  readonly capability: string;
  /** The value that it needs; "": any. */
  readonly value: string;
  /** The JSON text of what is to be done. */
  readonly payload: Uint8Array;
}

/** The push as one text without the end of its line. */
export function jobPush(number: number, { capability, value, payload }: JobText): Uint8Array {
  const wanted = value === "" ? "" : `,"value":${JSON.stringify(value)}`;
  const head = `${number},"capability":${JSON.stringify(capability)}${wanted},"payload":`;
  return concatBytes([JOB_HEAD, encoder.encode(head), payload, encoder.encode("}")]);
}

/** Whether a push hands over a job. */
export function isJobPush(push: Uint8Array): boolean {
  return push.length > JOB_HEAD.length && JOB_HEAD.every((byte, i) => push[i] === byte);
}
