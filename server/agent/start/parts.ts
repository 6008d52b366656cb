/**
 * What runs beside the core of an agent, as its settings say: each part begins with the agent and ends with it. The code
 * of a part is loaded when it is asked for.
 *
 * @module
 */

import { type HandlerSpec, parseHandler } from "../../config/handler_spec.ts";
import type { ScriptHandlers } from "../../scripts/mod.ts";
import { gatewaySettings, stateSettings } from "../../config/state_settings.ts";
import type { ServerState } from "../server/server_state.ts";
import type { AgentHost } from "../host.ts";
import { AgentStartError } from "./open.ts";
import type { AgentState } from "../state.ts";

/** The parts of one agent. */
export class AgentParts implements AsyncDisposable {
  readonly #agent: AgentHost;
  readonly #stack = new AsyncDisposableStack();
  #scripts: Promise<ScriptHandlers> | undefined;
  #state: AgentState | undefined;

  /**
   * The replicated state, if the agent is a server, and does not wait to rebuild its data directory, or asks servers for
   * it.
   */
  get state(): AgentState | undefined {
    return this.#state;
  }

  /** Parts that do nothing yet. */
  constructor(agent: AgentHost) {
    this.#agent = agent;
  }

  /**
   * Starts what has to be there before the first event: scripts, and what sends figures.
   *
   * @throws {ConfigError} when a script's filter is no event.
   */
  async prepare(): Promise<void> {
    const { config, log, metrics } = this.#agent;
    await this.replaceScripts(config.eventHandlers);
    if (config.statsdAddr === "" && config.statsiteAddr === "") return;
    const { sendMetrics } = await import("../../metrics/servers.ts");
    this.#stack.use(sendMetrics(metrics, config, log));
  }

  /**
   * Starts what needs a running core: the replicated state, which `failed` hears of when it cannot go on, and the search for
   * other agents.
   *
   * @throws {Error} when the data directory or a port of the state cannot be used.
   * @throws {AgentStartError} when no interface takes part in multicast.
   */
  async begin(failed: (error: Error) => void): Promise<void> {
    const settings = stateSettings(this.#agent.config, this.#agent.address.host);
    if (settings !== undefined) {
      const { beginState } = await loadServer();
      const opened = (state: ServerState): void => {
        this.#state = state;
      };
      this.#stack.use(await beginState(this.#agent, settings, { opened, failed }));
    }
    const gateway = gatewaySettings(this.#agent.config, this.#agent.address.host);
    if (gateway !== undefined) {
      const { GatewayState } = await loadGateway();
      this.#state = this.#stack.use(await GatewayState.open(this.#agent, gateway, failed));
    }
    if (this.#agent.config.discover !== "") await this.#discover();
  }

  /**
   * From the next event on these scripts run, each `[FILTERS=]SCRIPT`.
   *
   * @throws {ConfigError} when a filter is no event; nothing changes then.
   */
  async replaceScripts(texts: readonly string[]): Promise<void> {
    const specs = texts.map(parseHandler);
    if (specs.length > 0) this.#scripts ??= this.#load();
    const scripts = await this.#scripts;
    scripts?.replace(specs);
  }

  /** Ends all parts, the last one first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #discover(): Promise<void> {
    const { Discovery } = await import("../../mdns/mod.ts");
    const agent = this.#agent;
    const { config, log, serf } = agent;
    const { mdns, replayOnJoin: replay } = config;
    try {
      const discovery = await Discovery.start({
        ...mdns,
        cluster: config.discover,
        interface: mdns.interface || config.interface,
        own: serf.localMember(),
        log,
        members: () => serf.members(),
        isActive: () => serf.state === "alive",
        join: (addresses) => agent.join(addresses, { replay }),
      });
      this.#stack.use(discovery);
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new AgentStartError(`Error starting mDNS listener: ${reason}`, { cause });
    }
  }

  async #load(): Promise<ScriptHandlers> {
    const { ScriptHandlers } = await import("../../scripts/mod.ts");
    const { config, log, metrics, serf } = this.#agent;
    const none: HandlerSpec[] = [];
    const scripts = new ScriptHandlers(none, {
      log,
      metrics,
      timeoutMs: config.eventHandlerTimeoutMs,
      concurrency: config.eventHandlerConcurrency,
      self: () => ({ name: config.nodeName, tags: serf.tags() }),
    });
    this.#stack.use(scripts);
    this.#stack.defer(this.#agent.subscribe((event) => scripts.handle(event)));
    return scripts;
  }
}

/**
 * The code of a server. Its path is put together: the runtime reads all files that a whole path in the code names before it
 * begins, used or not, and a plain agent would start later and be larger. A bundle takes in the folder. Reading it needs the
 * permission to read files, which a server needs anyway.
 */
function loadServer(): Promise<typeof import("../server/server_state.ts")> {
  const name = "server_state";
  return import(`../server/${name}.ts`);
}

/** The code of a gateway, in the same way. */
function loadGateway(): Promise<typeof import("../server/gateway_state.ts")> {
  const name = "gateway_state";
  return import(`../server/${name}.ts`);
}
