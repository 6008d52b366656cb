/**
 * What a script learns of an event: environment variables and standard input (docs/spec/agent.md 6.9).
 *
 * @module
 */

import type { Member, SerfEvent } from "../../cluster/serf/mod.ts";
import { addrToHost } from "../../protocol/ip.ts";
import { encodeUtf8 } from "../../protocol/text.ts";

/** The own node as scripts see it. */
export interface ScriptSelf {
  /** Its name. */
  readonly name: string;
  /** Its tags. */
  readonly tags: Readonly<Record<string, string>>;
}

/** The variables that a script gets besides the agent's environment. */
export function scriptVariables(event: SerfEvent, self: ScriptSelf): Record<string, string> {
  const { name, tags } = self;
  const variables: Record<string, string> = {
    SERF_EVENT: event.type,
    SERF_SELF_NAME: name,
    SERF_SELF_ROLE: tags.role ?? "",
  };
  for (const [tag, value] of Object.entries(tags)) variables[`SERF_TAG_${variableOf(tag)}`] = value;
  if (event.type === "user") {
    variables.SERF_USER_EVENT = event.name;
    variables.SERF_USER_LTIME = String(event.ltime);
  } else if (event.type === "query") {
    variables.SERF_QUERY_NAME = event.name;
    variables.SERF_QUERY_LTIME = String(event.ltime);
  }
  return variables;
}

/** What a script can read: a line for each member, or the payload, which then ends in a line break. */
export function scriptInput(event: SerfEvent): Uint8Array {
  if (event.type !== "user" && event.type !== "query") {
    return encodeUtf8(event.members.map(memberLine).join(""));
  }
  const payload = event.payload ?? new Uint8Array(0);
  if (payload.length === 0 || payload.at(-1) === LINE_BREAK) return payload;
  const line = new Uint8Array(payload.length + 1);
  line.set(payload);
  line[payload.length] = LINE_BREAK;
  return line;
}

const LINE_BREAK = 0x0a;

/** Each character by itself: one whose upper case is several characters has none in Go. */
function variableOf(tag: string): string {
  const upper = Array.from(tag, (char) => {
    const raised = char.toUpperCase();
    return [...raised].length === 1 ? raised : char;
  });
  return upper.map((char) => /^[A-Z0-9_]$/.test(char) ? char : "_").join("");
}

function memberLine({ name, addr, tags }: Member): string {
  const pairs = Object.entries(tags).map(([tag, value]) => `${tag}=${value}`).join(",");
  return `${inOneField(name)}\t${addrToHost(addr)}\t${inOneField(tags.role ?? "")}\t${
    inOneField(pairs)
  }\n`;
}

function inOneField(text: string): string {
  return text.replaceAll("\t", "\\t").replaceAll("\n", "\\n");
}
