/**
 * An agent that keeps no state and has a port of key-value clients: it asks the servers, and has channels of its own.
 *
 * @module
 */

import { PubSub } from "../../../cluster/pubsub/mod.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import type { GatewaySettings } from "../../config/state_settings.ts";
import type { Guard } from "../../kv/access/guard.ts";
import { AgentKv } from "../../kv/local/local.ts";
import { NoStateError } from "../../replica/errors.ts";
import { Gateway } from "../../replica/gateway/gateway.ts";
import { STATE_TAG } from "../../replica/gossip_tag.ts";
import { guardedClock } from "../../runtime.ts";
import type { AgentHost } from "../host.ts";
import { openGuard } from "../guard.ts";
import type { AgentState, RereadFiles, StateAddresses } from "../state.ts";
import { ClientPort, closeAll, reread } from "./client_port.ts";
import { tell } from "./telling.ts";

/** A gateway and its port, as long as the agent runs. */
export class GatewayState implements AgentState, AsyncDisposable {
  /** The key-value store, for the program around the agent. */
  readonly kv: AgentKv;
  readonly #gateway: Gateway;
  readonly #port: ClientPort;
  readonly #guard: Guard | undefined;

  private constructor(
    gateway: Gateway,
    pubsub: PubSub,
    port: ClientPort,
    guard: Guard | undefined,
  ) {
    this.kv = new AgentKv(gateway, pubsub);
    this.#gateway = gateway;
    this.#port = port;
    this.#guard = guard;
  }

  /** Looks for servers and lets clients in. Rejects with one line for the operator. */
  static async open(
    agent: AgentHost,
    settings: GatewaySettings,
    failed: (error: Error) => void,
  ): Promise<GatewayState> {
    const { config: { nodeName: name }, log, serf, keyring } = agent;
    const guard = await openGuard(settings.kvOptions);
    await using opened = new AsyncDisposableStack();
    const pubsub = new PubSub(
      name,
      () => gateway.links,
      guardedClock((error) => log.unexpected(error)),
    );
    const gateway: Gateway = opened.use(
      await Gateway.open({
        peer: settings.peer,
        name,
        keyring,
        pubsub,
        log,
        members: () => serf.members(),
        tell: (tag) => tell(agent, tag, failed),
        told: () => serf.tags()[STATE_TAG],
      }),
    );
    const port = ClientPort.listen(agent, settings, { state: gateway, pubsub }, guard);
    opened.move();
    return new GatewayState(gateway, pubsub, port, guard);
  }

  /** There are none here. */
  get topics(): never {
    throw new NoStateError();
  }

  /** There is nothing to administer here. */
  administer(): Promise<unknown> {
    return Promise.reject(new NoStateError());
  }

  /** There are none here. */
  administerSessions(): Promise<unknown> {
    return Promise.reject(new NoStateError());
  }

  /** See {@linkcode AgentState.reread}. */
  reread(): Promise<RereadFiles> {
    return reread(this.#guard, [this.#port]);
  }

  /** See {@linkcode AgentState.logRequests}. */
  logRequests(wanted: boolean): void {
    this.#port.logRequests(wanted);
  }

  /** It is no member of the log. */
  leave(): Promise<void> {
    return Promise.resolve();
  }

  /** Where it is found. */
  get addresses(): StateAddresses {
    const textOf = ({ hostname, port }: Deno.NetAddr): string => joinHostPort(hostname, port);
    return {
      peerAddr: textOf(this.#gateway.links.address),
      kvAddr: textOf(this.#port.address),
      sessionAddr: undefined,
      topicsAddr: undefined,
      dataDir: undefined,
    };
  }

  /** See {@linkcode closeAll}. */
  async close(): Promise<void> {
    this.kv.close();
    await closeAll(this.#port, this.#gateway);
  }

  /** Same as {@linkcode GatewayState.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
