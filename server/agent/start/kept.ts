/**
 * What an earlier life of an agent left in its files: tags, keys, and the rejoin file.
 *
 * @module
 */

import type { Keyring } from "../../../cluster/memberlist/mod.ts";
import type { Metrics } from "../../../cluster/runtime.ts";
import type { AgentConfig } from "../../config/settings.ts";
import { readKeyringFile } from "../../files/keyring_file.ts";
import { readTagsFile } from "../../files/tags_file.ts";
import type { AgentLog } from "../../logging/log.ts";
import type { RejoinFile } from "../../rejoin_file/rejoin_file.ts";

/**
 * The tags to start with.
 *
 * @throws {Error} when the configuration names tags and a tags file, and when the file cannot be used.
 */
export async function initialTags(
  config: AgentConfig,
  log: AgentLog,
): Promise<Record<string, string>> {
  const { tags, tagsFile } = config;
  if (tagsFile === "") return { ...tags };
  if (Object.keys(tags).length > 0) {
    throw new Error("Tags config not allowed while using tag files");
  }
  const restored = await readTagsFile(tagsFile);
  if (restored === undefined) return {};
  const count = Object.keys(restored).length;
  log.write("INFO", "agent", `Restored ${count} tag(s) from ${tagsFile}`);
  return restored;
}

/**
 * The keys of the keyring file, if there is one.
 *
 * @throws {Error} when the configuration also names a key, and when the file cannot be used.
 */
export async function initialKeys(
  config: AgentConfig,
  log: AgentLog,
): Promise<Keyring | undefined> {
  const { keyringFile, encryptKey, encryptFile } = config;
  if (keyringFile === "") return undefined;
  if (encryptKey + encryptFile !== "") {
    throw new Error("Encryption key not allowed while using a keyring");
  }
  const keyring = await readKeyringFile(keyringFile);
  log.write("INFO", "agent", `Restored keyring with ${keyring.size} keys from ${keyringFile}`);
  return keyring;
}

/**
 * The rejoin file of an earlier life, opened to go on, if the configuration names a file.
 *
 * @throws {RejoinFileError} when the file cannot be used.
 */
export async function initialRejoinFile(
  { snapshotPath, rejoinAfterLeave }: AgentConfig,
  log: AgentLog,
  metrics: Metrics,
): Promise<RejoinFile | undefined> {
  if (snapshotPath === "") return undefined;
  const { RejoinFile } = await import("../../rejoin_file/rejoin_file.ts");
  const logger = log.logger("serf");
  return await RejoinFile.open(snapshotPath, { rejoinAfterLeave, log: logger, metrics });
}
