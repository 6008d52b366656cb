/**
 * What a process costs, as Linux counts it.
 *
 * @module
 */

/** Resident memory in MiB. */
export function residentMiB(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

/** CPU time that the living threads of the process have used, in milliseconds. */
export function cpuMs(pid: number): number {
  let nanoseconds = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const schedstat = Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`);
    nanoseconds += Number(schedstat.split(" ")[0]);
  }
  return nanoseconds / 1e6;
}

/** The machine, for whoever reads the figures later. */
export function machine(): Record<string, string | number> {
  const model = /^model name\s*:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1];
  return {
    cpu: model ?? "unknown",
    cores: navigator.hardwareConcurrency,
    os: Deno.osRelease(),
    deno: Deno.version.deno,
  };
}
