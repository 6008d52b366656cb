/**
 * Jobs: handed to one connected session that has the skill, and to another one when that ends.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ackCommand,
  type Deed,
  dispatchCommand,
  LEADER,
  MemoryStore,
  presenceCommand,
} from "../../../../cluster/machine/mod.ts";
import { MAX_JOBS, MAX_SESSION_JOBS } from "../../../../cluster/machine/sys/limits.ts";
import { dumped, json, load, shown } from "../../../support/machine/fixture.ts";
import { deeds, idOf, SessionFixture } from "../../../support/machine/sessions.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const PROGRAMS = 30;
const STEPS = 400;

const { set, watch } = deeds;

/** Begins sessions that can do something. */
function begin(fixture: SessionFixture, capability: string, ...sessions: number[]): void {
  for (const session of sessions) {
    const [name = "", value = ""] = capability.split("=");
    fixture.begin(session, { capabilities: [[name, value || "1"], ["session-ext", "1"]] });
    connect(fixture, session);
  }
}

function connect(fixture: SessionFixture, session: number, what: "taken" | "left" = "taken"): void {
  fixture.done(presenceCommand([{ session: idOf(session), holder: LEADER, what }]));
}

function job(skill: string, payload: unknown = 0): Parameters<typeof dispatchCommand>[0] {
  const [capability = "", value = ""] = skill.split("=");
  return { capability, value, payload: json(payload) };
}

/** Hands out a job, and shows what has come of it. */
function dispatch(fixture: SessionFixture, skill: string, payload?: unknown): string {
  return shown(fixture.apply(dispatchCommand(job(skill, payload)))[0]);
}

function dispatched(skill: string): Deed {
  return { kind: "dispatch", job: job(skill) };
}

/** The numbers of the jobs that a session has, in their order. */
function jobsOf(fixture: SessionFixture, session: number): number[] {
  return requestsOf(fixture, session).flatMap(({ push }) => push.job ?? []);
}

function requestsOf(
  fixture: SessionFixture,
  session: number,
): { readonly id: number; readonly push: { readonly push: string; readonly job?: number } }[] {
  return fixture.waiting(session).map((line) => {
    const space = line.indexOf(" ");
    return { id: Number(line.slice(0, space)), push: JSON.parse(line.slice(space + 1)) };
  });
}

function ack(fixture: SessionFixture, session: number, upTo: number): void {
  fixture.done(ackCommand([{ session: idOf(session), upTo }]));
}

/** Ends sessions, and sweeps all that they leave. */
function end(fixture: SessionFixture, ...sessions: number[]): void {
  for (let left = fixture.expire(...sessions).isLeft; left;) left = fixture.expire().isLeft;
}

Deno.test("a job is a server request of one of those who can do it, each in turn", () => {
  const fixture = new SessionFixture();
  begin(fixture, "a", 1, 2);
  begin(fixture, "b", 3);
  assert.equal(dispatch(fixture, "a", { x: 1 }), '{"job":1} rev 0');
  assert.deepEqual(fixture.waiting(1), [
    '1 {"push":"job","job":1,"capability":"a","payload":{"x":1}}',
  ]);
  for (const number of [2, 3, 4]) {
    assert.equal(dispatch(fixture, "a=1"), `{"job":${number}} rev 0`);
  }
  assert.match(fixture.waiting(1)[1] ?? "", /"capability":"a","value":"1","payload":0\}$/);
  assert.deepEqual([1, 2, 3].map((session) => jobsOf(fixture, session)), [[1, 2, 4], [3], []]);
  assert.equal(dispatch(fixture, "a=2"), "404 NO_WORKER");
  assert.equal(dispatch(fixture, "c"), "404 NO_WORKER");
  assert.equal(dispatch(fixture, "session-ext"), "404 NO_WORKER");
  assert.deepEqual([fixture.totals.jobs, fixture.totals.waitingJobs], [4, 0]);
});

