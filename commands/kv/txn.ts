/**
 * `skein kv txn`.
 *
 * @module
 */

import type { KvCondition, KvStep, KvTransaction, KvValue } from "../../client/mod.ts";
import { ttlOf } from "../../protocol/kv/actions/checks.ts";
import type { StepRequest } from "../../protocol/kv/actions/transaction.ts";
import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { input, parsed } from "./input.ts";
import { ask, namespaceOf, storeFlags } from "./store.ts";

/** Does several things at one moment, or none of them. */
export const command: Command = defineCommand({
  usage: "kv txn [options] [JSON]",
  description: [
    "Does several things at one moment, or none of them. JSON, by default what comes from standard " +
    'input, is as on the key-value port: {"if": [{"key": "a", "exists": false}], "then": ' +
    '[{"action": "SET", "key": "a", "value": 1, "ttl": 30}], "else": [{"action": "GET", "key": ' +
    '"a"}]}. A condition has one of rev, exists and value; an action is SET, GET, DEL, INCR, DECR, ' +
    "EXPIRE, PERSIST or TTL.",
    "Prints what came of each action as JSON, a line each. The exit code is 0 when all conditions " +
    "held, 2 when one did not, and 1 when it failed and nothing was done.",
  ],
  flags: storeFlags,
  arguments: { least: 0, most: 1, few: "At most one transaction can be specified" },
  async run({ values, args: [given = "-"], terminal }) {
    checkFormat(values.format);
    const text = given === "-" ? await input("transaction") : given;
    const transaction = transactionOf(parsed("transaction", text));
    const outcome = await ask(
      values,
      (client) => client.transaction(transaction, namespaceOf(values)),
    );
    await printResult(
      terminal,
      values.format,
      () => outcome.results.map((result) => JSON.stringify(result)).join("\n"),
      () => ({ ...outcome, results: outcome.results as GoJson }),
    );
    return outcome.succeeded ? 0 : 2;
  },
});

/** Names of the wire, and those of the client. */
const ACTIONS: Readonly<Record<string, KvStep["action"]>> = {
  SET: "set",
  GET: "get",
  DEL: "delete",
  INCR: "increment",
  DECR: "increment",
  EXPIRE: "expire",
  PERSIST: "persist",
  TTL: "ttl",
};

type Members = Readonly<Record<string, KvValue>>;

/** What was written, as the client takes it. */
function transactionOf(written: KvValue): KvTransaction {
  const { if: conditions, then, else: otherwise } = membersIn(
    "transaction",
    written,
    ["if", "then", "else"],
  );
  return {
    if: listOf("if", conditions).map((one) =>
      membersIn("if", one, ["key", "rev", "exists", "value"]) as unknown as KvCondition
    ),
    then: listOf("then", then).map((step) => stepOf("then", step)),
    else: listOf("else", otherwise).map((step) => stepOf("else", step)),
  };
}

function stepOf(part: string, written: KvValue): KvStep {
  const { action, ttl, ttl_ms, keep_ttl, if_rev, by, ...rest } = membersIn(part, written, [
    ...["action", "key", "value", "nx", "xx", "if_rev", "get", "by"],
    ...["ttl", "ttl_ms", "keep_ttl"],
  ]);
  const name = typeof action === "string" ? action.toUpperCase() : "";
  const method = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (method === undefined) {
    const known = Object.keys(ACTIONS).join(", ");
    throw refusal(
      `Unknown action ${JSON.stringify(action)} in '${part}', expected one of ${known}`,
    );
  }
  const ttlMs = ttlOf({ ttl, ttl_ms } as Pick<StepRequest, string>);
  const sign = name === "DECR" ? -1 : 1;
  return {
    ...rest,
    action: method,
    ...(name === "DECR" || by !== undefined) && { by: sign * Number(by ?? 1) },
    ...ttlMs !== undefined && { ttlMs },
    ...keep_ttl !== undefined && { keepTtl: keep_ttl },
    ...if_rev !== undefined && { ifRev: if_rev },
  } as unknown as KvStep;
}

/** The members of an object that has no others than these. */
function membersIn(what: string, value: KvValue | undefined, known: readonly string[]): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refusal(`Expected an object in '${what}', got ${JSON.stringify(value)}`);
  }
  const members = value as Members;
  const unknown = Object.keys(members).find((name) => !known.includes(name));
  if (unknown === undefined) return members;
  throw refusal(`Unknown member '${unknown}' in '${what}', expected one of ${known.join(", ")}`);
}

function listOf(part: string, value: KvValue | undefined): readonly KvValue[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw refusal(`Expected a list in '${part}', got ${JSON.stringify(value)}`);
}

function refusal(message: string): CommandError {
  return new CommandError(message, { onStderr: true });
}
