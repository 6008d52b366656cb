/**
 * Does what operators ask the leader for.
 *
 * @module
 */

import type { Replica } from "./driver/replica.ts";
import { tokenBytes } from "./verification/questions.ts";
import type { Operation, OperationOutcome } from "./wire_requests.ts";

/** Does an operation at a server, which leads or says that it does not. */
export async function carryOut(replica: Replica, operation: Operation): Promise<OperationOutcome> {
  switch (operation.kind) {
    case "transfer":
      return await replica.transfer(operation.target);
    case "mark":
      return await replica.mark(tokenBytes(operation.token));
    case "change":
      return await replica.change(operation.change, operation.expected);
  }
}
