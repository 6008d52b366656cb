/**
 * What a start would find out about a configuration before it opens a socket: addresses, keys, files, limits
 * (docs/spec/agent.md 6.1, 6.3, 6.5). Nothing is written.
 *
 * @module
 */

import type { Keyring } from "../../cluster/memberlist/mod.ts";
import { checkConfig } from "../../cluster/memberlist/core/config.ts";
import { parseJoinAddress } from "../../cluster/memberlist/traffic/join.ts";
import { checkSerfConfig } from "../../cluster/serf/model/config.ts";
import { Listeners } from "../agent/events/listeners.ts";
import { openGuard } from "../agent/guard.ts";
import { initialKeys, initialTags } from "../agent/start/kept.ts";
import { keyringOf, memberlistSettings, serfSettings } from "../agent/start/layers.ts";
import { FAILED } from "../agent/start/open.ts";
import { DEFAULT_GOSSIP_PORT, splitGoAddress } from "../config/addresses.ts";
import {
  advertisedAddress,
  type AgentPlan,
  bindPlanOf,
  encryptionKey,
  profileOf,
  rpcToken,
} from "../config/plan.ts";
import type { AgentConfig } from "../config/settings.ts";
import { fileProblem } from "../files/problem.ts";
import { AgentLog } from "../logging/log.ts";
import { listenProblem } from "../net/problems.ts";

/** Stands for addresses that cannot be resolved while the rest is looked at. Nothing is bound to it. */
const SOME_ADDRESS = { host: "127.0.0.1", port: 7946 } as const;

/** A network that is bound there. */
const SOME_NETWORK = { localAddress: SOME_ADDRESS, families: ["IPv4"] } as const;

/**
 * Everything that would end a start with these settings, in the order in which it would, each in the words of the
 * start, and addresses that can never be joined.
 *
 * The values themselves were checked before (`settingProblems`).
 */
export async function inspectConfig(config: AgentConfig): Promise<string[]> {
  const problems: string[] = [];
  const attempt = async <T>(work: () => T | Promise<T>, label = ""): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      problems.push(label === "" ? messageOf(error) : `${label}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const log = new AgentLog(config.nodeName);
  await attempt(() => bindPlanOf(config));
  const plan: AgentPlan = {
    config,
    bind: SOME_ADDRESS,
    advertise: await attempt(() => advertisedAddress(config)),
    encryptKey: await attempt(() => encryptionKey(config)),
    rpcAuth: await attempt(() => rpcToken(config)) ?? "",
    profile: await attempt(() => profileOf(config)) ?? "lan",
    notices: [],
  };
  const tags = await attempt(() => initialTags(config, log), FAILED.setup) ?? {};
  const fileKeys = await attempt(() => initialKeys(config, log), FAILED.setup);
  await attempt(() => checkRejoinFile(config.snapshotPath), FAILED.start);
  const keyring: Keyring | undefined = fileKeys ??
    await attempt(() => keyringOf(plan), FAILED.start);
  await attempt(() => {
    const memberlist = memberlistSettings(config, plan, SOME_NETWORK, keyring);
    checkSerfConfig(serfSettings(config, tags, memberlist, new Listeners(log)));
    checkConfig(memberlist);
  }, FAILED.start);
  await attempt(() => openGuard(config.kv));
  await attempt(() => checkRpcAddress(config.rpcAddr), "Error starting RPC listener");
  const { startJoin: start_join, retryJoin: retry_join } = config;
  for (const [name, addresses] of Object.entries({ start_join, retry_join })) {
    for (const address of addresses) {
      await attempt(
        () => parseJoinAddress(address, DEFAULT_GOSSIP_PORT),
        `Invalid ${name} address '${address}'`,
      );
    }
  }
  return problems;
}

/** The folder of the rejoin file must be there, and the rejoin file, if there is one, must be a file. */
async function checkRejoinFile(path: string): Promise<void> {
  if (path === "") return;
  const folder = path.includes("/") ? path.replace(/\/[^/]*$/, "") || "/" : ".";
  const fail = (what: string, why: string): never => {
    throw new Error(`Failed to setup snapshot: open ${what}: ${why}`);
  };
  try {
    if (!(await Deno.stat(folder)).isDirectory) fail(folder, "not a directory");
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) fail(path, fileProblem(cause));
    throw cause;
  }
  // A file that is not there yet will be made.
  const found = await Deno.stat(path).catch(() => undefined);
  if (found?.isDirectory) fail(path, "is a directory");
}

function checkRpcAddress(address: string): void {
  try {
    splitGoAddress(address);
  } catch (cause) {
    throw new Error(listenProblem(address, cause), { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
