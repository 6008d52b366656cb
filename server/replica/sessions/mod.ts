/**
 * The sessions of clients, beside what the state has of them: what the server that leads keeps, and no other knows.
 *
 * @module
 */

export type { Attached, Attachment, Attachments } from "./attachments.ts";
export type { Binding, Parting, SessionLink } from "./binding.ts";
export { clusterInfo } from "./cluster.ts";
export { idOfText, textOfId } from "./ids.ts";
export type { Leadership } from "../leading/leadership.ts";
export type { Begun, Leading, SessionParts, SessionWork } from "./leading.ts";
export { Sessions } from "./sessions.ts";
