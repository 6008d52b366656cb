/**
 * `skein raft verify`: whether all servers have the same, and can read it.
 *
 * @module
 */

import { parseDuration } from "../../protocol/duration.ts";
import type {
  VerifiedServer,
  VerifyReport,
  VerifyResult,
} from "../../server/replica/verification/verify.ts";
import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import { ExpectedError, parsedFlag } from "../shell/flags.ts";
import { columns } from "../shell/format/columns.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";

/** Digits of a hash in the table; all of them are in the JSON. */
const SHOWN_DIGITS = 16;

const WORDS: Readonly<Record<VerifyResult, string>> = {
  equal: "equal",
  differs: "DIFFERS",
  damaged: "DAMAGED",
  silent: "no answer",
};

/** The flags of `skein raft verify`. */
export const verifyFlags = {
  format: formatFlag,
  timeout: parsedFlag(
    "DURATION",
    "How long it may take, at most 1h. Who has not answered then is named. Default: 1m.",
    0,
    (text) => {
      const ms = durationOf(text);
      if (ms !== undefined && ms > 0) return ms;
      throw new ExpectedError("a duration, such as 30s");
    },
  ),
  ...connectionFlags,
} as const;

/** `skein raft verify`. */
export const verify: Command = verifyCommand("raft verify", [
  "Compares the state of all members of the log right after one entry, by a hash, and has each of " +
  "them read its files again. Writes go on meanwhile. The exit code is 1 when a server differs, " +
  "has damaged files, or did not answer in time.",
]);

/** Compares the servers, as a command of this name; the exit code is 1 unless all of them are equal and whole. */
export function verifyCommand(name: string, description: readonly string[]): Command {
  return defineCommand({
    usage: `${name} [options]`,
    description,
    flags: verifyFlags,
    async run({ values, json, terminal }) {
      checkFormat(values.format);
      await using client = await connect(values);
      const report = await (async () => {
        using _progress = showProgress(terminal, "Comparing the servers", json);
        const asked = client.raft("verify", "", { ...PATIENT, limitMs: values.timeout });
        return await explain(`Error: ${name}`, asked) as VerifyReport;
      })();
      await printResult(
        terminal,
        values.format,
        () => verifyText(report),
        () => report as unknown as GoJson,
      );
      return report.equal ? 0 : 1;
    },
  });
}

/** The servers side by side, what is wrong with each, and what to do. */
export async function verifyText({ index, equal, hash, servers }: VerifyReport): Promise<string> {
  const rows = servers.map((server) => [
    nameOf(server),
    server.role,
    WORDS[server.result],
    server.hash?.slice(0, SHOWN_DIGITS) ?? "-",
    server.result === "silent" ? "-" : `${server.bytes} bytes`,
  ]);
  const table = await columns([["Name", "Role", "Result", "Hash", "State"], ...rows]);
  const problems = servers.flatMap((server) =>
    server.problems.map((problem) => `${nameOf(server)}: ${problem}`)
  );
  const place = index === null ? "No server came to the entry" : `After entry ${index}`;
  const verdict = equal ? [`All ${servers.length} are equal and whole`] : adviceOn(servers, hash);
  return [place, "", table, "", ...problems, ...verdict].join("\n");
}

function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    // Nothing but a text that is no duration.
    return undefined;
  }
}

function adviceOn(servers: readonly VerifiedServer[], hash: string | null): string[] {
  const of = (result: VerifyResult): string =>
    servers.filter((server) => server.result === result).map(nameOf).join(", ");
  const [differing, damaged, silent] = [of("differs"), of("damaged"), of("silent")];
  const advice: string[] = [];
  if (differing !== "" && hash === null) {
    advice.push(
      "No hash is that of more than half of the servers, so none of them is known to be right: " +
        "keep copies of all data directories before anything else is done",
    );
  } else if (differing !== "") {
    advice.push(
      `Differs from the others: ${differing}. Stop that server, run 'skein raft rebuild -force ` +
        "-data-dir DIR' on its directory, and start it: it gets all from the others",
    );
  }
  if (damaged !== "") {
    advice.push(
      `Damaged: ${damaged}. Stop that server, run 'skein raft rebuild -data-dir DIR' on its ` +
        "directory, and start it: it gets all from the others",
    );
  }
  if (silent !== "") advice.push(`Nothing is known of: ${silent}`);
  return advice;
}

function nameOf({ name, id }: VerifiedServer): string {
  return name || id.slice(0, 8);
}
