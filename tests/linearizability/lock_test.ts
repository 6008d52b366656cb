/**
 * Fifty contenders for one lock of real servers, while leaders are killed and stopped, and contenders are stopped for longer than
 * their lease.
 *
 * `SKEIN_LOCK_SECONDS=n` is how long, default 7.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { KvClient } from "../../client/mod.ts";
import { eventually } from "../support/agents.ts";
import { Resource, type Write } from "../support/linearizability/locks/resource.ts";
import {
  faultsOfHolds,
  faultsOfWrites,
  type Hold,
} from "../support/linearizability/locks/verdict.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";

const hosts = [loopback(), loopback(), loopback()];
const host = loopback();

const DURATION_MS = 1_000 * Number(Deno.env.get("SKEIN_LOCK_SECONDS") ?? 7);
const PROCESSES = 5;
const CONTENDERS = 10;
const TTL_MS = 1_500;
const CONTENDER = join(
  import.meta.dirname ?? ".",
  "../support/linearizability/locks/contender.ts",
);

/** A process of contenders, and what it has told. */
class Contenders {
  readonly holds: Hold[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #onHeld: (contenders: Contenders) => void;

  constructor(args: readonly string[], onHeld: (contenders: Contenders) => void) {
    this.#onHeld = onHeld;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", CONTENDER, ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Has them end; rejects when one of them failed. */
  async end(): Promise<void> {
    await this.#process.stdin.close();
    await this.#reading;
    assert.equal((await this.#process.status).code, 0);
  }

  /** Ends them at once, if they are there. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // They have ended.
    }
    await this.#process.stdin.close().catch(() => {});
    await this.#reading;
    await this.#process.status;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const told = JSON.parse(line);
        if ("held" in told) this.#onHeld(this);
        else this.holds.push(told);
      }
    }
  }
}

Deno.test("one of fifty contenders holds the lock, and nobody writes with another one's number", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_lock_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const addresses = cluster.servers.map(({ place }) => `${place.hostname}:${place.port}`).join(
      ",",
    );
    await using resource = new Resource(host);
    await using client = await KvClient.connect({
      address: addresses,
      reconnect: { maxDelayMs: 500 },
    });
    const written: Write[] = [];
    const register = await client.watch("register");
    const watching = (async () => {
      for await (const change of register) {
        if (change.kind === "set") written.push(change.value as unknown as Write);
      }
    })();

    let holder: Contenders | undefined;
    await using stack = new AsyncDisposableStack();
    const all = Array.from({ length: PROCESSES }, (_, number) =>
      stack.use(
        new Contenders(
          [addresses, resource.address, `${TTL_MS}`, `${CONTENDERS}`, `${number}`],
          (contenders) => holder = contenders,
        ),
      ));
    const nextHolder = (): Promise<Contenders> => {
      holder = undefined;
      return eventually("somebody holds the lock", () => holder, 30_000);
    };
    await nextHolder();
    const over = performance.now() + DURATION_MS;
    const [stops] = await Promise.all([stopHolders(nextHolder, over), disturb(cluster, over)]);
    await eventually("many had the lock, and one wrote on", () => {
      return resource.refused > 0 && all.flatMap(({ holds }) => holds).length > 10;
    }, 60_000);
    await Promise.all(all.map((contenders) => contenders.end()));
    await client.set("register", { fence: Number.MAX_SAFE_INTEGER, who: "end" });
    await eventually("all is told", () => written.at(-1)?.who === "end");
    await register.stop();
    await watching;

    const holds = all.flatMap((contenders) => contenders.holds);
    const refused = holds.reduce((sum, hold) => sum + hold.refused, 0);
    console.log(
      `  ${holds.length} holds, ${
        holds.filter(({ stalled }) => stalled).length
      } of them stalled, ` +
        `${stops} stops, ${cluster.kills} kills, ${written.length} writes and ${refused} refused, ` +
        `outside ${resource.writes.length} and ${resource.refused}`,
    );
    assert.deepEqual(faultsOfHolds(holds), []);
    assert.deepEqual(faultsOfWrites(written), []);
    assert.deepEqual(faultsOfWrites(resource.writes), []);
    assert.ok(stops > 0 && cluster.kills > 0 && refused > 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what is wrong with holds and writes is found", () => {
  const hold = { who: "a", stalled: false, refused: 0 };
  const first = { ...hold, over: 1, from: 10, to: 20, fired: 21 };
  const right = [first, { ...hold, over: 5, from: 22 }];
  assert.deepEqual(faultsOfHolds(right), []);
  const wrong: (readonly [Partial<Hold>, RegExp])[] = [
    [{ from: 20 }, /^at one time: /],
    [{ from: 21 }, /^at one time: /],
    [{ from: 15, over: 1 }, /^not above 1: /],
    [{ end: "GONE" }, /^lost too early: /],
  ];
  for (const [change, words] of wrong) {
    assert.match(faultsOfHolds([first, { ...right[1] as Hold, ...change }])[0] ?? "", words);
  }
  // A signal is late where a process stood still; what it looked up is not.
  const stalled = { ...first, stalled: true };
  assert.deepEqual(faultsOfHolds([stalled, { ...hold, over: 5, from: 21 }]), []);
  assert.equal(faultsOfHolds([stalled, { ...hold, over: 5, from: 19 }]).length, 1);

  const write = (fence: number, who: string): Write => ({ fence, who });
  assert.deepEqual(faultsOfWrites([write(1, "a"), write(1, "a"), write(5, "b")]), []);
  assert.deepEqual(faultsOfWrites([write(1, "a"), write(1, "b")]), ["1 of a and of b"]);
  assert.deepEqual(faultsOfWrites([write(5, "b"), write(1, "a")]), ["1 of a after 5"]);
});

/** Stops the process of a holder for longer than its lease, again and again. */
async function stopHolders(next: () => Promise<Contenders>, over: number): Promise<number> {
  let count = 0;
  do {
    const contenders = await next();
    contenders.kill("SIGSTOP");
    await pause(1.5 * TTL_MS);
    contenders.kill("SIGCONT");
    count++;
    await pause(TTL_MS);
  } while (performance.now() < over);
  return count;
}

/** Kills and stops leaders, in turns. */
async function disturb(cluster: Cluster, over: number): Promise<void> {
  for (let turn = 0; turn === 0 || performance.now() < over; turn++) {
    await pause(1_000);
    const leader = await eventually("somebody leads", () => cluster.leader());
    if (turn % 2 === 0) {
      await cluster.kill(leader);
      await pause(1_000);
      await cluster.start(leader);
    } else {
      leader.agent?.kill("SIGSTOP");
      await pause(2 * TTL_MS);
      leader.agent?.kill("SIGCONT");
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
