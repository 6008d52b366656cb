/**
 * A member of a group that does what a test says, by a raw connection.
 *
 * @module
 */

import type { Requests } from "../../../protocol/topics/mod.ts";
import { sampleOf } from "./samples.ts";
import type { RawTopics } from "./raw_client.ts";

/** A request to join. */
export function joining(rest: Partial<Requests["joinGroup"]> = {}): Requests["joinGroup"] {
  return { ...sampleOf("joinGroup"), ...rest };
}

/** Partitions of a topic. */
export function parts(...numbers: number[]): { topic: string; partition: number }[] {
  return numbers.map((partition) => ({ topic: "t", partition }));
}

/** A member of the group that says what it is told. */
export class RawMember {
  /** What it was given last. */
  held: readonly { topic: string; partition: number }[] = [];

  private constructor(
    public client: RawTopics,
    readonly member: string,
    public generation: number,
  ) {}

  /** Joins. */
  static async join(
    client: RawTopics,
    rest: Partial<Requests["joinGroup"]> = {},
  ): Promise<RawMember> {
    const { member, generation } = await client.done("joinGroup", joining(rest));
    return new RawMember(client, member, generation);
  }

  /** Syncs once: what is assigned, and whether more comes. */
  async sync(): Promise<[partitions: number[], more: boolean]> {
    const { member, generation, held } = this;
    const request = { group: "g", member, generation, held };
    const synced = await this.client.done("syncGroup", request);
    this.generation = synced.generation;
    this.held = synced.assigned;
    return [synced.assigned.map(({ partition }) => partition), synced.more];
  }

  /** The code of a heartbeat, 0 when nothing is to be done. */
  async beat(): Promise<number> {
    const { member, generation } = this;
    const answer = await this.client.ask("heartbeat", { group: "g", member, generation });
    return "code" in answer ? answer.code : 0;
  }

  /** Commits an offset of a partition: the code for it, or that of the whole. */
  async commit(partition: number, offset = 1, generation = this.generation): Promise<number> {
    const offsets = [{ topic: "t", partition, offset, metadata: "" }];
    const request = { group: "g", member: this.member, generation, offsets };
    const answer = await this.client.ask("commitOffsets", request);
    return "code" in answer ? answer.code : answer.codes[0] ?? -1;
  }
}
