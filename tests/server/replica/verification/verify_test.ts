/**
 * Servers that are compared while they are written to: agents in this process, and what is on their disks.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Agent } from "../../../../server/agent/agent.ts";
import type { VerifyReport } from "../../../../server/replica/verification/verify.ts";
import { eventually } from "../../../support/agents.ts";
import {
  addressOf,
  folder,
  leaderOf,
  startServer,
  threeServers,
} from "../../../support/replica/agents.ts";

async function verify(agent: Agent, limitMs = 20_000): Promise<VerifyReport> {
  return await agent.state?.administer("verify", "", limitMs) as VerifyReport;
}

/** Writes to all servers until it is told to stop. */
function writing(agents: readonly Agent[]): () => Promise<number> {
  let isOver = false;
  const done = Promise.all(agents.map(async ({ kv }, i) => {
    let count = 0;
    for (; !isOver; count++) await kv.set(`w${i}.${count % 50}`, "x".repeat(100));
    return count;
  }));
  return async () => {
    isOver = true;
    return (await done).reduce((sum, count) => sum + count, 0);
  };
}

function resultsOf({ servers }: VerifyReport): Record<string, string> {
  return Object.fromEntries(servers.map(({ name, result }) => [name, result]));
}

/** Changes the value of a key in a state on the disk; with a checksum of its own it looks as good as any. */
async function tamper(dataDir: string, isChecksumRight: boolean): Promise<void> {
  const names = Array.from(Deno.readDirSync(`${dataDir}/state`), ({ name }) => name);
  const name = names.find((name) => name.endsWith(".db"));
  const database = new DatabaseSync(`${dataDir}/state/${name}`);
  const rows = database.prepare("SELECT key, value FROM rows").all() as unknown as {
    key: Uint8Array;
    value: Uint8Array;
  }[];
  const row = rows.find(({ value }) => new TextDecoder().decode(value).includes("altered?"));
  assert.ok(row, "the row is on the disk");
  const value = row.value.slice();
  value[value.length - 2] = "!".charCodeAt(0);
  const sum = isChecksumRight ? crc32(value, crc32(row.key)) : 1;
  database.prepare("UPDATE rows SET value = ?, sum = ? WHERE key = ?").run(value, sum, row.key);
  database.close();
  await Promise.resolve();
}

Deno.test("equal servers are equal at one entry, while all of them are written to", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const { agents } = servers;
  await leaderOf(agents);
  const stop = writing(agents);
  const reports: VerifyReport[] = [];
  for (const agent of agents) reports.push(await verify(agent));
  const writes = await stop();
  assert.ok(writes > 10, `${writes} writes`);
  for (const report of reports) {
    assert.equal(report.equal, true, JSON.stringify(report));
    assert.deepEqual(resultsOf(report), { a: "equal", b: "equal", c: "equal" });
    assert.equal(new Set(report.servers.map(({ hash }) => hash)).size, 1);
    assert.ok(report.servers.every(({ bytes }) => bytes > 100));
  }
  const indices = reports.map(({ index }) => index ?? 0);
  assert.deepEqual(indices, [...indices].sort((a, b) => a - b), "each at an entry of its own");
  assert.notEqual(reports[0]?.hash, reports[2]?.hash, "writes went on meanwhile");
});

Deno.test("one comparison at a time, and nothing is left of one that is over", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const { agents } = servers;
  await leaderOf(agents);
  const [a, b] = agents as [Agent, Agent];
  const first = verify(a);
  await assert.rejects(verify(a), /Another comparison is under way here/);
  await first;
  const [one, other] = await Promise.all([verify(a), verify(b)]);
  for (const { servers } of [one, other]) {
    for (const { result, problems } of servers) {
      if (result !== "equal") {
        assert.match(problems.join(), /Another comparison is under way there/);
      }
    }
  }
  assert.equal((await verify(b)).equal, true);
});

