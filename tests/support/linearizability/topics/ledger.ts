/**
 * What clients of topics were told, and what they read.
 *
 * @module
 */

import assert from "node:assert/strict";

/** Knows of each value where it was said to be. */
export class TopicLedger {
  /** Batches that were acknowledged, refused, and of which nobody knows. */
  acknowledged = 0;
  refused = 0;
  unknown = 0;
  /** Messages that were read while there were more. */
  read = 0;
  /** Values that were sent, each with the batch that it is of. */
  readonly #batches = new Map<string, readonly string[]>();
  /** Values that are not there. */
  readonly #refused = new Set<string>();
  /** What was told, or read, of offsets, by log. */
  readonly #told = new Map<string, string>();
  /** Values that were found in the end. */
  readonly #found = new Map<string, string>();

  /** A batch is about to be sent. */
  begin(values: readonly string[]): void {
    for (const value of values) this.#batches.set(value, values);
  }

  /** It was acknowledged. */
  done(log: string, base: number, values: readonly string[]): void {
    this.acknowledged++;
    for (const [i, value] of values.entries()) this.#tell(log, base + i, value);
  }

  /** It was not done. */
  refuse(values: readonly string[]): void {
    this.refused++;
    for (const value of values) this.#refused.add(value);
  }

  /** Nobody knows. */
  lost(): void {
    this.unknown++;
  }

  /** A message was read. */
  saw(log: string, offset: number, value: string): void {
    this.read++;
    this.#tell(log, offset, value);
  }

  /** Looks at all that a log has in the end. */
  judge(log: string, values: ReadonlyMap<number, string>): void {
    for (let offset = 0; offset < values.size; offset++) {
      const value = values.get(offset);
      assert.ok(value !== undefined, `Offset ${offset} of ${log} is missing`);
      const place = `${log} ${offset}`;
      assert.equal(this.#told.get(place) ?? value, value, `Offset ${place}`);
      this.#told.delete(place);
      assert.equal(this.#found.get(value), undefined, `'${value}' is there twice`);
      assert.equal(this.#refused.has(value), false, `'${value}' was refused, and is there`);
      const batch = this.#batches.get(value);
      assert.ok(batch !== undefined, `'${value}' was never sent`);
      const first = offset - batch.indexOf(value);
      for (const [i, one] of batch.entries()) {
        assert.equal(values.get(first + i), one, `The batch of '${value}' is not whole`);
      }
      this.#found.set(value, place);
    }
  }

  /** All logs were judged. */
  end(): void {
    assert.deepEqual([...this.#told], [], "What was acknowledged, or read, is gone");
  }

  #tell(log: string, offset: number, value: string): void {
    const place = `${log} ${offset}`;
    const before = this.#told.get(place) ?? value;
    assert.equal(value, before, `Offset ${place} was '${before}'`);
    this.#told.set(place, value);
  }
}
