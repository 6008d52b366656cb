import assert from "node:assert/strict";
import type { Recorder, Restored, SerfEvent } from "../../cluster/serf/mod.ts";
import { RejoinJournal, RejoinReplay } from "../../cluster/serf/rejoin/mod.ts";
import {
  CATCH_UP_MS,
  Cluster,
  type SimNode,
  type StartApp,
} from "../support/simulation/cluster.ts";
import { type Scenario, scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

/** A rejoin file that is a text. What was recorded is in it at once. */
class TextFile implements Recorder {
  text: string;
  readonly restored: Restored;
  readonly #journal: RejoinJournal;

  constructor(text: string) {
    this.text = text;
    const replay = new RejoinReplay({ rejoinAfterLeave: false });
    replay.push(new TextEncoder().encode(text));
    const { restored, damaged, torn } = replay.end();
    assert.deepEqual({ damaged, torn }, { damaged: 0, torn: false });
    this.restored = restored;
    this.#journal = new RejoinJournal(restored, { rejoinAfterLeave: false });
  }

  event(event: SerfEvent, memberTime: bigint): void {
    this.text += this.#journal.event(event, memberTime);
  }
  tick(memberTime: bigint): void {
    this.text += this.#journal.tick(memberTime);
  }
  forget(name: string): void {
    this.text += this.#journal.forget(name);
  }
  leave(): Promise<void> {
    this.text += this.#journal.leave();
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Nodes with rejoin files, and how often each of them saw an event over all of its lives. */
class Survivors {
  readonly cluster: Cluster<SerfApp>;
  readonly #files = new Map<string, TextFile>();
  readonly #lives = new Map<string, SerfApp[]>();

  /** @param without what the nodes lose of what they restored */
  constructor({ simulation }: Scenario, without: Partial<Restored> = {}) {
    const start: StartApp<SerfApp> = (runtime, who, view) => {
      const recorder = new TextFile(this.#files.get(who.name)?.text ?? "");
      this.#files.set(who.name, recorder);
      const restored = { ...recorder.restored, ...without };
      const app = startSerf({ serf: { recorder, restored } })(runtime, who, view);
      this.#lives.set(who.name, [...this.#lives.get(who.name) ?? [], app]);
      return app;
    };
    this.cluster = new Cluster(simulation, start);
  }

  seen(node: SimNode<SerfApp>, event: string): number {
    const lives = this.#lives.get(node.name) ?? [];
    return lives.reduce((sum, { userEvents }) => sum + (userEvents.get(event)?.count ?? 0), 0);
  }

  text(node: SimNode<SerfApp>): string {
    return this.#files.get(node.name)?.text ?? "";
  }
}

scenario("killed nodes come back by their rejoin files, hear no event twice and miss none", {
  loss: 0.02,
}, async (test) => {
  const { simulation, report } = test;
  const survivors = new Survivors(test);
  const { cluster } = survivors;
  await cluster.form(10);
  const events: string[] = [];
  const fire = (name: string): void => {
    events.push(name);
    cluster.live[events.length % cluster.live.length]!.app.serf.userEvent(name, null, false);
  };
  const allSaw = () =>
    cluster.live.every((node) => events.every((event) => survivors.seen(node, event) > 0));
  for (let round = 0; round < 3; round++) {
    fire(`before-${round}`);
    assert.ok(await simulation.runUntil(allSaw, CATCH_UP_MS), "Not everybody saw every event");
    const victims = cluster.live.slice(3 * round, 3 * round + 3);
    for (const victim of victims) cluster.kill(victim);
    fire(`during-${round}`);
    await simulation.runFor(30_000);
    for (const victim of victims) cluster.restart(victim);
    await cluster.agree(CATCH_UP_MS);
    assert.ok(await simulation.runUntil(allSaw, CATCH_UP_MS), "Somebody missed an event");
  }
  await simulation.runFor(CATCH_UP_MS);
  for (const node of cluster.live) {
    for (const event of events) {
      assert.equal(survivors.seen(node, event), 1, `${node.name} ${event}`);
    }
  }
  report({ "rejoin file bytes": survivors.text(cluster.live[0]!).length });
});

scenario("a node that restores no clocks hears old events again", {}, async (test) => {
  const { simulation } = test;
  const survivors = new Survivors(test, { eventTime: 0n });
  const { cluster } = survivors;
  await cluster.form(3);
  const [first, second] = cluster.live as [SimNode<SerfApp>, SimNode<SerfApp>];
  first.app.serf.userEvent("deploy", null, false);
  assert.ok(await simulation.runUntil(() => survivors.seen(second, "deploy") === 1, CATCH_UP_MS));
  cluster.kill(second);
  await simulation.runFor(30_000);
  cluster.restart(second);
  await cluster.agree(CATCH_UP_MS);
  assert.ok(await simulation.runUntil(() => survivors.seen(second, "deploy") === 2, CATCH_UP_MS));
});

scenario("a cluster that lost all of its nodes at once finds itself again", {}, async (test) => {
  const survivors = new Survivors(test);
  const { cluster } = survivors;
  await cluster.form(10);
  const all = [...cluster.live];
  for (const node of all) cluster.kill(node);
  await test.simulation.runFor(5_000);
  for (const node of all) {
    cluster.restart(node);
    await test.simulation.runFor(1_000);
  }
  await cluster.agree(2 * CATCH_UP_MS);
});

scenario("a node that saw all others fail finds those that come back later", {}, async (test) => {
  const { simulation } = test;
  const survivors = new Survivors(test);
  const { cluster } = survivors;
  await cluster.form(4);
  const [last, ...others] = [...cluster.live] as [SimNode<SerfApp>, ...SimNode<SerfApp>[]];
  for (const other of others) cluster.kill(other);
  await cluster.agree(CATCH_UP_MS);
  assert.match(survivors.text(last), /not-alive: node-1\n# failed: node-1 /);
  cluster.kill(last);
  cluster.restart(last);
  await simulation.runFor(120_000);
  // They have forgotten everything, so only the rejoin file of the last one can bring it together with them.
  const forgetful = new Cluster<SerfApp>(simulation, startSerf());
  for (const other of others) forgetful.restart(other);
  const { app } = cluster.live[0]!;
  const found = () => others.some(({ name }) => app.statuses().get(name) === "alive");
  assert.ok(await simulation.runUntil(found, 10 * 60_000), "None of them was found");
});