for (const isChecksumRight of [true, false]) {
  const how = isChecksumRight ? "with a right checksum" : "with a wrong checksum";
  Deno.test(`a row that was changed by hand is found, ${how}`, async () => {
    await using data = await folder();
    await using servers = await threeServers(data.path);
    const { agents } = servers;
    await leaderOf(agents);
    await agents[0]?.kv.set("victim", "altered?");
    await eventually("its server has it", async () => {
      return await servers.at("b").kv.get("victim", { consistency: "stale" }) !== undefined;
    });
    await servers.end("b");
    await tamper(`${data.path}/b`, isChecksumRight);
    await servers.start("b");
    await eventually("it is back", async () => {
      const report = await verify(agents[0] as Agent);
      const { b, ...others } = resultsOf(report);
      assert.deepEqual(others, { a: "equal", c: "equal" }, JSON.stringify(report));
      if (b === "silent") return false;
      assert.equal(b, isChecksumRight ? "differs" : "damaged", JSON.stringify(report));
      assert.equal(report.equal, false);
      const found = report.servers.find(({ name }) => name === "b")?.problems.join() ?? "";
      if (!isChecksumRight) {
        assert.match(found, /State '.*state\.1\.db' is damaged: wrong checksum/);
      }
      return true;
    }, 20_000);
  });
}

Deno.test("bits that have flipped in files of a running server are found, file by file", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const { agents } = servers;
  await leaderOf(agents);
  for (let i = 0; i < 20; i++) await agents[0]?.kv.set(`k${i}`, i);
  const [b] = agents.filter(({ config }) => config.nodeName === "b") as [Agent];
  await b.state?.administer("snapshot");
  const raft = `${data.path}/b/raft`;
  const [snapshot] = Array.from(Deno.readDirSync(`${raft}/snapshots`), ({ name }) => name);
  const cases: [string, number, RegExp][] = [
    [`${raft}/0000000000000001.log`, 200, /Log file '.*0001\.log' is damaged at byte \d+/],
    [`${raft}/snapshots/${snapshot}`, 50, /Snapshot '.*' is damaged: wrong checksum/],
    [`${raft}/vote`, 20, /Vote file '.*vote' is damaged: File has a wrong checksum/],
    [`${data.path}/b/node.json`, 30, /File '.*node\.json' is damaged/],
  ];
  for (const [path, at, expected] of cases) {
    const bytes = await Deno.readFile(path);
    using file = await Deno.open(path, { write: true });
    const put = async (byte: number) => {
      await file.seek(at, Deno.SeekMode.Start);
      await file.write(Uint8Array.of(byte));
    };
    await put((bytes[at] as number) ^ 1);
    const report = await verify(agents[0] as Agent);
    assert.deepEqual(resultsOf(report), { a: "equal", b: "damaged", c: "equal" });
    const found = report.servers.find(({ name }) => name === "b")?.problems ?? [];
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] as string, expected);
    await put(bytes[at] as number);
  }
  assert.equal((await verify(agents[0] as Agent)).equal, true);
});

Deno.test("who does not answer in time is named, and without a majority there is no entry", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const { agents } = servers;
  await leaderOf(agents);
  await servers.end("c");
  await leaderOf(agents);
  const report = await verify(agents[0] as Agent);
  assert.deepEqual(resultsOf(report)["a"], "equal");
  const silent = report.servers.filter(({ result }) => result === "silent");
  assert.equal(silent.length, 1);
  assert.match(silent[0]?.problems.join() ?? "", /It cannot be reached|It does not answer/);
  await servers.end("b");
  await assert.rejects(
    verify(agents[0] as Agent, 3_000),
    /No leader marked the entry at which to compare within 3s, .*: No leader is known here$/,
  );
});

Deno.test("a lone server is compared with itself", async () => {
  await using data = await folder();
  await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
  await agent.kv.set("foo", 1);
  const report = await verify(agent);
  assert.deepEqual([report.equal, report.servers.length], [true, 1]);
  assert.ok(addressOf(agent));
});
