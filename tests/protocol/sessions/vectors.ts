/**
 * Messages of sessions, beside their bytes.
 *
 * @module
 */

import type { ClientMessage, ServerMessage } from "../../../protocol/sessions/mod.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const AT = 1_800_000_000_000;

/** Of clients. */
export const CLIENT_VECTORS: readonly (readonly [hex: string, message: ClientMessage])[] = [
  [
    "7a72616674010100010006776f726b6572000276320000000000000007",
    { kind: "createSession", capabilities: [["worker", "v2"]], nonce: 7n },
  ],
  [
    "7a72616674010203732d310000000000000008",
    { kind: "continueSession", sessionId: "s-1", nonce: 8n },
  ],
  ["7a726166740103000001a3185c5000", { kind: "keepAlive", time: AT }],
  [
    "7a726166740104000000000000000300000000000000020000000753455420612031000001a3185c5000",
    {
      kind: "clientRequest",
      requestId: 3,
      lowestPending: 2,
      payload: bytes("SET a 1"),
      createdAt: AT,
    },
  ],
  ["7a7261667401050000000000000009", { kind: "serverRequestAck", requestId: 9 }],
  ["7a7261667401" + "0601", { kind: "closeSession", reason: 1 }],
  ["7a726166740107", { kind: "connectionClosed" }],
  [
    "7a72616674010800027131000000054745542061000001a3185c5000",
    { kind: "query", correlationId: "q1", payload: bytes("GET a"), createdAt: AT },
  ],
  ["7a7261667401" + "20" + "0003746f6b" + "0000", { kind: "hello", token: "tok", flags: 0 }],
];

/** Of servers. */
export const SERVER_VECTORS: readonly (readonly [hex: string, message: ServerMessage])[] = [
  [
    "7a72616674010103732d310000000000000007",
    { kind: "sessionCreated", sessionId: "s-1", nonce: 7n },
  ],
  ["7a7261667401020000000000000008", { kind: "sessionContinued", nonce: 8n }],
  [
    "7a7261667401030100000000000000088000b100",
    { kind: "sessionRejected", reason: 1, nonce: 8n, leader: "b" },
  ],
  [
    "7a72616674010302000000000000000800",
    { kind: "sessionRejected", reason: 2, nonce: 8n, leader: undefined },
  ],
  ["7a726166740104028000b100", { kind: "sessionClosed", reason: 2, leader: "b" }],
  ["7a7261667401040500", { kind: "sessionClosed", reason: 5, leader: undefined }],
  ["7a726166740105000001a3185c5000", { kind: "keepAliveResponse", time: AT }],
  [
    "7a7261667401060000000000000003000000026f6b",
    { kind: "clientResponse", requestId: 3, result: bytes("ok") },
  ],
  [
    "7a7261667401070000000000000001000000036a6f62000001a3185c5000",
    { kind: "serverRequest", requestId: 1, payload: bytes("job"), createdAt: AT },
  ],
  ["7a726166740108000000000000000201", { kind: "requestError", requestId: 2, reason: 1 }],
  [
    "7a726166740109000271310000000131",
    { kind: "queryResponse", correlationId: "q1", result: bytes("1") },
  ],
  [
    "7a7261667401" + "20" + "0000000000000002" + "0000000000000005" + "0000000000000008" +
    "0000000000000009" + "00015f90" + "000162" + "0000000000000004",
    {
      kind: "sessionState",
      floor: 2,
      highestRequestId: 5,
      lowestUnacked: 8,
      lastServerRequestId: 9,
      timeoutMs: 90_000,
      leader: "b",
      term: 4,
    },
  ],
  [
    "7a7261667401" + "21" + "0002" + "000161" + "0003613a31" + "01" + "000162" + "0000" + "02" +
    "000161" + "0000000000000004",
    {
      kind: "clusterInfo",
      members: [{ id: "a", address: "a:1", role: 1 }, { id: "b", address: "", role: 2 }],
      leader: "a",
      term: 4,
    },
  ],
  [
    "7a7261667401" + "22" + "00027131" + "01",
    { kind: "queryError", correlationId: "q1", reason: 1 },
  ],
];
