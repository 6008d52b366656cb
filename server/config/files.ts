/**
 * Reads configuration files and directories (docs/spec/agent.md 6.2). Loaded only when there are some.
 *
 * @module
 */

import { byteOrder } from "../../protocol/byte_order.ts";
import { parseJsonText } from "../files/json_text.ts";
import { fileProblem } from "../files/problem.ts";
import { readTextBounded } from "../files/read_bounded.ts";
import { requireText } from "./checks.ts";
import { escapeControls } from "../logging/line.ts";
import { ConfigError } from "./error.ts";
import type { InputOf, Options, OptionTable } from "./options/option.ts";
import { mergeInputs } from "./options/values.ts";
import { inputCheck } from "./schema.ts";

/** What the files say, and what is wrong with them. */
export interface FilesRead<T> {
  /** Everything that those files say that can be used. */
  readonly input: InputOf<T>;
  /** One for each path or file that cannot be read or understood; the message names it and says why. */
  readonly problems: readonly ConfigError[];
}

/**
 * Reads files in the given order. A directory stands for its `*.json` files in byte order of their names, without its
 * sub-directories.
 */
export async function readConfigFiles<const T extends OptionTable>(
  options: Options<T>,
  paths: readonly string[],
): Promise<FilesRead<T>> {
  let input: InputOf<T> = {};
  const problems: ConfigError[] = [];
  const check = inputCheck(options);
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
    }
  };
  for (const path of paths) {
    await attempt(async () => {
      for (const file of await filesOf(path)) {
        await attempt(async () => {
          input = mergeInputs(options, input, await readFile(file, check));
        });
      }
    });
  }
  return { input, problems };
}

async function filesOf(path: string): Promise<string[]> {
  requireText("path of a configuration", path);
  try {
    const { isDirectory } = await Deno.stat(path);
    if (!isDirectory) return [path];
    const names: string[] = [];
    for await (const entry of Deno.readDir(path)) {
      if (!entry.isDirectory && entry.name.endsWith(".json")) names.push(entry.name);
    }
    return names.sort(byteOrder).map((name) => `${path.replace(/\/+$/, "")}/${name}`);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Largest configuration file, in bytes. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

async function readFile<I>(path: string, check: (value: unknown) => I): Promise<I> {
  let text: string;
  try {
    text = await readTextBounded(path, MAX_FILE_BYTES);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    return check(parseFirstValue(text));
  } catch (cause) {
    const reason = escapeControls((cause as Error).message);
    throw new ConfigError(`Error decoding '${path}': ${reason}`, { cause });
  }
}

function unreadable(path: string, cause: unknown): ConfigError {
  return new ConfigError(`Error reading '${path}': open ${path}: ${fileProblem(cause)}`, { cause });
}

/** The first JSON value of `text`; what follows it is ignored, as Serf does. */
function parseFirstValue(text: string): unknown {
  return parseJsonText(text.slice(0, endOfFirstObject(text)));
}

/** Where the first object of `text` ends; `text.length` when it does not start with a whole one. */
function endOfFirstObject(text: string): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]|[^\s"{}]+/gs)) {
    if (token === "{") depth++;
    else if (depth === 0) break;
    else if (token === "}" && --depth === 0) return index + 1;
  }
  return text.length;
}
