/**
 * What servers say to each other, and how: connections, messages, requests and their answers.
 *
 * @module
 */

export type { Hello, Identity, Lane } from "./hello.ts";
export { PEER_TIMINGS, type PeerTimings } from "./limits.ts";
export type { PeerHandlers } from "./parts.ts";
export {
  type PeerCounts,
  PeerLinks,
  type PeerLinksOptions,
  PeerListenError,
  type PeerStatus,
} from "./peer_links.ts";
export { UnansweredError } from "./requests.ts";
