/**
 * What an operator may not know of the ports that an agent opens.
 *
 * @module
 */

import type { Address } from "../../cluster/runtime.ts";
import { isWildcard } from "../net/listen.ts";
import { DEFAULT_GOSSIP_PORT, isLoopback, splitGoAddress } from "./addresses.ts";
import type { AgentConfig } from "./settings.ts";
import { gatewaySettings, hasAccess, stateSettings } from "./state_settings.ts";

/** One line for each port that strangers reach and that nothing protects. */
export function exposureWarnings(config: AgentConfig): string[] {
  const { bind, encryptKey, encryptFile, keyringFile, rpcAddr, rpcAuth, rpcAuthFile } = config;
  const warnings: string[] = [];
  const isOpen = config.interface === "" && isEverywhere(hostOf(bind, DEFAULT_GOSSIP_PORT));
  const hasKey = encryptKey + encryptFile + keyringFile !== "";
  if (isOpen && !hasKey) {
    warnings.push(
      "Warning: Gossip is open to all networks of this machine, without a key. " +
        "Use -bind or -encrypt-file",
    );
  }
  const rpcHost = hostOf(rpcAddr);
  if (rpcHost !== undefined && !isLoopback(rpcHost) && rpcAuth + rpcAuthFile === "") {
    warnings.push(
      `Warning: RPC at '${rpcAddr}' obeys whoever reaches it, without a token. ` +
        "Use -rpc-addr or -rpc-auth-file",
    );
  }
  const state = stateSettings(config) ?? gatewaySettings(config);
  if (state !== undefined && !hasKey && !isLoopback(state.peer.host)) {
    warnings.push(
      "Warning: Whoever reaches the port of the other servers can change the state, without a key. " +
        "Use -peer-addr or -encrypt-file",
    );
  }
  const { session, topics } = state !== undefined && "session" in state ? state : NOWHERE;
  warnings.push(
    ...clientWarnings(config, state?.kv, config.kvAddr, "-kv-addr"),
    ...clientWarnings(config, session, config.sessionAddr, "-session-addr"),
    ...clientWarnings(config, topics, config.topicsAddr, "-topics-addr"),
  );
  return warnings;
}

/** Where an agent that is no server serves what only servers do. */
const NOWHERE = { session: undefined, topics: undefined } as const;

/** What is to be said of a port of clients of the state. */
function clientWarnings(
  { kv }: AgentConfig,
  address: Address | undefined,
  text: string,
  flag: string,
): string[] {
  if (address === undefined || isLoopback(address.host)) return [];
  if (!hasAccess(kv)) {
    return [
      `Warning: Whoever reaches '${text}' reads and writes the state, without a token. ` +
      `Use -kv-tokens-file or ${flag}`,
    ];
  }
  return kv.tlsCert !== "" ? [] : [
    `Warning: Tokens and values cross the network to '${text}' without encryption. ` +
    "Use -kv-tls-cert and -kv-tls-key",
  ];
}

/** `undefined` when the address cannot be used, which is told elsewhere. */
function hostOf(address: string, defaultPort?: number): string | undefined {
  try {
    return splitGoAddress(address, defaultPort).host;
  } catch {
    // It is no address.
    return undefined;
  }
}

function isEverywhere(host: string | undefined): boolean {
  return host === "" || (host !== undefined && isWildcard(host));
}
