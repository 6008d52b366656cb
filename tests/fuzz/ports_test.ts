/**
 * Random and mutated bytes on the gossip ports of a running agent: it goes on answering its RPC port, its memory
 * stays bounded, and its log does not become the next problem.
 *
 * Mutated messages may carry any address, so the agent runs with leave to talk to its own loopback address only.
 *
 * SKEIN_SEED repeats the bytes of a run, SKEIN_FUZZ_MS makes it longer (6,000 by default).
 *
 * @module
 */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { addChecksum } from "../../cluster/memberlist/wire/checksum.ts";
import { within } from "../../server/net/deadline.ts";
import {
  type AgentProcess,
  eventually,
  type Program,
  skein,
  startAgent,
} from "../support/agents.ts";
import { Rpc } from "../support/interop/rpc.ts";
import { loopback } from "../support/loopback.ts";
import { VECTORS } from "../support/memberlist/wire_vectors.ts";
import { mutated } from "../support/mutate.ts";
import { below } from "../support/random_value.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import serfVectors from "../vectors/serf.json" with { type: "json" };

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 6_000);

/** Packets in one go; the kernel keeps 256 small ones for a receiver that is busy. */
const BURST = 30;
const CONNECTIONS = 8;

const MAX_GROWTH_MIB = 128;
/** Each kind of trouble from one source is logged at most once a second. There are some forty kinds. */
const MAX_COMPLAINTS_PER_SECOND = 40;

const HOST = loopback();

const confined: Program = {
  ...skein,
  command: skein.command.flatMap((part) =>
    part === "-A"
      ? ["--no-prompt", `--allow-net=${HOST}`, "--allow-read", "--allow-env", "--allow-sys"]
      : [part]
  ),
};

const PACKETS = VECTORS.filter(({ transport }) => transport === "udp").map(({ bytes }) => bytes);
const STREAMS = VECTORS.filter(({ transport }) => transport === "tcp").map(({ bytes }) => bytes);

/** Serf's messages inside memberlist's user message, type 8. */
const SERF = serfVectors.map(({ hex }) => Uint8Array.from([8, ...Uint8Array.fromHex(hex)]));

Deno.test("an agent survives random and mutated bytes on its gossip ports", async () => {
  const random = new SeededRandom(SEED);
  await using agent = await startAgent(confined, { name: "target", host: HOST });
  await using rpc = await Rpc.connect(agent.rpc);
  const before = rssMiB(agent);
  const end = performance.now() + DURATION_MS;
  const [packets, streams] = await Promise.all([
    sendPackets(agent, random, end),
    ...Array.from({ length: CONNECTIONS }, (_, i) => {
      return sendStreams(agent, new SeededRandom(SEED, i + 1), end);
    }),
  ]);
  const self = await eventually(`the agent answers\n${tail(agent)}`, async () => {
    return (await rpc.members()).find(({ Name }) => Name === "target");
  });
  assert.equal(self.Status, "alive");
  const growth = rssMiB(agent) - before;
  const complaints =
    agent.output().split("\n").filter((line) => /\[(WARN|ERR)\]/.test(line)).length;
  const seconds = DURATION_MS / 1000;
  console.log(
    `ports: seed ${SEED}, ${packets} packets, ${streams} streams a connection, ` +
      `${growth.toFixed(1)} MiB more, ${complaints} complaints logged`,
  );
  assert.ok(growth < MAX_GROWTH_MIB, `Memory grew by ${growth} MiB`);
  assert.ok(
    complaints < MAX_COMPLAINTS_PER_SECOND * seconds,
    `${complaints} complaints\n${tail(agent)}`,
  );
  agent.kill("SIGTERM");
  assert.equal(await agent.exited, 1, tail(agent));
});

/** Sends bursts until `end`; gives how many packets that were. */
async function sendPackets(agent: AgentProcess, random: SeededRandom, end: number) {
  const socket = createSocket("udp4");
  const port = portOf(agent.gossip);
  let sent = 0;
  try {
    await new Promise<void>((ready) => socket.bind(0, HOST, ready));
    while (performance.now() < end) {
      for (let i = 0; i < BURST; i++) socket.send(packet(random), port, HOST);
      sent += BURST;
      await pause(5);
    }
  } finally {
    await new Promise<void>((closed) => socket.close(() => closed()));
  }
  return sent;
}

/** Opens one connection after the other until `end`; gives how many. */
async function sendStreams(agent: AgentProcess, random: SeededRandom, end: number) {
  let opened = 0;
  while (performance.now() < end) {
    using connection = await Deno.connect({ hostname: HOST, port: portOf(agent.gossip) });
    opened++;
    try {
      await connection.write(anyOf(random, STREAMS, []));
      if (below(random, 2) === 0) await connection.closeWrite();
      // The read outlasts its patience, and ends with the connection.
      const answer = connection.read(new Uint8Array(1024)).catch(() => null);
      await within(below(random, 100), answer);
    } catch { /* The agent has closed it. */ }
  }
  return opened;
}

function packet(random: SeededRandom): Uint8Array {
  const bytes = anyOf(random, PACKETS, SERF);
  return below(random, 3) === 0 ? addChecksum(bytes) : bytes;
}

/** Noise or a sample that is bent in a few places. */
function anyOf(random: SeededRandom, samples: Uint8Array[], more: Uint8Array[]): Uint8Array {
  if (below(random, 8) === 0) return random.bytes(1 + below(random, 1500));
  const all = below(random, 2) === 0 && more.length > 0 ? more : samples;
  const bytes = mutated(random, all[below(random, all.length)] as Uint8Array);
  return bytes.length > 0 ? bytes : Uint8Array.of(0);
}

function rssMiB({ pid }: AgentProcess): number {
  if (Deno.build.os !== "linux") return 0;
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

function tail(agent: AgentProcess): string {
  return agent.output().slice(-4000);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}
