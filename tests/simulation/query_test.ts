import assert from "node:assert/strict";
import type { QueryOutcome, QueryParams } from "../../cluster/serf/mod.ts";
import { Cluster, type SimNode } from "../support/simulation/cluster.ts";
import { type Scenario, scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

/** Nodes of each cluster; they answer with their name unless a test says otherwise. */
const COUNT = 30;

/** The default timeout of 30 nodes: 200 ms, times 16, times 2 (docs/spec/serf.md 11.1). */
const TIMEOUT_MS = 6_400;

scenario("a query to 30 nodes ends when all have answered", {}, async (test) => {
  const cluster = await talkative(test);
  const rounds = await askAll(test, cluster, 10);
  const complete = rounds.filter(({ outcome }) => outcome.reason === "complete");
  // A broadcast misses one of 30 nodes about every hundredth time.
  assert.ok(complete.length >= 8, `${complete.length} of 10 were complete`);
  for (const { tookMs } of complete) assert.ok(tookMs < TIMEOUT_MS / 2, `Took ${tookMs} ms`);
});

scenario("a query over a network that loses 5 % names exactly the silent", {
  loss: 0.05,
  duplicate: 0.05,
  reorder: 0.1,
}, async (test) => {
  const cluster = await talkative(test);
  await askAll(test, cluster, 10);
  const relayed = await askAll(test, cluster, 10, { relayFactor: 2 });
  const silent = relayed.reduce((sum, { outcome }) => sum + outcome.silent.length, 0);
  assert.ok(silent <= 3, `${silent} of 300 relayed answers were lost`);
});

scenario("the one member that does not answer is named at the deadline", {}, async (test) => {
  const cluster = await talkative(test, "node-17");
  for (const { outcome, tookMs } of await askAll(test, cluster, 3)) {
    assert.equal(outcome.reason, "deadline");
    assert.ok(outcome.silent.includes("node-17"));
    assert.equal(Math.round(tookMs), TIMEOUT_MS);
  }
});

scenario("a query does not wait for a member that was killed meanwhile", {}, async (test) => {
  const cluster = await talkative(test);
  const [asker, victim] = [cluster.live[3]!, cluster.live[20]!];
  const timeoutMs = 600_000;
  const asked = ask(test, asker, { timeoutMs, requestAck: true });
  cluster.kill(victim);
  const { outcome, tookMs, answers } = await asked;
  assert.equal(outcome.reason, "complete", `Silent: ${outcome.silent}`);
  assert.deepEqual(answers.toSorted(), cluster.live.map(({ name }) => name).toSorted());
  assert.ok(tookMs > 1_000 && tookMs < 60_000, `Took ${tookMs} ms`);
  test.report({ "noticed after ms": tookMs.toFixed(0) });
});

scenario("a reachability test is over when every node has acknowledged", {}, async (test) => {
  const cluster = await talkative(test);
  const query = cluster.live[5]!.app.serf.query("_serf_ping", null, {
    requestAck: true,
    timeoutMs: 60_000,
  });
  const { reason, acked, silent } = await test.simulation.settle(query.finished, 61_000);
  if (silent.length === 0) assert.equal(reason, "complete");
  assert.equal(acked, COUNT - silent.length);
  assert.ok(silent.length <= 1, `Silent: ${silent}`);
});

/** A cluster whose nodes answer, except the one that is called `silent`. */
async function talkative({ simulation }: Scenario, silent = ""): Promise<Cluster<SerfApp>> {
  const answer = startSerf({
    onQuery: (query, name) => {
      if (name !== silent) query.respond(new TextEncoder().encode(name));
    },
  });
  const cluster = new Cluster<SerfApp>(simulation, answer);
  await cluster.form(COUNT);
  return cluster;
}

/** What came of a query. */
interface Round {
  readonly outcome: QueryOutcome;
  /** Who answered, in order. */
  readonly answers: readonly string[];
  readonly tookMs: number;
}

/** Asks from different nodes, one query after the other; each ends as it says it does. */
async function askAll(
  test: Scenario,
  cluster: Cluster<SerfApp>,
  times: number,
  params: QueryParams = {},
): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let i = 0; i < times; i++) {
    const round = await ask(test, cluster.live[(7 * i) % COUNT]!, params);
    const { outcome, answers, tookMs } = round;
    const everyone = cluster.live.map(({ name }) => name).toSorted();
    assert.deepEqual([...answers, ...outcome.silent].toSorted(), everyone);
    assert.equal(outcome.responded, answers.length);
    assert.equal(outcome.reason, outcome.silent.length === 0 ? "complete" : "deadline");
    assert.ok(tookMs <= TIMEOUT_MS + 1);
    rounds.push(round);
  }
  const complete = rounds.filter(({ outcome }) => outcome.reason === "complete");
  const sorted = complete.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  test.report({
    [params.relayFactor ? "complete with relays" : "complete"]: `${complete.length}/${times}`,
    ...(median === undefined ? {} : { "median ms": median.toFixed(0) }),
  });
  return rounds;
}

/** Asks, and waits for the end. */
async function ask(
  { simulation }: Scenario,
  asker: SimNode<SerfApp>,
  params: QueryParams,
): Promise<Round> {
  const begun = simulation.now;
  const query = asker.app.serf.query("name", null, params);
  assert.equal(query.expected, COUNT);
  const answers: string[] = [];
  const read = async (): Promise<void> => {
    for await (const { from, payload } of query.answers) {
      assert.equal(new TextDecoder().decode(payload ?? new Uint8Array(0)), from);
      answers.push(from);
    }
  };
  const [outcome] = await simulation.settle(Promise.all([query.finished, read()]), 700_000);
  return { outcome, answers, tookMs: simulation.now - begun };
}
