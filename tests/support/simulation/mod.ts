/**
 * The simulator: many nodes in one process, with virtual time, seeded chance, a faulty network and disks that crash.
 *
 * ## Replay a run
 *
 * Every test prints one line with its seed, figures and trace hash. The same seed gives the same
 * run, byte for byte, so this repeats a failure that was printed with seed 123:
 *
 * ```sh
 * SKEIN_SEED=123 deno task test:sim
 * SKEIN_SEED=123 deno task test:sim --filter "30 nodes"   # one test
 * SKEIN_NEW_SEEDS=20 deno task test:sim                   # look for new ones; CI takes two
 * ```
 *
 * A seed that failed goes into the `seeds` of its scenario, and is run for ever.
 *
 * ## Write one
 *
 * ```ts ignore
 * scenario("two nodes meet", { loss: 0.05 }, async ({ simulation, report }) => {
 *   const runtime = simulation.addHost("10.0.0.1");       // clock, random, transport, disk, logger
 *   // ... give `runtime` to a node, then let time jump from event to event:
 *   await simulation.runUntil(() => node.members().length === 2, 10_000);
 *   simulation.partition(["10.0.0.1"], ["10.0.0.2"]);     // also pause, kill, crash, disk, ...
 *   report({ "met after ms": simulation.now });
 * });
 * ```
 *
 * What always holds is an `Invariant`, looked at after each step of the process that it is about
 * (`invariants/`, {@linkcode Simulation.watch}). Serf and memberlist nodes come with theirs.
 *
 * Do not `await` a promise of a node directly: it settles only while time runs. Use
 * {@linkcode Simulation.settle}.
 *
 * ## How it stays the same
 *
 * - One queue by time; what was scheduled first comes first among equals (`event_queue.ts`).
 * - One random source for the network, one for each host and one for each disk, all from the seed (`random.ts`).
 * - After each event every promise that can go on does, in the order they were settled, before the next event
 *   (`turns.ts`).
 * - The trace hash covers time, hosts and bytes of every delivered packet, timer and stream piece
 *   (`trace.ts`).
 *
 * @module
 */

export * from "./cluster.ts";
export * from "./network.ts";
export * from "./scenario.ts";
export * from "./simulation.ts";
