/**
 * The state of a server as text.
 *
 * @module
 */

import type { StateStatus } from "../../server/replica/state_status.ts";
import { columns } from "../shell/format/columns.ts";

/** The state of one server. */
export async function statusText(report: StateStatus): Promise<string> {
  const { role, failure_tolerance: tolerance, other_clusters: others } = report;
  const rows = [
    ["Node", report.node],
    ["Id", report.id],
    ["Cluster", report.cluster_id ?? "none yet"],
    ["Role", role],
    ["Leader", report.leader ?? "none known"],
    ["Term", String(report.term)],
    ["Last entry", String(report.last_index)],
    ["Committed", String(report.commit_index)],
    ["Applied", String(report.applied_index)],
    ["Snapshot", report.snapshot_index === 0 ? "none" : String(report.snapshot_index)],
    ["Servers that may fail", tolerance === null ? "the leader knows" : String(tolerance)],
    ["Disk", report.storage_full ? "full" : "has room"],
    ["Loop lag", `${report.loop_lag_ms} ms`],
    ["Sessions at", report.session_addr ?? "nowhere"],
    ["Topics at", report.topics_addr ?? "nowhere"],
    ...others.length === 0 ? [] : [["Of other clusters", others.join(", ")]],
  ];
  return `${await columns(rows)}\n\n${await peersText(report)}`;
}

/** The members of the log. */
export async function peersText({ peers, leader }: StateStatus): Promise<string> {
  if (peers.length === 0) return "The log has no members yet";
  const rows = peers.map((peer) => [
    peer.name || peer.id.slice(0, 8),
    peer.address ?? "not in gossip",
    peer.name !== "" && peer.name === leader ? "leader" : peer.role,
    peer.match_index === null ? "-" : String(peer.match_index),
    peer.last_contact_ms === null ? "-" : `${peer.last_contact_ms} ms`,
    peer.healthy === null ? "-" : peer.healthy ? "healthy" : "not healthy",
  ]);
  return await columns([["Name", "Address", "Role", "Has", "Heard", "Health"], ...rows]);
}
