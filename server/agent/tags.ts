/**
 * The tags of a running agent, in the cluster and in the tags file.
 *
 * @module
 */

import { UpdateTimeoutError } from "../../cluster/memberlist/mod.ts";
import type { Serf, Tags } from "../../cluster/serf/mod.ts";
import { writeTagsFile } from "../files/tags_file.ts";
import type { TagChanges } from "./requests.ts";

/** Changes tags, and writes what is in effect to the tags file, one write after the other. */
export class AgentTags {
  readonly #serf: Serf;
  readonly #file: string;
  #writes: Promise<void> = Promise.resolve();

  /** `file` is the path of the tags file, "" for none. */
  constructor(serf: Serf, file: string) {
    this.#serf = serf;
    this.#file = file;
  }

  /**
   * Deletes tags, then sets others.
   *
   * Rejects with `TagsTooLargeError`, with `UpdateTimeoutError` when the news is not sent in time (the tags are in effect
   * then, and in the file), and with `TagsFileError`.
   */
  async update(changes: TagChanges): Promise<void> {
    const tags = this.#serf.tags();
    for (const tag of changes.delete ?? []) delete tags[tag];
    await this.#set({ ...tags, ...changes.set });
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
    if (!same) await this.#set(next);
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    await this.#writes.catch(() => {}); // Whoever changed the tags gets the error.
  }

  async #set(tags: Tags): Promise<void> {
    try {
      await this.#serf.setTags(tags);
    } catch (error) {
      if (error instanceof UpdateTimeoutError) await this.#save();
      throw error;
    }
    await this.#save();
  }

  #save(): Promise<void> {
    if (this.#file === "") return Promise.resolve();
    const write = (): Promise<void> => writeTagsFile(this.#file, this.#serf.tags());
    this.#writes = this.#writes.then(write, write);
    return this.#writes;
  }
}
