/**
 * A member of the cluster as Serf shows it (docs/spec/serf.md 6.1 and 18.4).
 *
 * @module
 */

/**
 * What is known of a member. `none` is what a member of no table has; it is never stored.
 *
 * @example
 * ```ts
 * import type { MemberStatus } from "@skein/agent";
 *
 * const gone: MemberStatus[] = ["left", "failed"];
 * console.log(gone.includes("alive"));
 * ```
 */
export type MemberStatus = "none" | "alive" | "leaving" | "left" | "failed";

/** The number of each status in a conflict response (docs/spec/serf.md 6.1). */
export const STATUS_NUMBERS: Readonly<Record<MemberStatus, number>> = {
  none: 0,
  alive: 1,
  leaving: 2,
  left: 3,
  failed: 4,
};

/**
 * A member, frozen: it does not change after it was handed out.
 *
 * @example
 * ```ts
 * import { Agent, type Member } from "@skein/agent";
 *
 * const isWeb = ({ tags, status }: Member): boolean => tags.role === "web" && status === "alive";
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * console.log(agent.members().filter(isWeb).length);
 * ```
 */
export interface Member {
  /** Unique name. */
  readonly name: string;
  /** IP address bytes as advertised: 4 or 16. Do not change them. */
  readonly addr: Uint8Array;
  /** Gossip port. */
  readonly port: number;
  /** Tags; at most 512 bytes in encoded form. */
  readonly tags: Readonly<Record<string, string>>;
  /** Where the member is in its life. */
  readonly status: MemberStatus;
  /** Least memberlist protocol version it understands. */
  readonly protocolMin: number;
  /** Greatest memberlist protocol version it understands. */
  readonly protocolMax: number;
  /** Memberlist protocol version it speaks. */
  readonly protocolCur: number;
  /** Least Serf protocol version it understands. */
  readonly delegateMin: number;
  /** Greatest Serf protocol version it understands. */
  readonly delegateMax: number;
  /** Serf protocol version it speaks. */
  readonly delegateCur: number;
}

/** A member as Serf's messages show it; each has a form of its own for the status. */
export interface MemberFields<Status> {
  Name: string;
  Addr: Uint8Array;
  Port: number;
  Tags: Record<string, string>;
  Status: Status;
  ProtocolMin: number;
  ProtocolMax: number;
  ProtocolCur: number;
  DelegateMin: number;
  DelegateMax: number;
  DelegateCur: number;
}

/** The fields of a member as Serf's messages name them, with the status in the form that the message has for it. */
export function memberFields<S>(member: Member, status: S): MemberFields<S> {
  return {
    Name: member.name,
    Addr: member.addr,
    Port: member.port,
    Tags: member.tags,
    Status: status,
    ProtocolMin: member.protocolMin,
    ProtocolMax: member.protocolMax,
    ProtocolCur: member.protocolCur,
    DelegateMin: member.delegateMin,
    DelegateMax: member.delegateMax,
    DelegateCur: member.delegateCur,
  };
}
