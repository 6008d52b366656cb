/**
 * The names of syslog facilities (docs/spec/agent.md 6.6) and their numbers (RFC 5424, table 1).
 *
 * @module
 */

const FACILITIES: Readonly<Record<string, number>> = {
  KERN: 0,
  USER: 1,
  MAIL: 2,
  DAEMON: 3,
  AUTH: 4,
  SYSLOG: 5,
  LPR: 6,
  NEWS: 7,
  UUCP: 8,
  CRON: 9,
  AUTHPRIV: 10,
  FTP: 11,
  LOCAL0: 16,
  LOCAL1: 17,
  LOCAL2: 18,
  LOCAL3: 19,
  LOCAL4: 20,
  LOCAL5: 21,
  LOCAL6: 22,
  LOCAL7: 23,
};

/** The number of a facility whose name is given in any case, or `undefined`. */
export function facilityNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(FACILITIES, upper) ? FACILITIES[upper] : undefined;
}
