/**
 * One server that leads, for tests of its session port.
 *
 * @module
 */

import type { Agent } from "../../../server/agent/agent.ts";
import type { AgentSettings } from "../../../server/agent/start/settings.ts";
import { folder, startServer } from "../replica/agents.ts";
import { openRaw, type RawClient } from "./raw_client.ts";

/** The server, and how to talk to it. */
export interface OneServer extends AsyncDisposable {
  readonly agent: Agent;
  /** Connects; the connection is closed with the server. */
  open(): Promise<RawClient>;
  /** Ends the server and starts it again on the same data. */
  restart(): Promise<void>;
}

/** Starts it. */
export async function oneServer(settings: AgentSettings = {}): Promise<OneServer> {
  const stack = new AsyncDisposableStack();
  const data = stack.use(await folder());
  let agent: Agent | undefined;
  const start = async (): Promise<void> => {
    agent = await startServer("a", data.path, { bootstrapExpect: 1, ...settings });
    // A read waits for a leader that has applied what was there before it led.
    await agent.state?.kv.get("k");
  };
  stack.defer(() => agent?.shutdown());
  const clients = stack.use(new AsyncDisposableStack());
  await start();
  return {
    get agent() {
      return agent as Agent;
    },
    async open() {
      return clients.use(await openRaw(agent as Agent));
    },
    async restart() {
      await agent?.shutdown();
      await start();
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
