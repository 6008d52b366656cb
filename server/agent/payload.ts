/**
 * Payloads as programs write them.
 *
 * @module
 */

export { PayloadBytes } from "../../protocol/payload.ts";

/**
 * Bytes, a text that travels as UTF-8, or nothing. Bytes are not to be changed afterwards.
 *
 * @example
 * ```ts
 * import { Agent, type Payload } from "@skein/agent";
 *
 * const payloads: Payload[] = ["text", Uint8Array.of(1, 2), null];
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * for (const payload of payloads) agent.event("deploy", payload);
 * ```
 */
export type Payload = Uint8Array | string | null;
