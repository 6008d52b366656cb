/**
 * What runs beside the core of an agent, as its settings say: each part begins with the agent and ends with it. The code
 * of a part is loaded when it is asked for.
 *
 * @module
 */

import type { ScriptHandlers } from "../handlers/mod.ts";
import { type HandlerSpec, parseHandler } from "../handlers/spec.ts";
import type { AgentHost } from "./host.ts";
import { AgentStartError } from "./open.ts";

/** The parts of one agent. */
export class AgentParts implements AsyncDisposable {
  readonly #agent: AgentHost;
  readonly #stack = new AsyncDisposableStack();
  #scripts: ScriptHandlers | undefined;

  private constructor(agent: AgentHost) {
    this.#agent = agent;
  }

  /**
   * Starts the parts that the settings name.
   *
   * @throws {ConfigError} when a script's filter is no event.
   * @throws {AgentStartError} when one cannot start; those before it are ended then.
   */
  static async start(agent: AgentHost): Promise<AgentParts> {
    const parts = new AgentParts(agent);
    try {
      await parts.replaceScripts(agent.config.eventHandlers);
      if (agent.config.statsdAddr !== "" || agent.config.statsiteAddr !== "") {
        const { sendMetrics } = await import("../metrics/servers.ts");
        parts.#stack.use(sendMetrics(agent.metrics, agent.config, agent.log));
      }
      if (agent.config.discover !== "") await parts.#discover();
    } catch (error) {
      await parts[Symbol.asyncDispose]();
      throw error;
    }
    return parts;
  }

  /**
   * From the next event on these scripts run, each `[FILTERS=]SCRIPT`.
   *
   * @throws {ConfigError} when a filter is no event; nothing changes then.
   */
  async replaceScripts(texts: readonly string[]): Promise<void> {
    const specs = texts.map(parseHandler);
    if (this.#scripts === undefined && specs.length > 0) this.#scripts = await this.#load();
    this.#scripts?.replace(specs);
  }

  /** Ends all parts, the last one first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #discover(): Promise<void> {
    const { Discovery } = await import("../mdns/mod.ts");
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
        join: (addresses) => agent.join(addresses, { replay }),
      });
      this.#stack.use(discovery);
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new AgentStartError(`Error starting mDNS listener: ${reason}`, { cause });
    }
  }

  async #load(): Promise<ScriptHandlers> {
    const { ScriptHandlers } = await import("../handlers/mod.ts");
    const { config, log, metrics, serf } = this.#agent;
    const none: HandlerSpec[] = [];
    const scripts = new ScriptHandlers(none, {
      log,
      metrics,
      timeoutMs: config.eventHandlerTimeoutMs,
      concurrency: Math.max(1, config.eventHandlerConcurrency),
      self: () => ({ name: config.nodeName, tags: serf.tags() }),
    });
    this.#stack.use(scripts);
    this.#stack.defer(this.#agent.subscribe((event) => scripts.handle(event)));
    return scripts;
  }
}
