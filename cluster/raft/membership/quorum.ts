/**
 * The arithmetic of majorities.
 *
 * @module
 */

/** How many of `voters` are a majority. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** What a vote has come to. */
export type VoteResult = "won" | "lost" | "open";

/** Counts votes: `true` and `false` by voter; who has not answered is missing, who is no voter does not count. */
export function countVotes(
  voters: readonly string[],
  votes: ReadonlyMap<string, boolean>,
): VoteResult {
  const needed = majority(voters.length);
  const yes = voters.filter((id) => votes.get(id) === true).length;
  const no = voters.filter((id) => votes.get(id) === false).length;
  if (yes >= needed) return "won";
  return voters.length - no < needed ? "lost" : "open";
}

/** The highest value that a majority of `voters` has reached; 0 without voters. */
export function reachedByMajority(
  voters: readonly string[],
  valueOf: (voter: string) => number,
): number {
  const values = voters.map(valueOf).sort((a, b) => b - a);
  return values[majority(values.length) - 1] ?? 0;
}
