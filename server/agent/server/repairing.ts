/**
 * A server whose data directory is damaged, and that rebuilds it by itself: until then the agent has no state.
 *
 * @module
 */

import { guarded } from "../../logging/background.ts";
import type { DamagedDirectoryError } from "../../replica/damage.ts";
import {
  carryOut,
  type RebuildPlan,
  RebuildRefusedError,
} from "../../replica/rebuilding/rebuild.ts";
import { majorityOf, planRepair } from "../../replica/rebuilding/repair.ts";
import { serversOf } from "../../replica/servers.ts";
import type { AgentHost } from "../host.ts";

/** Pause between two looks at who is there, in milliseconds. */
const LOOK_MS = 500;

/** For how long a majority has to be seen, in milliseconds: gossip shows who has died as alive for a while. */
const SEEN_MS = 10_000;

/** Pause between two lines of the log, in milliseconds. */
const SAY_MS = 10_000;

/** What a repair needs. */
export interface RepairParts {
  readonly agent: AgentHost;
  readonly dataDir: string;
  /** Starts the server with the directory as it is then. */
  readonly open: () => Promise<void>;
  /** It cannot be done, and the agent is to end. */
  readonly failed: (error: Error) => void;
}

/** Waits until enough others are there, rebuilds, and starts the server. */
export class Repair implements AsyncDisposable {
  readonly #parts: RepairParts;
  readonly #plan: RebuildPlan;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Since when it is seen without a break. */
  #seenSince: number | undefined;
  #saidAt = -Infinity;
  #running: Promise<void> | undefined;

  private constructor(parts: RepairParts, plan: RebuildPlan) {
    this.#parts = parts;
    this.#plan = plan;
    this.#timer = setInterval(guarded(() => this.#look(), parts.agent.log), LOOK_MS);
    this.#look();
  }

  /** Begins to wait. Rejects with `error`, the damage, when it cannot be repaired without an operator; the log says why. */
  static async begin(parts: RepairParts, error: DamagedDirectoryError): Promise<Repair> {
    try {
      const plan = await planRepair(parts.dataDir);
      parts.agent.log.write("WARN", "raft", error.message);
      return new Repair(parts, plan);
    } catch (refusal) {
      if (!(refusal instanceof RebuildRefusedError)) throw refusal;
      parts.agent.log.write("WARN", "raft", `Is not rebuilt by itself: ${refusal.message}`);
      throw error;
    }
  }

  /** Waits no longer; what is under way is finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #look(): void {
    if (this.#running !== undefined) return;
    const { agent } = this.#parts;
    const { kind } = this.#plan;
    const { voters, running, isThere } = majorityOf(this.#plan, serversOf(agent.serf.members()));
    const now = performance.now();
    this.#seenSince = isThere ? this.#seenSince ?? now : undefined;
    const seenMs = this.#seenSince === undefined ? -1 : now - this.#seenSince;
    if (seenMs >= (kind === "state" ? 0 : SEEN_MS)) {
      clearInterval(this.#timer);
      this.#running = this.#rebuild().catch((error) => this.#parts.failed(error));
      return;
    }
    if (isThere || now < this.#saidAt + SAY_MS) return;
    this.#saidAt = now;
    const wanted = Math.floor(voters / 2) + 1;
    const text = `Waits to be rebuilt: sees ${running} of ${voters} voters run, ${wanted} have to`;
    agent.log.write("WARN", "raft", text);
  }

  async #rebuild(): Promise<void> {
    const { agent: { log }, open } = this.#parts;
    const { aside, node_id: id, old_node_id: old } = await carryOut(this.#plan, new Date());
    const who = id === old ? "it keeps its id" : `its id is ${id} from now on`;
    log.write("WARN", "raft", `Rebuilt by itself: what was damaged is in ${aside}, ${who}`);
    await open();
  }
}
