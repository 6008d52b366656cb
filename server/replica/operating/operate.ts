/**
 * What operators have the server do that leads.
 *
 * @module
 */

import type { Replica } from "../driver/replica.ts";
import { tokenBytes } from "../verification/questions.ts";
import type { Operation, OperationOutcome } from "../wire_requests.ts";

/** Has a server do an operation as the leader. */
export async function operateHere(
  replica: Pick<Replica, "transfer" | "mark" | "change">,
  operation: Operation,
): Promise<OperationOutcome> {
  switch (operation.kind) {
    case "transfer":
      return await replica.transfer(operation.target);
    case "mark":
      return await replica.mark(tokenBytes(operation.token));
    case "change":
      return await replica.change(operation.change, operation.expected);
  }
}