Deno.test("only those get jobs who are connected, and who is not any more keeps what it has", () => {
  const fixture = new SessionFixture();
  begin(fixture, "a", 1, 2);
  dispatch(fixture, "a");
  connect(fixture, 1, "left");
  for (let i = 0; i < 3; i++) dispatch(fixture, "a");
  assert.deepEqual([jobsOf(fixture, 1), jobsOf(fixture, 2)], [[1], [2, 3, 4]]);
  connect(fixture, 2, "left");
  assert.equal(dispatch(fixture, "a"), "404 NO_WORKER");
  connect(fixture, 1);
  assert.equal(dispatch(fixture, "a"), '{"job":5} rev 0');
  assert.deepEqual(jobsOf(fixture, 1), [1, 5]);
});

Deno.test("a session that ends leaves its jobs to others, else to the next that comes, as they were", () => {
  const fixture = new SessionFixture();
  begin(fixture, "a", 1, 2);
  for (let i = 0; i < 4; i++) dispatch(fixture, "a", i);
  const payloads = fixture.waiting(1);
  ack(fixture, 1, 1);
  end(fixture, 1);
  assert.deepEqual(jobsOf(fixture, 2), [2, 4, 3]);
  assert.equal(fixture.waiting(2)[2]?.slice(2), payloads[1]?.slice(2));
  end(fixture, 2);
  assert.deepEqual([fixture.totals.jobs, fixture.totals.waitingJobs], [3, 3]);
  begin(fixture, "b", 3);
  fixture.create(4);
  assert.equal(fixture.totals.waitingJobs, 3);
  begin(fixture, "a", 5);
  assert.deepEqual(jobsOf(fixture, 5), [2, 3, 4]);
  ack(fixture, 5, 3);
  assert.deepEqual(
    [fixture.totals.jobs, fixture.totals.waitingJobs, fixture.totals.jobBytes],
    [0, 0, 0],
  );
  end(fixture, 3, 4, 5);
  const { 1: _totals, ...rows } = fixture.rows();
  assert.deepEqual(rows, {});
});

Deno.test("a session hands out a job once, to itself as well", () => {
  const fixture = new SessionFixture();
  begin(fixture, "a", 1);
  assert.equal(fixture.ask(1, { id: 1 }, dispatched("a")), '{"job":1} rev 0');
  assert.equal(fixture.ask(1, { id: 1 }, dispatched("a")), '{"job":1} rev 0');
  assert.equal(fixture.ask(1, { id: 2, low: 1 }, dispatched("b")), "404 NO_WORKER");
  begin(fixture, "b", 2);
  assert.equal(fixture.ask(1, { id: 2, low: 1 }, dispatched("b")), "404 NO_WORKER");
  assert.deepEqual([jobsOf(fixture, 1), jobsOf(fixture, 2)], [[1], []]);
  assert.equal(fixture.info(1).highest, 2);
});

Deno.test("a queue that is given up keeps its jobs, in their places", () => {
  const fixture = new SessionFixture();
  for (const few of [true, false]) {
    begin(fixture, "a", 1, 2);
    fixture.ask(1, { id: 1 }, watch("k"));
    dispatch(fixture, "a");
    dispatch(fixture, "a");
    const changes = few ? 20 : 10_000;
    for (let i = 0; i < changes; i++) fixture.ask(2, { id: i + 1 }, set("k", i));
    if (few) {
      // Changes of more than a queue may have give it up while it is short.
      for (let i = 0; i < 40; i++) fixture.ask(2, { id: 100 + i }, set("k", "x".repeat(500_000)));
    }
    const [first, ...others] = requestsOf(fixture, 1);
    assert.deepEqual([first?.id, first?.push.push], [1, "job"]);
    assert.equal(others[0]?.push.push, "overflow");
    assert.equal(others[0]?.id, fixture.info(1).lastRequest - others.length + 1);
    assert.equal(fixture.info(1).jobs, 1);
    end(fixture, 1);
    assert.equal(jobsOf(fixture, 2).length, 2);
    end(fixture, 2);
    begin(fixture, "a", 3);
    ack(fixture, 3, 2);
    end(fixture, 3);
    assert.deepEqual(
      [fixture.totals.pending, fixture.totals.pendingBytes, fixture.totals.jobs],
      [0, 0, 0],
    );
  }
});

