/**
 * The DNS records by which the agents of a cluster find each other (docs/spec/agent.md 6.10).
 *
 * @module
 */

import { addrToHost } from "../../protocol/ip.ts";
import { showBytes, utf8Length } from "../../protocol/text.ts";
import type { DnsAnswer, DnsQuestion } from "./packets.ts";

/** Seconds for which an answer holds (docs/spec/agent.md 6.10). */
const TTL_SECONDS = 120;

/** Priority and weight of the SRV record (docs/spec/agent.md 6.10). */
const SRV_RANK = { priority: 10, weight: 1 } as const;

/** Asked for by programs that list all services of a network (RFC 6763 section 9). */
const ENUMERATION = "_services._dns-sd._udp.local";

/** Longest label of a DNS name, in bytes (RFC 1035). */
const MAX_LABEL_BYTES = 63;

/** Longest names of a cluster, and of a node, in bytes: together with the rest they fit a DNS name of 253 bytes. */
const MAX_NAME_BYTES = { cluster: 100, node: 120 } as const;

/** The name of a cluster's service. */
export function serviceName(cluster: string): string {
  return `_serf_${cluster}._tcp.local`;
}

/** Whether a DNS name, which has text alone here, can hold the cluster's name. With a dot it has several labels, as in Serf. */
export function isUsableClusterName(cluster: string): boolean {
  if (!cluster.isWellFormed() || utf8Length(cluster) > MAX_NAME_BYTES.cluster) return false;
  const labels = `_serf_${cluster}`.split(".").map(utf8Length);
  return labels.every((bytes) => bytes > 0 && bytes <= MAX_LABEL_BYTES);
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

/** A name that fits; what is too long is cut, as the name of an instance only has to be unlike others. */
function fitting(name: string): string {
  const labels = cutTo(MAX_NAME_BYTES.node, showBytes(name)).split(".").filter((label) =>
    label !== ""
  );
  return labels.map((label) => cutTo(MAX_LABEL_BYTES, label)).join(".");
}

function cutTo(bytes: number, text: string): string {
  if (utf8Length(text) <= bytes) return text;
  const chars = [...text].slice(0, bytes);
  while (utf8Length(chars.join("")) > bytes) chars.pop();
  return chars.join("");
}
