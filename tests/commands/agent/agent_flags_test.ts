import assert from "node:assert/strict";
import { AGENT_FLAGS, configInput, configPaths } from "../../../commands/agent/agent_flags.ts";
import { CommandError } from "../../../commands/shell/command.ts";
import { parseFlags } from "../../../commands/shell/flags.ts";

const input = (...argv: string[]) => configInput(parseFlags(AGENT_FLAGS, argv));

/** What says nothing over a configuration file. */
const EMPTY = {
  start_join: [],
  retry_join: [],
  event_handlers: [],
  tags: {},
  log_levels: {},
  protocol: 0,
  retry_max_attempts: 0,
  event_handler_concurrency: 0,
  bootstrap_expect: 0,
};

Deno.test("every flag of Serf's agent, and ours, sets its key", () => {
  assert.deepEqual(input(), EMPTY);
  const flags: Record<string, unknown> = {
    "-node=n": { node_name: "n" },
    "-bind=b": { bind: "b" },
    "-advertise=a": { advertise: "a" },
    "-iface=lo": { interface: "lo" },
    "-encrypt=k": { encrypt_key: "k" },
    "-encrypt-file=f": { encrypt_file: "f" },
    "-rpc-auth-file=f": { rpc_auth_file: "f" },
    "-keyring-file=k": { keyring_file: "k" },
    "-event-handler=x=y": { event_handlers: ["x=y"] },
    "-join=j": { start_join: ["j"] },
    "-replay": { replay_on_join: true },
    "-log-level=warn": { log_level: "warn" },
    "-protocol=4": { protocol: 4 },
    "-role=r": { role: "r" },
    "-rpc-addr=r": { rpc_addr: "r" },
    "-profile=wan": { profile: "wan" },
    "-snapshot=s": { snapshot_path: "s" },
    "-tag=a=b=c": { tags: { a: "b=c" } },
    "-tags-file=t": { tags_file: "t" },
    "-discover=d": { discover: "d" },
    "-mdns-iface=lo": { mdns: { interface: "lo" } },
    "-mdns-disable-ipv4": { mdns: { disable_ipv4: true } },
    "-mdns-disable-ipv6": { mdns: { disable_ipv6: true } },
    "-syslog": { enable_syslog: true },
    "-retry-join=r": { retry_join: ["r"] },
    "-retry-max=3": { retry_max_attempts: 3 },
    "-retry-interval=3s": { retry_interval: "3s" },
    "-rejoin": { rejoin_after_leave: true },
    "-disable-compression": { enable_compression: false },
    "-broadcast-timeout=3s": { broadcast_timeout: "3s" },
    "-log-levels=serf=debug": { log_levels: { serf: "debug" } },
    "-log-format=json": { log_format: "json" },
    "-event-handler-timeout=0s": { event_handler_timeout: "0s" },
    "-event-handler-concurrency=2": { event_handler_concurrency: 2 },
    "-dev": { dev: true },
    "-server": { server: true },
    "-data-dir=d": { data_dir: "d" },
    "-bootstrap-expect=3": { bootstrap_expect: 3 },
    "-peer-addr=p": { peer_addr: "p" },
    "-kv-addr=none": { kv_addr: "none" },
    "-session-addr=none": { session_addr: "none" },
    "-topics-addr=none": { topics_addr: "none" },
    "-durability=async": { durability: "async" },
    "-kv-mode=echo": { kv: { mode: "echo" } },
    "-kv-insecure": { kv: { insecure: true } },
    "-kv-tokens-file=t": { kv: { tokens_file: "t" } },
    "-kv-tls-cert=c": { kv: { tls_cert: "c" } },
    "-kv-tls-key=k": { kv: { tls_key: "k" } },
  };
  for (const [flag, wanted] of Object.entries(flags)) {
    assert.deepEqual(input(flag), { ...EMPTY, ...wanted as object }, flag);
  }
  const named = Object.keys(flags).map((flag) => /^-([a-z0-9-]+)/.exec(flag)?.[1]);
  assert.deepEqual([...named, "config-file", "config-dir"].sort(), Object.keys(AGENT_FLAGS).sort());
});

Deno.test("flags that may be given many times keep their order, and files and directories too", () => {
  assert.deepEqual(input("-join=a", "-join", "b", "-tag=a=1", "-tag=b=", "-tag=a=2"), {
    ...EMPTY,
    start_join: ["a", "b"],
    tags: { a: "2", b: "" },
  });
  const mixed = ["-config-dir=d", "-node=n", "-config-file=f", "-config-dir", "e"];
  assert.deepEqual(configPaths(parseFlags(AGENT_FLAGS, mixed)), ["d", "f", "e"]);
});

Deno.test("a tag or level without its name is refused", () => {
  assert.throws(() => input("-tag=x"), { message: "Error: Invalid tag: 'x'" });
  assert.throws(() => input("-tag==x"), {
    message: "Error: Invalid tag: '=x'",
    hint: "A tag is KEY=VALUE, such as role=web",
  });
  assert.throws(
    () => input("-log-levels=debug"),
    new CommandError("Error: Invalid -log-levels: 'debug', expected SUBSYSTEM=LEVEL"),
  );
});
