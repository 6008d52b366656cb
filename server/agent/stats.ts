/**
 * What `stats` tells about the process (agent.md 3).
 *
 * @module
 */

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/**
 * The group `runtime`, with the names that Serf's users know. One thread runs the agent, so `max_procs` and `goroutines`
 * are 1.
 */
export function runtimeStats(): Record<string, string> {
  return {
    os: Deno.build.os,
    arch: ARCHITECTURES[Deno.build.arch] ?? Deno.build.arch,
    version: `deno${Deno.version.deno}`,
    max_procs: "1",
    goroutines: "1",
    cpu_count: String(navigator.hardwareConcurrency),
  };
}
