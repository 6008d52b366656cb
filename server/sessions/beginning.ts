/**
 * What is told of a session when it begins, or goes on, on a connection.
 *
 * @module
 */

import type { SessionInfo } from "../../cluster/machine/mod.ts";
import { type Capability, EXTENSIONS, type SessionState } from "../../protocol/sessions/mod.ts";

/** Whether a client understands messages of type 32 and above. */
export function isExtended(capabilities: readonly Capability[]): boolean {
  return capabilities.some(([name, value]) => name === EXTENSIONS && value === "1");
}

/** A nonce as the state has it. */
export function nonceBytes(nonce: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, nonce);
  return bytes;
}

/** What there is of a session. */
export function stateOf(
  { floor, highest, firstPending, lastRequest }: SessionInfo,
  rest: Pick<SessionState, "timeoutMs" | "leader" | "term">,
): SessionState {
  return {
    kind: "sessionState",
    floor,
    highestRequestId: highest,
    lowestUnacked: firstPending,
    lastServerRequestId: lastRequest,
    ...rest,
  };
}
