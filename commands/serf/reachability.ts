/**
 * `skein reachability` (docs/spec/agent.md 7.13).
 *
 * @module
 */

import { type Command, CommandError, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { boolFlag } from "../shell/flags.ts";
import { foreignOn } from "../shell/format/foreign.ts";
import { goJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";
import { consume, GONE, interruption } from "../shell/streaming.ts";

/** The query that every member acknowledges and none answers (docs/spec/agent.md 7.13). */
const PING = "_serf_ping";

const TROUBLESHOOTING = `
Troubleshooting tips:
* Ensure that the bind addr:port is accessible by all other nodes
* If an advertise address is set, ensure it routes to the bind address
* Check that no nodes are behind a NAT
* If nodes are behind firewalls or iptables, check that Serf traffic is permitted (UDP and TCP)
* Verify networking equipment is functional`;

const DUPLICATES =
  "Duplicate responses means there is a misconfiguration. Verify that node names are unique.";

/** Asks every member for a sign of life and compares who gave one with who is thought to be alive. */
export const command: Command = defineCommand({
  usage: "reachability [options]",
  description: [
    "Tests the network reachability of the agent's node: sends a query that every live member " +
    "acknowledges and tells which did not.",
  ],
  flags: {
    verbose: boolFlag("Also prints each acknowledgement and how long it took."),
    format: formatFlag,
    ...connectionFlags,
  },
  async run({ values, json, terminal }) {
    const { verbose } = values;
    checkFormat(values.format);
    const { word } = foreignOn(terminal);
    const say = async (text: string) => {
      if (!json) await terminal.out(text);
    };
    await using client = await connect(values);
    const members = await explain("Error getting members", client.members());
    const live = members.filter(({ status }) => status === "alive").map(({ name }) => name).sort();
    await say(`Total members: ${members.length}, live members: ${live.length}`);
    using interrupted = interruption();
    const query = await explain(
      "Error sending query",
      client.query(PING, null, { requestAck: true }),
    );
    await say("Starting reachability test...");
    const start = performance.now();
    const acked = new Set<string>();
    const duplicates: string[] = [];
    let last = start;
    let end;
    {
      using progress = showProgress(terminal, `0 of ${live.length} acks`, json);
      end = await Promise.race([
        interrupted.promise,
        consume(query, async (record) => {
          if (record.type !== "ack") return;
          if (verbose) await say(`\tAck from '${word(record.from)}'`);
          if (acked.has(record.from)) {
            duplicates.push(record.from);
            await say(`Duplicate response from '${word(record.from)}'`);
          }
          acked.add(record.from);
          last = performance.now();
          progress.update(`${acked.size} of ${live.length} acks`);
        }, terminal),
      ]);
    }
    if (end === "interrupted") throw new CommandError("Test interrupted");
    if (end === "lost") await terminal.err(GONE);
    const queryMs = performance.now() - start;
    if (verbose) {
      const lastSeconds = seconds(last - start);
      await say(`Query time: ${seconds(queryMs)} sec, time to last response: ${lastSeconds} sec`);
    }
    const findings = { live, acked, duplicates };
    const problem = judge(findings, word);
    if (json) {
      const { missing, unexpected } = compare(findings);
      await terminal.out(goJson({
        ...problem === undefined ? {} : { error: problem.split("\n")[0] ?? "" },
        members: members.length,
        live: live.length,
        acks: [...acked].sort(),
        missing,
        unexpected,
        duplicates,
        query_seconds: queryMs / 1000,
        last_ack_seconds: (last - start) / 1000,
      }));
    } else {
      await terminal.out(problem ?? "Successfully contacted all live nodes");
    }
    return problem === undefined ? 0 : 1;
  },
});

/** What came back. */
interface Findings {
  /** Names of the members that are thought to be alive. */
  readonly live: readonly string[];
  /** Names of those that acknowledged. */
  readonly acked: ReadonlySet<string>;
  /** Names from which more than one acknowledgement came. */
  readonly duplicates: readonly string[];
}

/**
 * The texts about what is wrong, `undefined` when nothing is. Serf compares only how many acks came with how many
 * members are alive, and so finds nothing wrong when the acks are of others; here the names are compared.
 */
function judge(findings: Findings, word: (name: string) => string): string | undefined {
  const { live, acked, duplicates } = findings;
  const { missing, unexpected } = compare(findings);
  const names = (list: readonly string[]) => list.map((name) => `\t${word(name)}`);
  const problems = duplicates.length === 0 ? [] : [DUPLICATES];
  if (acked.size > live.length) {
    problems.push(
      "Received more acks than live nodes! Acks from non-live nodes:",
      ...names(unexpected),
      "This could mean Serf is detecting false-failures due to a misconfiguration or network issue.",
      TROUBLESHOOTING,
    );
  } else if (missing.length > 0) {
    problems.push(
      "Received less acks than live nodes! Missing acks from:",
      ...names(missing),
      "This could mean Serf gossip packets are being lost due to a misconfiguration or network issue.",
      TROUBLESHOOTING,
    );
  }
  return problems.length === 0 ? undefined : problems.join("\n");
}

function compare({ live, acked }: Findings): { missing: string[]; unexpected: string[] } {
  return {
    missing: live.filter((name) => !acked.has(name)),
    unexpected: [...acked].filter((name) => !live.includes(name)).sort(),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}
