/**
 * Who belongs to a cluster, and in which role.
 *
 * @module
 */

/**
 * What a member may do. `voter` counts for elections and commits; `learner` gets the log and counts for nothing; `staging` is a
 * learner that the leader makes a voter when it has kept up.
 */
export type MemberRole = "voter" | "learner" | "staging";

/** The members by id, in order of their ids. */
export type Configuration = readonly ConfigurationMember[];

/** One member. Where it is found is not the log's business: addresses change without it. */
export interface ConfigurationMember {
  /** Identity of the server's data directory. */
  readonly id: string;
  /** What it may do. */
  readonly role: MemberRole;
}

/** A change of one member. */
export interface ConfigurationChange {
  /**
   * `add` takes a member in, or gives one that is there the role; `remove` takes it out. A voter that is added as learner or
   * staging is demoted.
   */
  readonly kind: "add" | "remove";
  /** Which member. */
  readonly id: string;
  /** The role it is to have; not for `remove`. */
  readonly role?: MemberRole;
}

/** Most members of a configuration. */
export const MAX_MEMBERS = 64;

/** Longest id, in characters. */
export const MAX_ID_LENGTH = 64;

const ROLES: readonly string[] = ["voter", "learner", "staging"];

/** The ids of those who count. */
export function votersOf(configuration: Configuration): string[] {
  return configuration.filter(({ role }) => role === "voter").map(({ id }) => id);
}

/** Whether this member counts. */
export function isVoter(configuration: Configuration, id: string): boolean {
  return configuration.some((member) => member.id === id && member.role === "voter");
}

/** The role of a member, `undefined` when it is none. */
export function roleOf(configuration: Configuration, id: string): MemberRole | undefined {
  return configuration.find((member) => member.id === id)?.role;
}

/** What is wrong with a configuration, `undefined` when nothing is. */
export function configurationProblem(configuration: Configuration): string | undefined {
  if (configuration.length > MAX_MEMBERS) {
    return `Configuration has ${configuration.length} members, at most ${MAX_MEMBERS} can be`;
  }
  const ids = new Set<string>();
  for (const { id, role } of configuration) {
    if (id === "" || id.length > MAX_ID_LENGTH) {
      return `Id '${id}' takes ${id.length} characters, wanted 1 to ${MAX_ID_LENGTH}`;
    }
    if (ids.has(id)) return `Member '${id}' occurs twice`;
    if (!ROLES.includes(role)) return `Role '${role}' of '${id}' is none of ${ROLES.join(", ")}`;
    ids.add(id);
  }
  return votersOf(configuration).length === 0 ? "Configuration has no voter" : undefined;
}

/** A configuration after a change; a text says why it cannot be made. */
export function changed(
  configuration: Configuration,
  { kind, id, role }: ConfigurationChange,
): Configuration | string {
  const before = roleOf(configuration, id);
  if (kind === "remove" && before === undefined) return `'${id}' is no member`;
  if (kind === "add" && role === undefined) return `Role of '${id}' is missing`;
  if (kind === "add" && before === role) return `'${id}' is ${role} already`;
  const others = configuration.filter((member) => member.id !== id);
  const next = kind === "remove" || role === undefined ? others : [...others, { id, role }];
  return configurationProblem(next) ?? sorted(next);
}

/** The bytes of a configuration, the same for the same members. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const members = sorted(configuration).map(({ id, role }) => ({ id, role }));
  return new TextEncoder().encode(JSON.stringify({ members }));
}

/**
 * The configuration in the data of an entry.
 *
 * @throws {RangeError} when the bytes are no configuration
 */
export function decodeConfiguration(data: Uint8Array): Configuration {
  let read: unknown;
  try {
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch (cause) {
    throw new RangeError("Configuration is not JSON", { cause });
  }
  const members = (read as { members?: unknown } | null)?.members;
  if (!Array.isArray(members) || !members.every(isMember)) {
    throw new RangeError("Configuration has no list of members with id and role");
  }
  const configuration = members.map(({ id, role }) => ({ id, role }));
  const problem = configurationProblem(configuration);
  if (problem !== undefined) throw new RangeError(problem);
  return sorted(configuration);
}

function isMember(value: unknown): value is ConfigurationMember {
  const member = value as Partial<ConfigurationMember> | null;
  return typeof member?.id === "string" && typeof member.role === "string";
}

function sorted(configuration: Configuration): Configuration {
  return [...configuration].sort((a, b) => a.id < b.id ? -1 : 1);
}
