/**
 * Payloads as programs write and read them.
 *
 * @module
 */

export { PayloadBytes } from "../../protocol/payload.ts";

/**
 * Bytes, a text that travels as UTF-8, or nothing.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type Payload, RpcClient } from "@skein/agent/client";
 *
 * const payloads: Payload[] = ["text", Uint8Array.of(1, 2), null];
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * for (const payload of payloads) await client.event("deploy", payload);
 * ```
 */
export type Payload = Uint8Array | string | null;
