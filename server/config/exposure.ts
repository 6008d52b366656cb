/**
 * What an operator may not know of the ports that an agent opens.
 *
 * @module
 */

import { isWildcard } from "../net/listen.ts";
import { DEFAULT_GOSSIP_PORT, splitGoAddress } from "./addresses.ts";
import type { AgentConfig } from "./settings.ts";

/** One line for each port that strangers reach and that nothing protects. */
export function exposureWarnings(config: AgentConfig): string[] {
  const { bind, encryptKey, encryptFile, keyringFile, rpcAddr, rpcAuth, rpcAuthFile } = config;
  const warnings: string[] = [];
  const isOpen = config.interface === "" && isEverywhere(hostOf(bind, DEFAULT_GOSSIP_PORT));
  if (isOpen && encryptKey + encryptFile + keyringFile === "") {
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
  return warnings;
}

/** `undefined` when the address cannot be used, which is told elsewhere. */
function hostOf(address: string, defaultPort?: number): string | undefined {
  try {
    return splitGoAddress(address, defaultPort).host;
  } catch {
    // A start does not come so far with it.
    return undefined;
  }
}

function isEverywhere(host: string | undefined): boolean {
  return host === "" || (host !== undefined && isWildcard(host));
}

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1" || host === "localhost";
}
