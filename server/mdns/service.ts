/**
 * The DNS records by which the agents of a cluster find each other (agent.md 6.10).
 *
 * @module
 */

import { addrToHost } from "../../cluster/memberlist/address.ts";
import type { DnsAnswer, DnsQuestion } from "./packets.ts";

/** Seconds for which an answer holds (agent.md 6.10). */
const TTL_SECONDS = 120;

/** Priority and weight of the SRV record (agent.md 6.10). */
const SRV_RANK = { priority: 10, weight: 1 } as const;

/** Asked for by programs that list all services of a network (RFC 6763 section 9). */
const ENUMERATION = "_services._dns-sd._udp.local";

/** Longest label of a DNS name, in bytes (RFC 1035). */
const MAX_LABEL_BYTES = 63;

/** The name of a cluster's service. */
export function serviceName(cluster: string): string {
  return `_serf_${cluster}._tcp.local`;
}

/** Whether a DNS name can hold the cluster's name. */
export function isUsableClusterName(cluster: string): boolean {
  return !cluster.includes(".") && bytesOf(`_serf_${cluster}`) <= MAX_LABEL_BYTES;
}

/** What an agent says of itself. */
export interface MdnsService {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Name of the node. */
  readonly node: string;
  /** Name of the machine. */
  readonly hostname: string;
  /** Advertised IP address: 4 or 16 bytes. */
  readonly addr: Uint8Array;
  /** Advertised gossip port. */
  readonly port: number;
}

/** The answer to a question, in the order in which Serf reads it; empty when it is about somebody else. */
export function answersTo(service: MdnsService, { name, type }: DnsQuestion): DnsAnswer[] {
  const { cluster, hostname } = service;
  const asked = name.replace(/\.$/, "");
  const wants = (...types: string[]): boolean => types.includes(type) || type === "ANY";
  const every = serviceName(cluster);
  const instance = `${fitting(service.node)}.${every}`;
  if (asked === ENUMERATION && wants("PTR")) return [record(ENUMERATION, "PTR", every)];
  if (asked === every && wants("PTR")) {
    return [record(every, "PTR", instance), ...instanceAnswers(service, instance, "ANY")];
  }
  if (asked === instance) return instanceAnswers(service, instance, type);
  if (asked === fitting(hostname) && (type === "A" || type === "AAAA")) {
    return [addressRecord(service)].filter((found) => found.type === type);
  }
  return [];
}

function instanceAnswers(service: MdnsService, instance: string, type: string): DnsAnswer[] {
  const { cluster, hostname, port } = service;
  const address = addressRecord(service);
  const location = [
    record(instance, "SRV", { ...SRV_RANK, port, target: fitting(hostname) }),
    address,
  ];
  const text = record(instance, "TXT", [`Serf '${cluster}' cluster`]);
  if (type === "ANY") return [...location, text];
  if (type === "SRV") return location;
  return [text, address].filter((found) => found.type === type);
}

function addressRecord({ hostname, addr }: MdnsService): DnsAnswer {
  return record(fitting(hostname), addr.length === 4 ? "A" : "AAAA", addrToHost(addr));
}

function record(name: string, type: string, data: unknown): DnsAnswer {
  return { name, type, ttl: TTL_SECONDS, class: "IN", data };
}

/** A name whose labels fit; what is too long is cut, as the name of an instance only has to be unlike others. */
function fitting(name: string): string {
  return name.split(".").filter((label) => label !== "").map((label) => {
    let cut = label;
    while (bytesOf(cut) > MAX_LABEL_BYTES) cut = [...cut].slice(0, -1).join("");
    return cut;
  }).join(".");
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
