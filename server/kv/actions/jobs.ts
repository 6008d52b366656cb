/**
 * The action that hands out jobs.
 *
 * @module
 */

import { textOfValue } from "../../../cluster/machine/kv/mod.ts";
import { dispatchCommand, type Failure } from "../../../cluster/machine/mod.ts";
import {
  type DispatchRequest,
  type JobText,
  MAX_JOB_PAYLOAD_BYTES,
  type Members,
  PAYLOAD_TOO_LARGE,
} from "../../../protocol/kv/mod.ts";
import type { Doing } from "../action.ts";

/** DISPATCH. */
export const dispatch: Doing = {
  kind: "several",
  make(request) {
    const job = jobOf(request);
    return "ok" in job ? job : { kind: "command", bytes: dispatchCommand(job), nodes: [] };
  },
};

/** The job in a request whose members are right, or what is wrong with it. */
export function jobOf(request: Members): JobText | Failure {
  const { capability, value = "", payload } = request as unknown as DispatchRequest;
  const text = textOfValue(payload);
  if (!(text instanceof Uint8Array)) return { ...text, field: "payload" };
  return text.length > MAX_JOB_PAYLOAD_BYTES
    ? PAYLOAD_TOO_LARGE
    : { capability, value, payload: text };
}
