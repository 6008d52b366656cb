/**
 * The end of a client's session.
 *
 * @module
 */

import { rejectCalls } from "./calls.ts";
import { CLOSE } from "../../../protocol/sessions/mod.ts";
import { ConnectionClosedError } from "../../net/errors.ts";
import { tell, type Turn } from "./state.ts";

/** Ends it, with `error` unless the program wanted that; the server is told by `farewell`. What waits is rejected. */
export function finish(
  turn: Turn,
  error: Error | undefined,
  farewell?: "closeSession" | "connectionClosed",
): void {
  const { state, effects } = turn;
  if (state.isOver) return;
  if (farewell !== undefined && state.phase === "connected") {
    const message = farewell === "closeSession"
      ? { kind: farewell, reason: CLOSE.clientShutdown }
      : { kind: farewell };
    effects.push({ type: "send", message, again: false });
  }
  state.isOver = true;
  state.phase = "disconnected";
  state.end = error ??
    new ConnectionClosedError({ cause: new Error("Client was closed by this program") });
  effects.push({ type: "hang-up" });
  rejectCalls(turn, state.end, true);
  tell(turn, { name: "disconnected", detail: { reason: error } });
  effects.push({ type: "end", error });
}
