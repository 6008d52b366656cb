/**
 * Secrets: from files and the environment, and never in what is said about a configuration.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { exposureWarnings } from "../../../server/config/exposure.ts";
import { checkConfig, ConfigError, loadConfig } from "../../../server/config/load.ts";
import { encryptionKey, rpcToken } from "../../../server/config/plan.ts";
import { completeConfig } from "../../../server/config/settings.ts";
import { readKeyringFile } from "../../../server/files/keyring_file.ts";

const KEY = "QHOYjmYlxSCBhdfiolhtDQ==";

async function withFile(text: string, work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "f.json");
    await Deno.writeTextFile(path, text);
    await work(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("key and token come from files of their own, without the line break at the end", async () => {
  for (const end of ["", "\n", "\r\n"]) {
    await withFile(KEY + end, async (path) => {
      const config = completeConfig({ nodeName: "a", encryptFile: path, rpcAuthFile: path });
      assert.equal((await encryptionKey(config))?.toBase64(), KEY);
      assert.equal(await rpcToken(config), KEY);
      await assert.rejects(encryptionKey({ ...config, encryptKey: KEY }), {
        name: "ConfigError",
        message: "Expected encrypt_key or encrypt_file, got both",
      });
    });
  }
  await withFile("\n", async (path) => {
    await assert.rejects(rpcToken(completeConfig({ nodeName: "a", rpcAuthFile: path })), {
      message: `Error reading rpc_auth_file '${path}': expected a secret, got an empty file`,
    });
  });
  const missing = completeConfig({ nodeName: "a", encryptFile: "/nonexistent" });
  await assert.rejects(encryptionKey(missing), {
    message: "Error reading encrypt_file '/nonexistent': no such file or directory",
  });
});

Deno.test("the key of the environment counts when files and flags name none", async () => {
  const environment = { encryptKey: KEY };
  const key = async (flags: Parameters<typeof loadConfig>[1]) =>
    (await loadConfig([], flags, environment)).config.encryptKey;
  assert.equal(await key({}), KEY);
  assert.equal(await key({ encrypt_key: "other" }), "other");
  assert.equal(await key({ encrypt_file: "/f" }), "");
  assert.equal(await key({ keyring_file: "/f" }), "");
  await withFile('{"encrypt_key":"file"}', async (path) => {
    assert.equal((await loadConfig([path], {}, environment)).config.encryptKey, "file");
  });
});

Deno.test("nothing that is said about a file has a secret in it, or a control character", async () => {
  const slips = [
    `{"encrypt_key":${KEY}}`,
    `{"encrypt_key":'${KEY}'}`,
    `{"encrypt_key":["${KEY}"]}`,
    `{"encrypt_key":"${KEY}`,
    `encrypt_key: ${KEY}`,
    `{"rpc_auth":hunter2}`,
    `{"rpc_auth":20211231}`,
    `{"rpc_auth":true}`,
    `{"rpc_auth":"hunter2" "bind":"x"}`,
    `{"\\u001b[31m":1}`,
    `{"bind":\u001b[31m}`,
    `["${KEY}",]`,
    `[${KEY}]`,
    KEY,
  ];
  for (const text of slips) {
    await withFile(text, async (path) => {
      const said = (await checkConfig([path], {})).problems.map(({ message }) => message);
      const reason = await readKeyringFile(path).then(() => "taken", ({ message }) => message);
      assert.equal(said.length, 1, text);
      for (const line of [...said, reason]) {
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(line, /QHOY|hunter|2021|true|[\x00-\x1f]/, text);
      }
    });
  }
});

Deno.test("a value that is no secret is still shown", async () => {
  await withFile('{"bind":5}', async (path) => {
    await assert.rejects(
      loadConfig([path], {}),
      new ConfigError(`Error decoding '${path}': 'bind' expected a string, got number 5`),
    );
  });
});

Deno.test("ports of the state that nothing protects are told, one line each", () => {
  const warned = (settings: Parameters<typeof completeConfig>[0]) =>
    exposureWarnings(completeConfig({ nodeName: "a", bind: "127.0.0.1", ...settings }));
  const isPeers = /^Warning: Whoever reaches the port of the other servers can change the state/;
  assert.deepEqual(warned({ server: true }), []);
  assert.deepEqual(warned({ dev: true, bind: "10.0.0.1" }), []);
  assert.deepEqual(warned({ peerAddr: "10.0.0.1" }), [], "nobody listens");
  for (const open of [{ bind: "10.0.0.1" }, { peerAddr: "10.0.0.1" }, { peerAddr: ":7376" }]) {
    const [line = "", ...more] = warned({ server: true, ...open });
    assert.match(line, isPeers);
    assert.deepEqual(more, []);
    assert.deepEqual(warned({ server: true, encryptKey: KEY, ...open }), []);
  }
  const kv = { insecure: true };
  assert.deepEqual(warned({ server: true, kvAddr: ":8379", encryptKey: KEY, kv }), [
    "Warning: Whoever reaches ':8379' reads and writes the state, without a token. " +
    "Use -kv-tokens-file or -kv-addr",
  ]);
  const tokens = { tokensFile: "/t" };
  assert.deepEqual(warned({ server: true, kvAddr: ":8379", encryptKey: KEY, kv: tokens }), [
    "Warning: Tokens and values cross the network to ':8379' without encryption. " +
    "Use -kv-tls-cert and -kv-tls-key",
  ]);
  const tls = { ...tokens, tlsCert: "/c", tlsKey: "/k" };
  assert.deepEqual(warned({ server: true, kvAddr: ":8379", encryptKey: KEY, kv: tls }), []);
  assert.deepEqual(warned({ server: true, kvAddr: "none", kv }), []);
});

Deno.test("ports that nothing protects are told, one line each", () => {
  const warned = (settings: Parameters<typeof completeConfig>[0]) =>
    exposureWarnings(completeConfig({ nodeName: "a", ...settings }))
      .map((line) => line.split(" ", 2)[1]);
  assert.deepEqual(warned({}), ["Gossip"]);
  for (const bind of ["0.0.0.0:1", "[::]", ":7946", "[0::0]:1"]) {
    assert.deepEqual(warned({ bind }), ["Gossip"], bind);
  }
  const quiet = [
    { bind: "127.0.0.1" },
    { bind: "10.0.0.1" },
    { interface: "lo" },
    { encryptKey: KEY },
    { encryptFile: "f" },
    { keyringFile: "f" },
  ];
  for (const settings of quiet) assert.deepEqual(warned(settings), []);
  const bind = "127.0.0.1";
  for (const rpcAddr of ["0.0.0.0:7373", ":7373", "10.0.0.1:7373", "[::]:7373", "example:7373"]) {
    assert.deepEqual(warned({ bind, rpcAddr }), ["RPC"], rpcAddr);
    assert.deepEqual(warned({ bind, rpcAddr, rpcAuth: "t" }), []);
    assert.deepEqual(warned({ bind, rpcAddr, rpcAuthFile: "t" }), []);
  }
  for (const rpcAddr of ["127.0.0.9:7373", "localhost:7373", "[::1]:7373", "wrong"]) {
    assert.deepEqual(warned({ bind, rpcAddr }), [], rpcAddr);
  }
  for (const rpcAddr of ["127.0.0.1.example:7373", "127.example:7373"]) {
    assert.deepEqual(warned({ bind, rpcAddr }), ["RPC"], rpcAddr);
  }
});
