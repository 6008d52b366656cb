/**
 * Agents of both kinds ask, agents of both kinds answer: filters, acknowledgements, relays, and the moment at
 * which a query is over.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually, type Program, runCli, skein } from "../support/agents.ts";
import { allShow, join, LIMIT_MS, type Node, startNode } from "../support/interop/cluster.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import type { RpcRecord } from "../support/interop/rpc.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

const LONG_NS = 60_000_000_000;
const SHORT_NS = 1_500_000_000;

/** What is asked, and the names whose acknowledgements and answers have to come, each once. */
const CASES: {
  ask: Record<string, unknown>;
  acks: readonly string[];
  answers: readonly string[];
}[] = [
  { ask: {}, acks: [], answers: ["g1", "g2", "s1", "s2"] },
  {
    ask: { RequestAck: true },
    acks: ["g1", "g2", "s1", "s2"],
    answers: ["g1", "g2", "s1", "s2"],
  },
  {
    ask: { RequestAck: true, RelayFactor: 3 },
    acks: ["g1", "g2", "s1", "s2"],
    answers: ["g1", "g2", "s1", "s2"],
  },
  {
    ask: { RequestAck: true, FilterNodes: ["s2", "g2", "nobody"], RelayFactor: 1 },
    acks: ["g2", "s2"],
    answers: ["g2", "s2"],
  },
  {
    ask: { RequestAck: true, FilterTags: { kind: "^serf" } },
    acks: ["g1", "g2"],
    answers: ["g1", "g2"],
  },
  { ask: { FilterTags: { kind: "k[de]in", none: "^$" } }, acks: [], answers: ["s1", "s2"] },
  {
    ask: { RequestAck: true, FilterNodes: ["s1", "g1"], FilterTags: { kind: "(?i)SKEIN" } },
    acks: ["s1"],
    answers: ["s1"],
  },
];

goTest("agents of both kinds ask agents of both kinds", (go) => questions(go, HOST));
newestGoTest("agents of both kinds ask agents of both kinds", (go) => {
  return questions(go, HOST);
});

async function questions(go: Program, host: string): Promise<void> {
  const flags = ["-event-handler=query:load=echo from $SERF_SELF_NAME; cat"];
  await using s1 = await startNode(skein, "s1", host, { flags });
  await using s2 = await startNode(skein, "s2", host, { flags });
  await using g1 = await startNode(go, "g1", host, { flags });
  await using g2 = await startNode(go, "g2", host, { flags });
  for (const node of [s2, g1, g2]) await join(node, s1);
  await allShow([s1, s2, g1, g2], { s1: "alive", s2: "alive", g1: "alive", g2: "alive" });

  await Promise.all([
    asked(s1, LONG_NS),
    asked(s2, SHORT_NS),
    asked(g1, SHORT_NS),
    endsEarly(go, s1),
    endsEarly(skein, s2),
  ]);

  // Nobody can answer, so nobody is waited for, by skein; a Go agent waits all the same.
  for (const filters of [{ FilterNodes: ["nobody"] }, { FilterTags: { kind: "consul" } }]) {
    assert.deepEqual(await answersTo(s1, { ...filters, Timeout: LONG_NS }), []);
    assert.deepEqual(await answersTo(g1, { ...filters, Timeout: SHORT_NS / 3 }), []);
  }
  // A pattern that is none: every receiver takes it for a filter that does not fit.
  const broken = { FilterTags: { kind: "(" }, RequestAck: true, Timeout: SHORT_NS / 3 };
  for (const node of [s1, g1]) assert.deepEqual(await answersTo(node, broken), []);
}

/** Every case, asked by `node`; a skein agent is over with a case long before the time of `Timeout`. */
async function asked(node: Node, Timeout: number): Promise<void> {
  for (const { ask, acks, answers } of CASES) {
    const expected = [
      ...acks.map((name) => `ack ${name}`),
      ...answers.map((name) => `response ${name} from ${name}\nwhat?\n`),
    ];
    assert.deepEqual(
      await answersTo(node, { ...ask, Timeout }),
      expected,
      `${node.name} ${JSON.stringify(ask)}`,
    );
  }
}

/** What came before `done`, sorted. */
async function answersTo(node: Node, ask: Record<string, unknown>): Promise<string[]> {
  const Payload = new TextEncoder().encode("what?");
  const records = await node.rpc.subscribe("query", { Name: "load", Payload, ...ask });
  await eventually(`the query of ${node.name} is done ${JSON.stringify(ask)}`, () => {
    return records.at(-1)?.Type === "done";
  }, LIMIT_MS / 3);
  const { Type: _, ...done } = records.pop() ?? {};
  assert.deepEqual(done, { From: "", Payload: null });
  // A Go agent sends records of nobody when it closes what it collects in (docs/spec/agent.md 4.3).
  const named = node.agent.program === skein ? records : records.filter(({ From }) => From !== "");
  return named.map(told).sort();
}

function told({ Type, From, Payload }: RpcRecord): string {
  return Payload == null
    ? `${Type} ${From}`
    : `${Type} ${From} ${new TextDecoder().decode(Payload)}`;
}

/** How often a command line asks: Serf's may lose answers when the end comes at once, but not each time. */
const TIMES = 5;

/** A command line that asks a skein agent with a long timeout comes back as soon as all have answered, with all. */
async function endsEarly(program: Program, node: Node): Promise<void> {
  for (let i = 0; i < TIMES; i++) {
    const { code, stdout } = await runCli(
      program,
      ["query", "-timeout=60s", "load", "what?"],
      node.agent.rpc,
      { limitMs: LIMIT_MS / 3 },
    );
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /\nTotal Acks: 4\nTotal Responses: 4\n$/,
      `${program.label} asks ${node.name}:\n${stdout}${node.agent.output()}`,
    );
  }
}
