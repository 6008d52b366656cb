/**
 * Tests of what is kept on a disk, on the real one and on the simulated one.
 *
 * @module
 */

import { FileDisk } from "../../../server/files/disk.ts";
import type { RunOnDisk } from "../disk_suite.ts";
import { Simulation } from "../simulation/simulation.ts";

/** Where the simulated disk is. */
export const HOST = "10.0.0.1";

/** A disk in a folder that is removed afterwards. */
export const onFileDisk: RunOnDisk = async (test) => {
  const folder = await Deno.makeTempDir();
  try {
    await using disk = new FileDisk(folder);
    await test(disk);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

/** A disk of a simulated machine. */
export const onSimDisk: RunOnDisk = async (test) => {
  const simulation = new Simulation(1);
  await simulation.settle(test(simulation.addHost(HOST).disk));
};

/** Registers a test for each of both. */
export function onBothDisks(sentence: string, test: Parameters<RunOnDisk>[0]): void {
  Deno.test(`real disk: ${sentence}`, () => onFileDisk(test));
  Deno.test(`simulated disk: ${sentence}`, () => onSimDisk(test));
}
