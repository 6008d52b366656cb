/**
 * The levels of a log, and which of its lines are wanted.
 *
 * @module
 */

/**
 * Levels from the least to the most urgent.
 *
 * @example
 * ```ts
 * import { LOG_LEVELS } from "@skein/agent";
 *
 * console.log(LOG_LEVELS.join(" ")); // TRACE DEBUG INFO WARN ERR
 * ```
 */
export const LOG_LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERR"] as const;

/**
 * One of {@linkcode LOG_LEVELS}.
 *
 * @example
 * ```ts
 * import { AgentLog, type LogLevel } from "@skein/agent";
 *
 * const level: LogLevel = "WARN";
 * console.log(new AgentLog("alpha").lines(level)); // []
 * ```
 */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Forms of the output of `skein agent`. */
export const LOG_FORMATS = ["text", "json"] as const;

/** One of {@linkcode LOG_FORMATS}. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** The level of a text in any case, or `undefined`. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const upper = text.toUpperCase();
  return LOG_LEVELS.find((level) => level === upper);
}

/** Whether a line of `level` is at least as urgent as `least`. */
export function passes(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}

/** The least urgent level to show, for all subsystems and for single ones. */
export class LevelFilter {
  readonly #level: LogLevel;
  readonly #levels: ReadonlyMap<string, LogLevel>;

  /**
   * @param level For all subsystems, in any case.
   * @param levels For single subsystems, by name.
   * @throws {RangeError} for a text that is no level.
   */
  constructor(level: string, levels: Readonly<Record<string, string>> = {}) {
    this.#level = required(level);
    this.#levels = new Map(
      Object.entries(levels).map(([subsystem, text]) => [subsystem, required(text)]),
    );
  }

  /** Whether to show a line of `level` about `subsystem`. `memberlist.x` goes with `memberlist`, unless named itself. */
  admits(level: LogLevel, subsystem: string): boolean {
    if (this.#levels.size === 0) return passes(level, this.#level);
    const outer = subsystem.split(".", 1)[0] ?? "";
    return passes(level, this.#levels.get(subsystem) ?? this.#levels.get(outer) ?? this.#level);
  }
}

function required(text: string): LogLevel {
  const level = parseLogLevel(text);
  if (level === undefined) throw new RangeError(`'${text}' is no log level`);
  return level;
}
