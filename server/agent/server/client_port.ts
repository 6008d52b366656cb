/**
 * The port of key-value clients, whoever answers them: what guards it, and what of it changes while it is open.
 *
 * @module
 */

import project from "../../../deno.json" with { type: "json" };
import type { PubSub } from "../../../cluster/pubsub/mod.ts";
import type { Address } from "../../../cluster/runtime.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import type { KvSettings } from "../../config/state_settings.ts";
import type { Guard, RereadFiles } from "../../kv/access/guard.ts";
import { KvPort } from "../../kv/port.ts";
import { LevelFilter } from "../../logging/levels.ts";
import { closeInOrder } from "../../net/closing.ts";
import { within } from "../../net/deadline.ts";
import type { StateService } from "../../replica/service.ts";
import type { Sessions } from "../../replica/sessions/mod.ts";
import type { AgentHost } from "../host.ts";

/** What is not done so soon waits for something that may never come, in milliseconds. */
const LAST_REQUESTS_MS = 500;

/** What answers clients. */
export interface ClientServices {
  readonly state: StateService;
  /** The sessions of clients, where there are any. */
  readonly sessions?: Sessions;
  readonly pubsub: PubSub;
}

/** A port of key-value clients. */
export class ClientPort implements AsyncDisposable {
  readonly #port: KvPort;

  private constructor(port: KvPort) {
    this.#port = port;
  }

  /**
   * Lets clients in.
   *
   * @throws {KvListenError} when the address cannot be used.
   */
  static listen(
    { config, log }: AgentHost,
    { kv, kvOptions }: { readonly kv: Address; readonly kvOptions: KvSettings },
    services: ClientServices,
    guard: Guard | undefined,
  ): ClientPort {
    const port = KvPort.listen({
      ...kvOptions,
      ...services,
      address: joinHostPort(kv.host, kv.port),
      node: config.nodeName,
      version: project.version,
      log,
      access: guard?.access,
      tls: guard?.tls,
      logsRequests: new LevelFilter(config.logLevel, config.logLevels).admits("DEBUG", "agent.kv"),
    });
    return new ClientPort(port);
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#port.address;
  }

  /** See {@linkcode KvPort.recheck}. */
  recheck(): void {
    this.#port.recheck();
  }

  /** See {@linkcode AgentState.logRequests}. */
  logRequests(wanted: boolean): void {
    this.#port.logsRequests = wanted;
  }

  /** Lets requests under way be answered, and closes all connections. */
  close(): Promise<void> {
    return this.#port.close();
  }

  /** Same as {@linkcode ClientPort.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Takes no more requests, lets those under way be done, and ends what answers them, which answers the rest. */
export async function closeAll(
  port: ClientPort | undefined,
  service: AsyncDisposable,
): Promise<void> {
  const answered = port?.close();
  await closeInOrder([
    () => answered && within(LAST_REQUESTS_MS, answered),
    () => service[Symbol.asyncDispose](),
    () => answered,
  ]);
}

/** Reads the files again that guard ports, which `recheck` their clients when others have rights than before. */
export async function reread(
  guard: Guard | undefined,
  ports: readonly (Pick<KvPort, "recheck"> | undefined)[],
): Promise<RereadFiles> {
  const recheck = (): void => ports.forEach((port) => port?.recheck());
  return await guard?.reread(recheck) ?? NO_FILES;
}

/** For an agent without files that guard it. */
const NO_FILES: RereadFiles = { changed: [], apply() {} };
