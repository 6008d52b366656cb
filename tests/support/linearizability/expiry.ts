/**
 * What clients see of values that expire, and whether it is what was promised: there until their time, gone soon after, and never
 * back.
 *
 * All times are those of one clock, in milliseconds, that the servers have, too.
 *
 * @module
 */

/** A value may be there so long after its time, in milliseconds, when a leader stands. */
export const LATE_LIMIT_MS = 250;

/** A write that took longer tells of a time in which perhaps nobody led. */
export const CALM_MS = 200;

/** A span of time. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What gave a value another time to live, or none. */
export interface Renewal extends Span {
  /** `undefined`: it is to stay. */
  readonly ttlMs: number | undefined;
  /** Whether it was acknowledged, or perhaps happened. */
  readonly isKnown: boolean;
}

/** A read that was answered. */
export interface Look extends Span {
  readonly isThere: boolean;
  /** How long the value is to live, by the answer; `undefined` when it is to stay. */
  readonly leftMs?: number | undefined;
}

/** A key that is set once; renewals and looks come one after the other. */
export interface Life {
  readonly key: string;
  /** It was set with the first one. */
  readonly renewals: readonly Renewal[];
  readonly looks: readonly Look[];
}

/** What was found. */
export interface Findings {
  /** What may not be. */
  readonly problems: string[];
  /** How late values were seen that were to go while a leader stood, in milliseconds. */
  readonly lateMs: number[];
  /** Values that were seen to be gone. */
  gone: number;
}

/**
 * Judges lives. `writes` are those of a client that writes all the time.
 *
 * A value is due a time to live after its entry was stamped, and that is between the start of the request and its answer. So
 * - a read that has *ended* by the start of the request plus the time to live must find it: it was answered by a state that had it;
 * - a read that *starts* later than its answer plus the time to live, and {@linkcode LATE_LIMIT_MS}, must not, unless nobody led
 *   in between: then so long after somebody did.
 *
 * A renewal of which nobody knows whether it happened counts for the bounds only where it makes them wider.
 */
export function judgeLives(lives: readonly Life[], writes: readonly Span[]): Findings {
  const findings: Findings = { problems: [], lateMs: [], gone: 0 };
  const rough = writes.filter(({ start, end }) => end - start > CALM_MS);
  for (const life of lives) judge(life, rough, findings);
  return findings;
}

function judge({ key, renewals, looks }: Life, rough: readonly Span[], findings: Findings): void {
  let isSet = renewals[0]?.isKnown;
  let goneAt: number | undefined;
  for (const look of looks) {
    const [from, to] = dueBetween(renewals, look);
    const told = `${key}: read from ${look.start} to ${look.end}`;
    if (!look.isThere) {
      // Perhaps it was not set yet.
      if (!isSet) continue;
      if (look.end < from) {
        findings.problems.push(`${told} finds nothing, ${from - look.end} ms early`);
      }
      if (goneAt === undefined) findings.gone++;
      goneAt ??= look.end;
      continue;
    }
    isSet = true;
    if (goneAt !== undefined) findings.problems.push(`${told} finds what was gone at ${goneAt}`);
    const { leftMs } = look;
    // What is due, and not gone yet, tells 0.
    const isWrong = leftMs !== undefined &&
      (look.end + leftMs < from || leftMs > 0 && look.start + leftMs > to);
    if (isWrong) {
      findings.problems.push(`${told} is told ${leftMs} ms, due from ${from} to ${to}`);
    }
    const late = look.start - to;
    if (late <= 0) continue;
    const unrest = rough.findLast(({ start, end }) => end > to && start < look.start);
    if (unrest === undefined) findings.lateMs.push(late);
    const since = Math.max(to, unrest?.end ?? to);
    if (look.start - since > LATE_LIMIT_MS) {
      findings.problems.push(`${told} still finds it, ${look.start - since} ms late`);
    }
  }
}

/** The earliest and the latest time at which a value can be due, for a read. */
function dueBetween(renewals: readonly Renewal[], look: Look): readonly [number, number] {
  let from = Infinity;
  let to = -Infinity;
  for (const { start, end, ttlMs = Infinity, isKnown } of renewals) {
    if (start > look.end) break;
    const isDone = isKnown && end <= look.start;
    // What is done replaces what was before; what may be done or not is one more possibility.
    from = isDone ? start + ttlMs : Math.min(from, start + ttlMs);
    to = isDone ? end + ttlMs : Math.max(to, isKnown ? end + ttlMs : Infinity);
  }
  return [from, to];
}
