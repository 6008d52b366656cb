/**
 * The tags of a running agent, in the cluster and in the tags file.
 *
 * @module
 */

import { UpdateTimeoutError } from "../../cluster/memberlist/mod.ts";
import type { Serf, Tags } from "../../cluster/serf/mod.ts";
import { writeTagsFile } from "../files/tags_file.ts";
import { STATE_TAG } from "../replica/gossip_tag.ts";
import type { TagChanges } from "./requests.ts";

/** Changes tags, all or nothing: with a tags file they are written there first, one change after the other. */
export class AgentTags {
  readonly #serf: Serf;
  readonly #file: string;
  #changes: Promise<unknown> = Promise.resolve();

  /** `file` is the path of the tags file, "" for none. */
  constructor(serf: Serf, file: string) {
    this.#serf = serf;
    this.#file = file;
  }

  /**
   * Deletes tags, then sets others.
   *
   * Rejects with `TagsTooLargeError` and `TagsFileError`, and nothing has changed then; with `UpdateTimeoutError` when the
   * news is not sent in time: the tags are in effect then, and in the file.
   */
  async update(changes: TagChanges): Promise<void> {
    await this.#change((tags) => {
      for (const tag of changes.delete ?? []) delete tags[tag];
      return { ...tags, ...changes.set };
    });
  }

  /**
   * Takes over tags of a changed configuration. What was changed by other means since the start is kept, unless the
   * configuration now says something else about it. With a tags file nothing changes.
   */
  async reload(before: Tags, now: Tags): Promise<void> {
    if (this.#file !== "") return;
    const tags = this.#serf.tags();
    const next = { ...tags };
    for (const tag of Object.keys(before)) if (!Object.hasOwn(now, tag)) delete next[tag];
    for (const [tag, value] of Object.entries(now)) if (before[tag] !== value) next[tag] = value;
    const names = Object.keys(next);
    const same = names.length === Object.keys(tags).length &&
      names.every((tag) => tags[tag] === next[tag]);
    if (!same) await this.#serf.setTags(next);
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    await this.#changes;
  }

  /** `change` may change the tags that it gets. */
  async #change(change: (tags: Record<string, string>) => Tags): Promise<void> {
    if (this.#file === "") return await this.#serf.setTags(change(this.#serf.tags()));
    const made = this.#changes.then(() => this.#saveAndSet(change(this.#serf.tags())));
    // Whoever changes the tags gets the error.
    this.#changes = made.catch(() => {});
    const { spread } = await made;
    await spread;
  }

  /** `spread` is the news on its way to others, for which the next change need not wait. */
  async #saveAndSet(tags: Tags): Promise<{ spread: Promise<void> }> {
    this.#serf.checkTags(tags);
    const before = this.#serf.tags();
    await this.#write(tags);
    const spread = this.#serf.setTags(tags).catch(async (error: unknown) => {
      if (error instanceof UpdateTimeoutError) throw error;
      // The agent has left, or has ended, and its tags are as they were. What matters is the first error.
      await this.#write(before).catch(() => {});
      throw error;
    });
    return { spread };
  }

  /** What a server tells of itself is of this life only. */
  async #write({ [STATE_TAG]: _own, ...tags }: Tags): Promise<void> {
    await writeTagsFile(this.#file, tags);
  }
}