Deno.test("who has as much to do as it may gets no more, nor does anybody when there are too many jobs", () => {
  const fixture = new SessionFixture();
  begin(fixture, "a", 1);
  for (let i = 0; i < MAX_SESSION_JOBS; i++) assert.match(dispatch(fixture, "a"), /^\{"job"/);
  assert.equal(dispatch(fixture, "a"), "429 TOO_MANY_JOBS");
  begin(fixture, "a", 2);
  assert.match(dispatch(fixture, "a"), /^\{"job"/);
  assert.equal(jobsOf(fixture, 2).length, 1);
  ack(fixture, 1, 1);
  assert.match(dispatch(fixture, "a"), /^\{"job"/);
  for (let session = 3; session < 15; session++) begin(fixture, "a", session);
  while (fixture.totals.jobs < MAX_JOBS) assert.match(dispatch(fixture, "a"), /^\{"job"/);
  assert.equal(dispatch(fixture, "a"), "429 TOO_MANY_JOBS");
  const large = "x".repeat(256 * 1024);
  assert.equal(dispatch(fixture, "a", large), "422 INVALID");
});

Deno.test("half of a session's queue is for other things than jobs", () => {
  const fixture = new SessionFixture();
  begin(fixture, "a", 1);
  const large = "x".repeat(256 * 1024 - 2);
  let given = 0;
  while (dispatch(fixture, "a", large) !== "429 TOO_MANY_JOBS") given++;
  assert.equal(given, 31);
  assert.match(dispatch(fixture, "a", "small"), /^\{"job"/);
});

/** The plainest model: who is connected, in turn by skill, and which jobs everybody has. */
class Model {
  readonly sessions = new Map<number, { skills: string[]; jobs: number[]; here: boolean }>();
  readonly #turns = new Map<string, number[]>();
  /** The skills of all jobs that are not acknowledged. */
  readonly jobs = new Map<number, string>();
  /** Jobs that nobody has. */
  waiting: number[] = [];
  last = 0;

  arrive(number: number): void {
    const session = this.sessions.get(number);
    if (session === undefined || session.here) return;
    session.here = true;
    for (const skill of session.skills) {
      this.#turns.set(skill, [...this.#turns.get(skill) ?? [], number]);
    }
    this.feed(number);
  }

  depart(number: number): void {
    const session = this.sessions.get(number);
    if (session !== undefined) session.here = false;
    for (const [skill, all] of this.#turns) {
      this.#turns.set(skill, all.filter((one) => one !== number));
    }
  }

  end(number: number): number {
    const { jobs = [] } = this.sessions.get(number) ?? {};
    this.depart(number);
    this.sessions.delete(number);
    for (const job of jobs) if (!this.give(job)) this.waiting.push(job);
    this.waiting.sort((one, other) => one - other);
    return jobs.length;
  }

  dispatch(skill: string): boolean {
    this.jobs.set(this.last + 1, skill);
    if (this.give(this.last + 1)) return ++this.last > 0;
    return !this.jobs.delete(this.last + 1);
  }

  ack(number: number, jobs: readonly number[]): void {
    for (const job of jobs) this.jobs.delete(job);
    const session = this.sessions.get(number);
    if (session !== undefined) session.jobs = session.jobs.filter((job) => this.jobs.has(job));
    this.feed(number);
  }

  give(job: number): boolean {
    const skill = this.jobs.get(job) as string;
    const [first, ...others] = this.#turns.get(skill) ?? [];
    if (first === undefined) return false;
    this.#turns.set(skill, [...others, first]);
    this.sessions.get(first)?.jobs.push(job);
    return true;
  }

  /** Those of one skill after the other, 16 at most. */
  feed(number: number): void {
    const session = this.sessions.get(number);
    if (session?.here !== true) return;
    const fit = session.skills.flatMap((skill) =>
      this.waiting.filter((job) => this.jobs.get(job) === skill)
    ).slice(0, 16);
    session.jobs.push(...fit);
    this.waiting = this.waiting.filter((job) => !fit.includes(job));
  }
}

const SKILLS = ["a", "a=1", "a=2", "b", "b=1"];

Deno.test("no job is lost or had by two, each stays where it is, and none waits for who is there and idle", () => {
  const seen = { moved: 0, waited: 0, refused: 0 };
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const random = new SeededRandom(seed);
    const model = new Model();
    let fixture = new SessionFixture();
    let next = 1;
    for (let i = 0; i < STEPS; i++) {
      const about = `seed ${seed}, step ${i}`;
      const alive = [...model.sessions.keys()];
      const one = alive[below(random, alive.length || 1)] ?? 0;
      const choice = below(random, 12);
      if (choice === 0 && alive.length < 6) {
        const name = below(random, 2) === 0 ? "a" : "b";
        const value = String(1 + below(random, 2));
        fixture.begin(next, { capabilities: [[name, value]] });
        model.sessions.set(next++, { skills: [name, `${name}=${value}`], jobs: [], here: false });
      } else if (choice === 1 || choice === 2) {
        connect(fixture, one);
        model.arrive(one);
      } else if (choice === 3) {
        connect(fixture, one, "left");
        model.depart(one);
      } else if (choice === 4 && random.float() < 0.4) {
        end(fixture, one);
        seen.moved += model.end(one);
      } else if (choice === 5 && model.sessions.has(one)) {
        const requests = requestsOf(fixture, one);
        const upTo = requests[below(random, requests.length || 1)]?.id;
        if (upTo === undefined) continue;
        ack(fixture, one, upTo);
        const acked = requests.filter(({ id }) => id <= upTo);
        model.ack(one, acked.flatMap(({ push }) => push.job ?? []));
      } else if (choice > 5) {
        const skill = SKILLS[below(random, SKILLS.length)] as string;
        const isGiven = model.dispatch(skill);
        const wanted = isGiven ? `{"job":${model.last}} rev 0` : "404 NO_WORKER";
        if (!isGiven) seen.refused++;
        assert.equal(dispatch(fixture, skill), wanted, about);
      }
      const { totals } = fixture;
      for (const [number, { jobs }] of model.sessions) {
        assert.deepEqual(jobsOf(fixture, number), jobs, `${about}: jobs of ${number}`);
        assert.equal(fixture.info(number).jobs, jobs.length, about);
      }
      assert.deepEqual(
        [totals.jobs, totals.waitingJobs],
        [model.jobs.size, model.waiting.length],
        about,
      );
      seen.waited += totals.waitingJobs;
      checkModel(model, about);
      if (random.float() < 0.05) fixture.restart();
      if (random.float() < 0.05) {
        const store = new MemoryStore();
        load(store, dumped(fixture.store));
        fixture = new SessionFixture(store);
      }
    }
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 200, `${what} ${count}`);
});

/** What the rules are for, told without them. */
function checkModel({ sessions, jobs, waiting }: Model, about: string): void {
  const all = [...[...sessions.values()].flatMap(({ jobs }) => jobs), ...waiting];
  assert.equal(new Set(all).size, all.length, `${about}: a job is at two places`);
  assert.equal(all.length, jobs.size, `${about}: a job is lost`);
  for (const { skills, jobs: own, here } of sessions.values()) {
    if (!here || own.length > 0) continue;
    const idle = waiting.filter((job) => skills.includes(jobs.get(job) as string));
    assert.deepEqual(idle, [], `${about}: nobody does them`);
  }
}

Deno.test("states with jobs are equal however entries were batched", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new SeededRandom(seed);
    const whole = new SessionFixture();
    const single = new SessionFixture();
    const commands: Uint8Array[] = [];
    for (let i = 0; i < 300; i++) {
      const holder = 1 + below(random, 2);
      const session = idOf(1 + below(random, 4));
      const what = (["taken", "left", "alive"] as const)[below(random, 3)] ?? "taken";
      commands.push(
        below(random, 3) === 0
          ? presenceCommand([{ session, holder, what }])
          : below(random, 3) === 0
          ? ackCommand([{ session, upTo: below(random, 30) }])
          : dispatchCommand(job("kind")),
      );
    }
    for (const fixture of [whole, single]) fixture.create(1, 2, 3, 4);
    whole.apply(...commands);
    for (const command of commands) single.apply(command);
    assert.deepEqual(dumped(whole.store), dumped(single.store));
  }
});
