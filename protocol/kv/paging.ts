/**
 * From pages to one sequence.
 *
 * @module
 */

/** A part of a listing. */
export interface Page<T> {
  /** What is in it; there may be nothing although more follows. */
  readonly items: readonly T[];
  /** What the next page has to follow; `undefined` when nothing does. */
  readonly next: string | undefined;
}

/** The items of all pages. The next page is asked for when those before it were taken. */
export async function* paged<T>(
  pageAfter: (after: string | undefined) => Promise<Page<T>>,
  after: string | undefined,
): AsyncGenerator<T, void, undefined> {
  let place = after;
  do {
    const { items, next } = await pageAfter(place);
    yield* items;
    place = next;
  } while (place !== undefined);
}
