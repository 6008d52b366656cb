/** The client library in Node, Bun and Deno: from the npm package that `deno pack` makes, and bundled into one file. */

import assert from "node:assert/strict";
import ts from "typescript";
import { freePort, skein, startAgent } from "../support/agents.ts";
import { TlsServer } from "../../server/net/wire/tls.ts";
import { accessOf } from "../support/kv/access.ts";
import { serve } from "../support/kv/stage.ts";
import { loopback } from "../support/loopback.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../support/net/certificate.ts";
import { startScriptedServer } from "../support/sessions/scripted_server.ts";
import { serveTopics } from "../support/topics/scripted_server.ts";

const HOST = loopback();
const ROOT = new URL("../..", import.meta.url).pathname;
const PROGRAM = `${ROOT}tests/support/client/program.mjs`;

/** What starts a program in each runtime. */
const RUNTIMES = { node: ["node"], bun: ["bun"], deno: [Deno.execPath(), "run", "-A"] } as const;

async function run(command: readonly string[], cwd = ROOT): Promise<string> {
  const [program = "", ...args] = command;
  const signal = AbortSignal.timeout(120_000);
  const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd, signal }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  assert.equal(code, 0, `${command.join(" ")}\n${text(stdout)}\n${text(stderr)}`);
  return text(stdout);
}

async function isHere(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

/** A folder with the unpacked npm package in `package/`, and `bundle.mjs`. */
async function built(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "skein-client-" });
  await run([Deno.execPath(), "pack", "--allow-dirty", "-q", "-o", `${path}/skein.tgz`]);
  await run(["tar", "xzf", "skein.tgz"], path);
  await run([Deno.execPath(), "bundle", "-q", "-o", `${path}/bundle.mjs`, "client/mod.ts"]);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function behaves(runtime: readonly string[], client: string): Promise<void> {
  const kv = `${HOST}:${await freePort(HOST)}`;
  const flags = [
    "-dev",
    `-peer-addr=${HOST}:0`,
    `-kv-addr=${kv}`,
    "-session-addr=none",
    "-topics-addr=none",
  ];
  await using agent = await startAgent(skein, { name: "one", host: HOST, flags });
  const access = await accessOf([{ name: "app", read: ["^"], write: ["^"] }]);
  const tls = new TlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
  await using stage = serve(HOST, { access, tls });
  const address = `${HOST}:${stage.port.address.port}`;
  const secured = JSON.stringify({ address, token: "app-token", certificate: CERTIFICATE });
  await using sessions = startScriptedServer(HOST);
  await using topics = serveTopics(HOST);
  const args = [client, agent.rpc, kv, secured, sessions.address, topics.address];
  const seen = JSON.parse(await run([...runtime, PROGRAM, ...args]));
  assert.deepEqual(seen, {
    members: ["one alive"],
    event: ["deploy", "é", [0xc3, 0xa9]],
    records: [["ack", "one", 0], ["response", "one", 900]],
    burst: 500,
    error: "RpcError: user event exceeds configured limit of 512 bytes before encoding",
    refused: "ConnectError: dial tcp 127.0.0.1:1: connect: connection refused",
    unknown: "ConnectError: dial tcp: lookup no.such.host.invalid: no such host",
    closed: "closed",
    value: { é: [1, null] },
    sums: 500,
    watched: 500,
    condition: true,
    secured: 100_000,
    untrusted: `ConnectError: dial tcp ${address}: tls`,
    change: { é: 1 },
    ids: 500,
    kvRefused: "ConnectError: dial tcp 127.0.0.1:1: connect: connection refused",
    messages: [["0", "é"], ["499", "é"]],
    topicsRefused: "ConnectError: dial tcp 127.0.0.1:1: connect: connection refused",
    end: "ConnectionClosedError: client closed",
    reason: `dial tcp ${agent.rpc}: connect: connection refused`,
    statuses: ["disconnected"],
  });
}

Deno.test("the client runs in Node, Bun and Deno, as a package and as one file", async (t) => {
  await using client = await built();
  for (const [name, command] of Object.entries(RUNTIMES)) {
    const here = name === "deno" || await isHere(name);
    if (!here) console.error(`\n!!! SKIPPED, no ${name} on this machine\n`);
    for (const form of ["package/client/mod.js", "bundle.mjs"]) {
      await t.step({
        name: `${form} in ${name}`,
        ignore: !here,
        fn: () => behaves(command, `${client.path}/${form}`),
      });
    }
  }
  await t.step(
    "one file loads node:net only when it connects, elsewhere than in Deno",
    async () => {
      const bundle = await Deno.readTextFile(`${client.path}/bundle.mjs`);
      assert.equal(bundle.match(/node:net/g)?.length, 1);
      assert.match(bundle, /await import\("node:net"\)/);
      assert.equal(bundle.match(/(?:import|from|require)[ (]*"node:zlib"/), null);
    },
  );
  await t.step("its types need nothing of Deno's or Node's", () => {
    assert.deepEqual(complaints(`${client.path}/package/client/mod.d.ts`), []);
  });
});

/** What the compiler says of declarations in a program that knows a browser's globals only. */
function complaints(path: string): string[] {
  const program = ts.createProgram([path], {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
    types: [],
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) =>
    `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`
  );
}
