/**
 * Writes docs/CLI.md from the help of the commands: `deno task docs:cli`.
 *
 * @module
 */

import { COMMANDS } from "../commands/catalogue.ts";

/** What `-format=json` prints, for commands whose help does not say it. */
const JSON_OUTPUT: Readonly<Record<string, string>> = {
  completion: `{ "shell": "bash", "script": "..." }`,
  event: `{ "event": "deploy", "coalesce": true }`,
  "force-leave": `{ "node": "b", "prune": false }`,
  info: `{ "agent": { "name": "a" }, "serf": { "members": "3", ... }, ... }`,
  join: `{ "joined": 2 }`,
  keygen: `{ "key": "..." }`,
  keys: `{ "nodes": 3, "responses": 3, "failures": 0, "messages": { "NODE": "..." },
  "keys": { "KEY": 3 } }        with -list only`,
  kv: `{ "key": "greeting", "value": "hello", "rev": 3 }        get
{ "key": "greeting", "rev": 3 }        set
{ "key": "greeting", "deleted": 1 }        del
{ "key": "visits", "value": 7 }        incr
{ "key": "global^greeting" }        keys, a line each
{ "key": "global^greeting", "value": "hello", "rev": 3 }        keys -values`,
  leave: `{ "left": true }`,
  members: `{ "members": [ { "name": "a", "addr": "10.0.0.1:7946", "port": 7946, "tags": { ... },
  "status": "alive", "protocol": { "max": 5, "min": 2, "version": 5 } } ] }
null instead of a list that is empty

with -watch, a line for each member, then one for each change:
{"time":"...","change":"present","member":{...}}
present, added, changed or removed`,
  monitor: `a line for each message and each event:
{"type":"log","level":"INFO","line":"..."}
{"type":"user","time":"...","ltime":8,"name":"deploy","payload":"v1.2","coalesce":true}
{"type":"query","time":"...","id":1,"ltime":2,"name":"load","payload":null}
{"type":"member-join","time":"...","members":[{...}]}`,
  query: `{ "Acks": [ "a", "b" ], "Responses": { "a": "..." } }
null instead of a list of acks that is empty`,
  raft:
    `status: { "node": "a", "id": "...", "cluster_id": "...", "role": "leader", "term": 3, "leader": "a",
  "last_index": 9, "commit_index": 9, "applied_index": 9, "snapshot_index": 0,
  "failure_tolerance": 1, "storage_full": false, "loop_lag_ms": 1.2, "peers": [ ... ],
  "session_addr": "127.0.0.1:7375", "topics_addr": "127.0.0.1:9092", "other_clusters": [] }
peers: [ { "name": "b", "id": "...", "address": "10.0.0.2:7376", "role": "voter",
  "match_index": 9, "last_contact_ms": 12, "healthy": true } ]; null where only the leader knows
snapshot: { "index": 9 }
verify: { "index": 9, "equal": true, "hash": "...", "servers": [ { "name": "b", "id": "...",
  "role": "voter", "result": "equal", "hash": "...", "bytes": 375, "problems": [] } ] };
  result is equal, differs, damaged or silent; null where nothing is known
rebuild: { "kind": "state", "aside": "...", "moved": [ "state" ], "node_id": "...",
  "old_node_id": "...", "cluster_id": "..." }
add, remove, demote, transfer: { "done": true }`,
  reachability:
    `{ "members": 4, "live": 3, "acks": [ "a", "b", "c" ], "missing": [], "unexpected": [],
  "duplicates": [], "query_seconds": 0.21, "last_ack_seconds": 0.2 }
with an "error" too when something is wrong`,
  reload: `{ "applied": [ "log_level" ], "restart": [ "bind" ] }`,
  rtt:
    `{ "nodes": [ "b", "a" ], "rtt_ms": 0.392, "coordinates": { "a": { "vec": [ ... ], ... }, "b": ... } }`,
  session:
    `list: [ { "id": "...", "created_at": 1800000000000, "connected": true, "capabilities": { "worker": "v2" },
  "floor": 8, "highest_request": 9, "answers": 2, "answer_bytes": 80, "last_server_request": 3,
  "pending": 0, "pending_bytes": 0, "watches": 1 } ]; connected is null where only the leader knows
show: one of these
end: { "done": true }`,
  tags: `{ "set": { "role": "web" }, "deleted": [] }`,
  topic: `create: { "topic": "orders", "partitions": 3, "created": true }
delete: { "topic": "orders", "deleted": true }
list: [ { "topic": "orders", "partitions": 3 } ]
describe: { "topic": "orders", "id": 1, "retention_ms": 604800000, "retention_bytes": null,
  "segment_bytes": 67108864, "segment_ms": 3600000, "dedupe_ms": 120000,
  "partitions": [ { "partition": 0, "start": 0, "end": 2, "bytes": 84 } ] }; null: never
alter: the same, from "topic" to "dedupe_ms", without "id"
produce: { "topic": "orders", "acknowledged": 2 }; after a failure
  { "error": "...", "topic": "orders", "sent": 9, "acknowledged": 2, "unknown": 0 }
consume, a line each: { "topic": "orders", "partition": 0, "offset": 0,
  "timestamp_ms": 1800000000000, "key": "a", "value": "1",
  "headers": [ { "name": "trace", "value": "ab12" } ] }
  key_base64 and value_base64 for what is no UTF-8; null for what there is none of
offsets: [ { "topic": "orders", "partition": 0, "start": 0, "end": 2, "committed": 1, "lag": 1 } ]
  the last two with -g, null where nothing is committed
trim: [ { "topic": "orders", "partition": 0, "start": 2 } ]
verify: as that of raft`,
  validate: `the merged configuration, also without the flag, or
{ "error": "...", "errors": [ "...", ... ] }`,
  version: `{ "version": "...", "protocol": { "current": 5, "min": 2 } }`,
};

