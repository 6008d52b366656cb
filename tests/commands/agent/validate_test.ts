import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { loadConfig } from "../../../server/config/load.ts";
import { CERTIFICATE, OTHER_PRIVATE_KEY, PRIVATE_KEY } from "../../support/net/certificate.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const KEY = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";

/** Runs `skein validate` on a folder of files, whose name is shown as DIR. */
async function validate(files: Record<string, unknown>, ...argv: string[]) {
  const folder = await Deno.makeTempDir({ prefix: "skein-validate-" });
  try {
    const plain = (text: string): string => text.replaceAll(folder, "DIR");
    for (const [name, content] of Object.entries(files)) {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await Deno.writeTextFile(`${folder}/${name}`, text.replaceAll("DIR", folder));
    }
    const terminal = recordingTerminal();
    const code = await dispatch(["validate", ...argv, folder], terminal);
    return { code, stdout: plain(terminal.stdout), stderr: plain(terminal.stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("validate prints the merged configuration without its secrets", async () => {
  const files = {
    "1.json": { node_name: "a", tags: { a: "1" }, encrypt_key: KEY, reconnect_timeout: "90m" },
    "2.json": {
      node_name: "b",
      tags: { b: "2" },
      rpc_auth: "s3cret",
      mdns: { disable_ipv6: true },
    },
    "3.json": { role: "web", disable_coordinates: true, event_handler_timeout: "0s" },
  };
  const { code, stdout, stderr } = await validate(files);
  assert.equal(code, 0);
  assert.equal(stderr, "Deprecation warning: 'Role' has been replaced with 'Tags'\n");
  const shown = JSON.parse(stdout);
  assert.equal(shown.node_name, "b");
  assert.deepEqual(shown.tags, { a: "1", b: "2", role: "web" });
  assert.deepEqual([shown.encrypt_key, shown.rpc_auth], ["(hidden)", "(hidden)"]);
  assert.deepEqual([shown.reconnect_timeout, shown.event_handler_timeout], ["1h30m", "0s"]);
  assert.deepEqual(shown.mdns, { interface: "", disable_ipv4: false, disable_ipv6: true });
  assert.equal(shown.disable_coordinates, true);
  assert.ok(!stdout.includes(KEY) && !stdout.includes("s3cret"));
});

Deno.test("what validate prints is a configuration with the same meaning", async () => {
  const file = { node_name: "a", disable_coordinates: true, log_levels: { serf: "WARN" } };
  const { stdout } = await validate({ "a.json": file });
  const folder = await Deno.makeTempDir({ prefix: "skein-validate-" });
  try {
    await Deno.writeTextFile(`${folder}/first.json`, JSON.stringify(file));
    await Deno.writeTextFile(`${folder}/printed.json`, stdout);
    const [first, printed] = await Promise.all(
      ["first", "printed"].map((name) => loadConfig([`${folder}/${name}.json`], {})),
    );
    assert.deepEqual(printed, first);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("validate finds everything that would end a start", async () => {
  const start = "Failed to start the Serf agent: Error creating Serf";
  const { code, stdout } = await validate({
    "1.json": { node: "x" },
    "2.json": "{",
    "3.json": {
      bind: "127.0.14.9:xx",
      advertise: "::1",
      encrypt_key: "YWJj",
      profile: "x",
      log_level: "loud",
      event_handlers: ["foo=bar"],
      snapshot_path: "DIR/none/snapshot",
      protocol: 6,
      rpc_addr: "here",
      start_join: ["127.0.14.9", "127.0.14.9:http"],
      retry_join: ["a/[::1]:7946", "[::1"],
    },
  });
  assert.equal(code, 1);
  const [unknown, broken, ...rest] = stdout.trim().split("\n");
  assert.equal(
    unknown,
    "Error decoding 'DIR/1.json': unknown key 'node', did you mean 'node_name'?",
  );
  assert.match(broken ?? "", /^Error decoding 'DIR\/2\.json': /);
  assert.deepEqual(rest, [
    "Invalid event script: Event 'foo' invoking 'bar'. Valid events are: * member-join member-leave member-failed member-update member-reap user query, with names as in user:NAME",
    "Invalid log level: LOUD. Valid log levels are: [TRACE DEBUG INFO WARN ERR]",
    "Invalid bind address: address tcp/xx: unknown port",
    "Invalid advertise address: address ::1: too many colons in address",
    "Unknown profile: x, expected lan, wan or local",
    `${start}: Failed to setup snapshot: open DIR/none/snapshot: no such file or directory`,
    `${start}: Failed to create memberlist: key size must be 16, 24 or 32 bytes, got 3; 'skein keygen' makes a key`,
    `${start}: Protocol version '6' too high. Must be in range: [2, 5]`,
    "Error starting RPC listener: listen tcp: address here: missing port in address",
    `Invalid start_join address '127.0.14.9:http': strconv.ParseUint: parsing "http": invalid syntax`,
    "Invalid retry_join address '[::1': address [::1: missing ']' in address",
  ]);
});

Deno.test("validate reads keyring and tags files", async () => {
  const setup = "Failed to setup the Serf agent";
  const files = { "a.json": { keyring_file: "DIR/keys", tags_file: "DIR/tags" } };
  const good = await validate({ ...files, keys: `["${KEY}"]`, tags: `{"a":"b"}` });
  assert.equal(good.code, 0, good.stdout);
  const bad = await validate({ ...files, keys: "[]", tags: "" });
  assert.deepEqual(bad, {
    code: 1,
    stdout: `${setup}: Failed to decode tags file: unexpected end of JSON input\n` +
      `${setup}: Keyring file contains no keys\n`,
    stderr: "",
  });
  const long = await validate({ ...files, keys: `["${KEY}"]`, tags: { a: "y".repeat(600) } });
  assert.match(long.stdout, /: Encoded length of tags exceeds limit of 512 bytes/);
  const missing = await validate(files);
  assert.equal(
    missing.stdout,
    `${setup}: stat DIR/keys: no such file or directory; it has to hold a list of keys: ` +
      `["KEY"]; 'skein keygen' makes a key\n`,
  );
});

Deno.test("validate reads the files that guard the key-value port", async () => {
  const kv = { tokens_file: "DIR/tokens", tls_cert: "DIR/cert", tls_key: "DIR/key" };
  const files = { "a.json": { server: true, data_dir: "/d", kv }, cert: CERTIFICATE };
  const good = await validate({ ...files, tokens: "[]", key: PRIVATE_KEY });
  assert.equal(good.code, 0, good.stdout);
  const bad = await validate({ ...files, tokens: '[{"name":"a"}]', key: PRIVATE_KEY });
  assert.deepEqual(bad, {
    code: 1,
    stdout: "Error reading kv.tokens_file 'DIR/tokens': entry 1: 'hash' of 'a' is none: " +
      "'skein kv token' makes one\n",
    stderr: "",
  });
  const other = await validate({ ...files, tokens: "[]", key: OTHER_PRIVATE_KEY });
  assert.equal(
    other.stdout,
    "Error using kv.tls_cert 'DIR/cert' with kv.tls_key 'DIR/key': the key is that of another " +
      "certificate\n",
  );
});

Deno.test("validate tells errors as JSON, too", async () => {
  const { code, stdout, stderr } = await validate(
    { "a.json": { profile: "x", log_format: "xml" } },
    "-format=json",
  );
  assert.deepEqual([code, stderr], [1, ""]);
  const errors = [
    "Invalid log format: xml. Valid log formats are: [text json]",
    "Unknown profile: x, expected lan, wan or local",
  ];
  assert.deepEqual(JSON.parse(stdout), { error: errors.join("\n"), errors });
});

Deno.test("validate needs a path, and one that is there", async () => {
  const terminal = recordingTerminal();
  assert.equal(await dispatch(["validate"], terminal), 1);
  assert.match(
    terminal.stdout,
    /^At least one file or directory to check must be specified\.\n$/,
  );
  const missing = recordingTerminal();
  assert.equal(await dispatch(["validate", "/nonexistent"], missing), 1);
  assert.equal(
    missing.stdout,
    "Error reading '/nonexistent': open /nonexistent: no such file or directory\n",
  );
});
