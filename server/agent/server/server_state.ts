/**
 * The replicated state of an agent that is a server: the server itself and the port of its key-value clients.
 *
 * @module
 */

import project from "../../../deno.json" with { type: "json" };
import { PubSub } from "../../../cluster/pubsub/mod.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import type { StateSettings } from "../../config/state_settings.ts";
import { AgentKv } from "../../kv/local.ts";
import { KvPort } from "../../kv/port.ts";
import { closeInOrder } from "../../net/closing.ts";
import { within } from "../../net/deadline.ts";
import { administer } from "../../replica/administration.ts";
import { STATE_TAG } from "../../replica/gossip_tag.ts";
import { StateServer } from "../../replica/state_server.ts";
import type { AgentHost } from "../host.ts";
import type { AgentState, StateAddresses } from "../state.ts";
import { tell } from "./telling.ts";

/** What is not done so soon waits for something that may never come, in milliseconds. */
const LAST_REQUESTS_MS = 500;

/** A server's state and its port, as long as the agent runs. */
export class ServerState implements AgentState, AsyncDisposable {
  /** The key-value store, for the program around the agent. */
  readonly kv: AgentKv;
  readonly #server: StateServer;
  readonly #port: KvPort | undefined;
  readonly #dataDir: string | undefined;

  private constructor(
    server: StateServer,
    pubsub: PubSub,
    port: KvPort | undefined,
    dataDir: string | undefined,
  ) {
    this.kv = new AgentKv(server, pubsub);
    this.#server = server;
    this.#port = port;
    this.#dataDir = dataDir;
  }

  /**
   * Opens what the agent keeps, takes part in the log, and lets clients in.
   *
   * Rejects with one line for the operator.
   */
  static async open(
    agent: AgentHost,
    settings: StateSettings,
    failed: (error: Error) => void,
  ): Promise<ServerState> {
    const { config, log, serf } = agent;
    const { kv, kvOptions } = settings;
    await using opened = new AsyncDisposableStack();
    const pubsub = new PubSub(config.nodeName, () => server.links);
    const server: StateServer = opened.use(
      await StateServer.open({
        settings,
        name: config.nodeName,
        keyring: agent.keyring,
        pubsub,
        log,
        members: () => serf.members(),
        tell: (tag) => tell(agent, tag, failed),
        told: () => serf.tags()[STATE_TAG],
        failed,
      }),
    );
    const port = kv === undefined ? undefined : KvPort.listen({
      ...kvOptions,
      address: joinHostPort(kv.host, kv.port),
      state: server,
      pubsub,
      node: config.nodeName,
      version: project.version,
      log,
    });
    opened.move();
    return new ServerState(server, pubsub, port, settings.dataDir);
  }

  /** See {@linkcode AgentState.administer}. */
  administer(action: string, node = "", limitMs = 0): Promise<unknown> {
    return administer(this.#server, action, node, limitMs);
  }

  /** See {@linkcode AgentState.leave}. */
  leave(force = false): Promise<void> {
    return this.#server.leave(force);
  }

  /** Where it is found. */
  get addresses(): StateAddresses {
    const textOf = ({ hostname, port }: Deno.NetAddr): string => joinHostPort(hostname, port);
    return {
      peerAddr: textOf(this.#server.peerAddress),
      kvAddr: this.#port && textOf(this.#port.address),
      dataDir: this.#dataDir,
    };
  }

  /** Takes no more requests, lets those under way be done, and ends the server, which answers the rest. */
  async close(): Promise<void> {
    this.kv.close();
    const answered = this.#port?.close();
    await closeInOrder([
      () => answered && within(LAST_REQUESTS_MS, answered),
      () => this.#server.close(),
      () => answered,
    ]);
  }

  /** Same as {@linkcode AgentState.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
