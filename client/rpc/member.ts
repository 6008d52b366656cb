/**
 * Members of the cluster, as a program sees them.
 *
 * @module
 */

import { addrToHost } from "../../protocol/ip.ts";
import type { Member as WireMember } from "../../protocol/ipc/mod.ts";

/**
 * One member of the cluster.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type Member, RpcClient } from "@skein/agent/client";
 *
 * const show = ({ name, addr, port, status }: Member): void => console.log(name, addr, port, status);
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port: rpcPort } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${rpcPort}` });
 * (await client.members()).forEach(show);
 * ```
 */
export interface Member {
  /** Its node name. */
  name: string;
  /** Its gossip address as text, without brackets; IPv4 dotted. */
  addr: string;
  /** Its gossip port. */
  port: number;
  /** Its tags. */
  tags: Record<string, string>;
  /** `none`, `alive`, `leaving`, `left` or `failed`. */
  status: string;
  /** Lowest memberlist protocol it understands. */
  protocolMin: number;
  /** Highest memberlist protocol it understands. */
  protocolMax: number;
  /** The memberlist protocol it speaks. */
  protocolCur: number;
  /** Lowest Serf protocol it understands. */
  delegateMin: number;
  /** Highest Serf protocol it understands. */
  delegateMax: number;
  /** The Serf protocol it speaks. */
  delegateCur: number;
}

/** A member as it came over the wire, made comfortable. */
export function fromWire(member: WireMember): Member {
  return {
    name: member.Name,
    addr: member.Addr?.length ? addrToHost(member.Addr) : "",
    port: member.Port,
    tags: member.Tags ?? {},
    status: member.Status,
    protocolMin: member.ProtocolMin,
    protocolMax: member.ProtocolMax,
    protocolCur: member.ProtocolCur,
    delegateMin: member.DelegateMin,
    delegateMax: member.DelegateMax,
    delegateCur: member.DelegateCur,
  };
}
