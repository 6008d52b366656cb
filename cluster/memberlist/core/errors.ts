/**
 * The failures of a {@linkcode Memberlist} that its user may want to tell apart.
 *
 * @module
 */

/**
 * The configuration cannot work. The message names the setting, what is allowed and what it was.
 *
 * @example
 * ```ts
 * import { NetTransport, realRuntime } from "@skein/agent";
 * import {
 *   hostToAddr,
 *   memberlistConfig,
 *   MemberlistConfigError,
 *   Serf,
 *   serfConfig,
 * } from "@skein/agent/cluster";
 * import assert from "node:assert/strict";
 *
 * const quiet = { debug() {}, info() {}, warn() {}, error() {} };
 * await using network = await NetTransport.open({ host: "127.0.0.1", port: 0, logger: quiet });
 * const advertise = { addr: hostToAddr("10.0.0.5"), port: 0 };
 * const memberlist = memberlistConfig("alpha", advertise, "lan");
 * const config = serfConfig({ nodeName: "alpha", memberlist, onEvent() {} });
 * const runtime = realRuntime(network, () => quiet);
 * assert.throws(() => new Serf(config, runtime), MemberlistConfigError);
 * ```
 */
export class MemberlistConfigError extends Error {
  /** `"MemberlistConfigError"`, whatever happens to the name of the class. */
  override readonly name = "MemberlistConfigError";
}

/**
 * Not one of the addresses of a join could be reached.
 *
 * @example
 * ```ts
 * import { Agent, JoinError } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * try {
 *   await agent.join(["127.0.0.1:1"]);
 * } catch (error) {
 *   if (!(error instanceof JoinError)) throw error;
 *   for (const { message } of error.errors) console.error(message);
 * }
 * ```
 */
export class JoinError extends Error {
  /** `"JoinError"`, whatever happens to the name of the class. */
  override readonly name = "JoinError";
  /** How many addresses were joined: none. */
  readonly joined = 0;
  /** What happened, in the order in which the addresses were tried; at least one. */
  readonly errors: readonly Error[];

  /** The message lists `errors` in the multi-error text of the Go agent (docs/spec/agent.md 3, join). */
  constructor(errors: readonly Error[]) {
    super(multiErrorText(errors), { cause: errors[0] });
    this.errors = errors;
  }
}

/**
 * The news that this node leaves was not passed on in time. The node counts itself as left.
 *
 * @example
 * ```ts
 * import { type Memberlist, LeaveTimeoutError } from "@skein/agent/cluster";
 *
 * async function attempt(cluster: Memberlist): Promise<void> {
 *   try {
 *     await cluster.leave(5_000);
 *   } catch (error) {
 *     if (!(error instanceof LeaveTimeoutError)) throw error;
 *     console.warn("The others may see this node fail");
 *   }
 * }
 * ```
 */
export class LeaveTimeoutError extends Error {
  /** `"LeaveTimeoutError"`, whatever happens to the name of the class. */
  override readonly name = "LeaveTimeoutError";

  /** The text is the one of the Go library. */
  constructor() {
    super("timeout waiting for leave broadcast");
  }
}

/**
 * The new meta of this node was not passed on in time. It stays in effect and goes on spreading.
 *
 * @example
 * ```ts
 * import { Agent, UpdateTimeoutError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using alpha = await Agent.start({ nodeName: "alpha", bind: "127.0.0.1:0" });
 * await using beta = await Agent.start({
 *   nodeName: "beta",
 *   bind: "127.0.0.1:0",
 *   startJoin: [`127.0.0.1:${alpha.address.port}`],
 *   broadcastTimeoutMs: 1,
 * });
 * await assert.rejects(beta.updateTags({ set: { role: "web" } }), UpdateTimeoutError);
 * console.log(beta.serf.tags()); // in effect all the same
 * ```
 */
export class UpdateTimeoutError extends Error {
  /** `"UpdateTimeoutError"`, whatever happens to the name of the class. */
  override readonly name = "UpdateTimeoutError";

  /** The text is the one of the Go library. */
  constructor() {
    super("timeout waiting for update broadcast");
  }
}

/**
 * The node has left, so what was asked of it makes no sense any more.
 *
 * @example
 * ```ts
 * import { type Memberlist, LeftError } from "@skein/agent/cluster";
 *
 * async function attempt(cluster: Memberlist): Promise<void> {
 *   try {
 *     await cluster.updateNode(5_000);
 *   } catch (error) {
 *     if (!(error instanceof LeftError)) throw error;
 *     console.warn("This node has left already");
 *   }
 * }
 * ```
 */
export class LeftError extends Error {
  /** `"LeftError"`, whatever happens to the name of the class. */
  override readonly name = "LeftError";
}

/**
 * The memberlist was shut down, before or during the call.
 *
 * @example
 * ```ts
 * import { type Memberlist, ShutdownError } from "@skein/agent/cluster";
 *
 * async function attempt(cluster: Memberlist): Promise<void> {
 *   try {
 *     await cluster.join(["10.0.0.5:7946"]);
 *   } catch (error) {
 *     if (!(error instanceof ShutdownError)) throw error;
 *     console.warn("This node is shut down");
 *   }
 * }
 * ```
 */
export class ShutdownError extends Error {
  /** `"ShutdownError"`, whatever happens to the name of the class. */
  override readonly name = "ShutdownError";

  /** The same text for every call. */
  constructor() {
    super("Memberlist is shut down");
  }
}

/**
 * A node did not answer a ping in time.
 *
 * @example
 * ```ts
 * import { type Memberlist, PingTimeoutError } from "@skein/agent/cluster";
 *
 * async function attempt(cluster: Memberlist): Promise<void> {
 *   try {
 *     await cluster.ping("beta", { host: "10.0.0.5", port: 7946 });
 *   } catch (error) {
 *     if (!(error instanceof PingTimeoutError)) throw error;
 *     console.warn("beta is silent");
 *   }
 * }
 * ```
 */
export class PingTimeoutError extends Error {
  /** `"PingTimeoutError"`, whatever happens to the name of the class. */
  override readonly name = "PingTimeoutError";
}

/**
 * The other end of a stream said why it refused; the message is `remote error: ` and its text.
 *
 * @example
 * ```ts
 * import { JoinError, type Memberlist, RemoteError } from "@skein/agent/cluster";
 *
 * async function join(cluster: Memberlist, address: string): Promise<void> {
 *   try {
 *     await cluster.join([address]);
 *   } catch (error) {
 *     const refused = error instanceof JoinError &&
 *       error.errors.some((reason) => reason instanceof RemoteError || reason.cause instanceof RemoteError);
 *     console.error(refused ? "The other node refuses" : "Nobody is there");
 *   }
 * }
 * ```
 */
export class RemoteError extends Error {
  /** `"RemoteError"`, whatever happens to the name of the class. */
  override readonly name = "RemoteError";
}

/** A destination came without its node name although `requireNodeNames` is set (docs/spec/memberlist.md 8.11). */
export class NodeNameRequiredError extends Error {
  /** `"NodeNameRequiredError"`, whatever happens to the name of the class. */
  override readonly name = "NodeNameRequiredError";

  /** The same text for every destination. */
  constructor() {
    super("node names are required by configuration but one was not provided");
  }
}

function multiErrorText(errors: readonly Error[]): string {
  const count = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  return `${count} occurred:\n${errors.map((error) => `\t* ${error.message}\n`).join("")}\n`;
}