const INTRODUCTION = `# Command line

This page is written by \`deno task docs:cli\` from the help of the commands. \`skein COMMAND -h\` shows
the same text.

## For all commands

- Flags are written \`-flag=value\`, \`-flag value\` or with two dashes. They stand before the
  arguments; they may also stand before the command. As in Serf, what comes after an argument is an
  argument, also when it begins with a dash. At a terminal that is an error, because it is hardly
  meant: \`--\` before the arguments says that it is.
- Output and error messages go to standard output, as in Serf. Standard error gets the help that you
  ask for with \`-h\`, wrong flags and, when it is a terminal, the progress of long commands and what
  to do about a failure. \`skein help COMMAND\` writes the help to standard output.
- Names, tags, payloads and answers come from other machines. On a terminal they can do no harm:
  what is not printable is escaped, the further lines of an answer or a log message are indented,
  and columns are as wide as they look. A pipe or a file gets them as they are.
- The exit code is 0 for success, 1 for a failure and 127 for an unknown command. An agent that ends
  because of a fault of its own has 70.
- \`SERF_RPC_ADDR\` and \`SERF_RPC_AUTH\` name the agent and its token, \`SKEIN_KV_ADDR\` the key-value
  port, \`SKEIN_TOPICS_ADDR\` the topics ports, and \`SKEIN_KV_TOKEN\` the token of both. Flags win over
  them.
- A terminal gets colours unless \`NO_COLOR\` is set.
- With \`-format=json\` (the case of the letters does not matter), standard output is JSON whatever
  happens. A failure is an object with the field \`error\`, whose text is that of the text format:

  \`\`\`json
  {
    "error": "Error connecting to Serf agent: dial tcp 127.0.0.1:7373: connect: connection refused"
  }
  \`\`\`

- Commands that go on until Ctrl-C print one JSON object per line.

## Scripts

\`\`\`sh
# The names of the failed members
skein members -format=json | jq -r '.members[]? | select(.status == "failed") | .name'

# What each member answered
skein query -format=json load | jq .Responses

# Only the user events, as they come
skein monitor -format=json | jq -c 'select(.type == "user")'

# Every member that fails, as it happens
skein members -watch -format=json | jq -c 'select(.member.status == "failed") | .member.name'

# The keys of the namespace app whose value is above 5, and who leads
skein kv keys -values -format=json ^app | jq -r 'select(.value > 5) | .key'
skein raft status -format=json | jq -r .leader

# What a program says, into a topic; and the orders above 100 out of one, as they come
journalctl -f | skein topic produce -idempotent logs
skein topic consume -follow -format=json orders | jq -c 'select((.value | tonumber) > 100)'

# Wait until three members are alive
until [ "$(skein members -status=alive | wc -l)" -ge 3 ]; do sleep 1; done
\`\`\`

## Commands
`;

/** Writes the page. */
export async function cliReference(): Promise<string> {
  const sections = Object.entries(COMMANDS).map(async ([name, { synopsis, load }]) => {
    const { command } = await load();
    const json = JSON_OUTPUT[name];
    const output = json === undefined ? "" : `\nWith \`-format=json\`:\n\n${block(json)}`;
    return `### ${name}\n\n${synopsis}.\n\n${block(command.help)}${output}`;
  });
  return `${INTRODUCTION}\n${(await Promise.all(sections)).join("\n")}`;
}

function block(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\`\n`;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("CLI.md", import.meta.url), await cliReference());
}
