/**
 * The replicated state of an agent that is a server: the server itself and the port of its key-value clients.
 *
 * @module
 */

import { PubSub } from "../../../cluster/pubsub/mod.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import type { StateSettings } from "../../config/state_settings.ts";
import type { Guard } from "../../kv/access/guard.ts";
import { AgentKv } from "../../kv/local/local.ts";
import { closeInOrder, closeTogether } from "../../net/closing.ts";
import { administer } from "../../replica/administration.ts";
import { DamagedDirectoryError } from "../../replica/damage.ts";
import { STATE_TAG } from "../../replica/gossip_tag.ts";
import { administerSessions } from "../../replica/sessions/administration.ts";
import { StateServer } from "../../replica/state_server.ts";
import { guardedClock } from "../../runtime.ts";
import type { SessionPort } from "../../sessions/port.ts";
import type { AgentTopics } from "../../topics/local/local.ts";
import type { TopicPort } from "../../topics/port.ts";
import type { AgentHost } from "../host.ts";
import { openGuard } from "../guard.ts";
import { ClientPort, closeAll, reread } from "./client_port.ts";
import type { AgentState, RereadFiles, StateAddresses } from "../state.ts";
import { listenForSessions } from "./session_port.ts";
import { listenForTopics, localTopics } from "./topic_port.ts";
import { tell } from "./telling.ts";

/** A server's state and its port, as long as the agent runs. */
export class ServerState implements AgentState, AsyncDisposable {
  /** The key-value store, for the program around the agent. */
  readonly kv: AgentKv;
  /** The topics, for the program around the agent. */
  readonly topics: AgentTopics;
  readonly #server: StateServer;
  readonly #port: ClientPort | undefined;
  readonly #sessions: SessionPort | undefined;
  readonly #topics: TopicPort | undefined;
  readonly #guard: Guard | undefined;
  readonly #dataDir: string | undefined;

  private constructor(parts: {
    readonly server: StateServer;
    readonly pubsub: PubSub;
    readonly port: ClientPort | undefined;
    readonly sessions: SessionPort | undefined;
    readonly localTopics: AgentTopics;
    readonly topics: TopicPort | undefined;
    readonly guard: Guard | undefined;
    readonly dataDir: string | undefined;
  }) {
    this.kv = new AgentKv(parts.server, parts.pubsub);
    this.topics = parts.localTopics;
    this.#server = parts.server;
    this.#port = parts.port;
    this.#sessions = parts.sessions;
    this.#topics = parts.topics;
    this.#guard = parts.guard;
    this.#dataDir = parts.dataDir;
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
    const { kv, kvOptions, dataDir, session, topics: topicsAddress, topicsOptions } = settings;
    const guard = kv || session || topicsAddress ? await openGuard(kvOptions) : undefined;
    await using opened = new AsyncDisposableStack();
    const pubsub = new PubSub(
      config.nodeName,
      () => server.links,
      guardedClock((error) => log.unexpected(error)),
    );
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
    const port = kv &&
      ClientPort.listen(agent, { kv, kvOptions }, {
        state: server,
        sessions: server.sessions,
        pubsub,
      }, guard);
    if (port !== undefined) opened.use(port);
    const sessions = session &&
      listenForSessions(agent, session, { server, ...settings.sessions }, guard);
    if (sessions !== undefined) opened.use(sessions);
    const topics = topicsAddress &&
      listenForTopics(agent, topicsAddress, { server, ...topicsOptions }, guard);
    opened.move();
    return new ServerState({
      server,
      pubsub,
      port,
      sessions,
      localTopics: localTopics(config.nodeName, server, topicsOptions),
      topics,
      guard,
      dataDir,
    });
  }

  /** See {@linkcode AgentState.administer}. */
  administer(action: string, node = "", limitMs = 0): Promise<unknown> {
    return administer(this.#server, action, node, limitMs);
  }

  /** See {@linkcode AgentState.administerSessions}. */
  administerSessions(action: string, session = ""): Promise<unknown> {
    return administerSessions(this.#server, action, session);
  }

  /** See {@linkcode AgentState.reread}. */
  async reread(): Promise<RereadFiles> {
    return await reread(this.#guard, [this.#port, this.#sessions, this.#topics]);
  }

  /** See {@linkcode AgentState.logRequests}. */
  logRequests(wanted: boolean): void {
    this.#port?.logRequests(wanted);
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
      sessionAddr: this.#sessions && textOf(this.#sessions.address),
      topicsAddr: this.#topics && textOf(this.#topics.address),
      dataDir: this.#dataDir,
    };
  }

  /** See {@linkcode closeAll}; the others go on while the leadership is handed over, so that they know where. */
  async close(): Promise<void> {
    this.kv.close();
    await this.topics.close();
    await closeAll(this.#port, {
      [Symbol.asyncDispose]: () =>
        closeInOrder([
          () => (this.#sessions ?? this.#topics) && this.#server.handOver(),
          () => closeTogether([() => this.#sessions?.close(), () => this.#topics?.close()]),
          () => this.#server.close(),
        ]),
    });
  }

  /** Same as {@linkcode AgentState.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Who hears of the state of an agent. */
export interface StateListener {
  /** It is open: at once, or after its directory was rebuilt. */
  readonly opened: (state: ServerState) => void;
  /** It cannot go on, and the agent is to end. */
  readonly failed: (error: Error) => void;
}

/**
 * Opens what the agent keeps, or begins to wait until a damaged directory can be rebuilt, where the settings want that.
 *
 * Rejects with one line for the operator.
 */
export async function beginState(
  agent: AgentHost,
  settings: StateSettings,
  { opened, failed }: StateListener,
): Promise<AsyncDisposable> {
  const { dataDir, raft } = settings;
  const stack = new AsyncDisposableStack();
  const open = async (): Promise<void> => {
    opened(stack.use(await ServerState.open(agent, settings, failed)));
  };
  try {
    await open();
    return stack;
  } catch (error) {
    const isDamaged = error instanceof DamagedDirectoryError;
    if (!isDamaged || !raft.autoRebuild || dataDir === undefined) throw error;
    const { Repair } = await import("./repairing.ts");
    const repair = await Repair.begin({ agent, dataDir, open, failed }, error);
    return {
      async [Symbol.asyncDispose]() {
        await repair[Symbol.asyncDispose]();
        await stack.disposeAsync();
      },
    };
  }
}
