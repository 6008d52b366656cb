/**
 * The key-value port by programs that nobody here wrote, as somebody uses them who has read docs/KV.md and docs/ACCESS.md.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually, freePort, skein, startAgent } from "../support/agents.ts";
import { shell, type Tool, toolTest, Typist } from "../support/interop/tools.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const HERE = import.meta.dirname ?? ".";

/** How a line is typed to a port. */
const CARRIERS: readonly [Tool, (host: string, port: number) => string][] = [
  ["nc", (host, port) => `nc ${host} ${port}`],
  ["socat", (host, port) => `socat - TCP:${host}:${port}`],
];

/** `skein` for a shell. */
const SKEIN = `skein() { ${skein.command.map((word) => `'${word}'`).join(" ")} "$@"; }\n`;

for (const [tool, command] of CARRIERS) {
  toolTest([tool], "lines that are typed are answered, and changes and messages come", async () => {
    await using agent = await startDev();
    const line = command(HOST, agent.kvPort);
    await using one = new Typist(line);
    await using two = new Typist(line);
    assert.equal(
      await one.says('{"id":"a","action":"SET","key":"greeting","value":"hello"}'),
      '{"id":"a","status":"ok","result":"OK","rev":1}',
    );
    assert.equal(
      await two.says('{"action":"GET","key":"greeting"}'),
      '{"status":"ok","result":"hello","rev":1}',
    );
    assert.match(
      await two.says('{"action":"GET","key":"none"}'),
      /^\{"status":"error","code":404,.*"KEY_NOT_FOUND"\}$/,
    );
    assert.match(await two.says("GET greeting"), /"code":400,.*"BAD_JSON"/);
    await one.says('{"action":"SET","key":"token","value":"x","ttl":60}');
    const { result: left } = JSON.parse(await two.says('{"action":"TTL","key":"token"}'));
    assert.ok(left > 30_000 && left <= 60_000, `${left}`);
    const claim =
      '{"action":"TXN","if":[{"key":"owner","exists":false}],"then":[{"action":"SET","key":"owner","value":"me"}],"else":[{"action":"GET","key":"owner"}]}';
    assert.equal(
      await one.says(claim),
      '{"status":"ok","result":{"succeeded":true,"results":["OK"]},"rev":3}',
    );
    assert.equal(
      await two.says(claim),
      '{"status":"ok","result":{"succeeded":false,"results":["me"]},"rev":3}',
    );
    assert.equal(
      await one.says('{"action":"DEL","key":"token"}'),
      '{"status":"ok","result":1,"rev":4}',
    );

    assert.equal(
      await two.says('{"action":"WATCH","key":"^app","tree":true}'),
      '{"status":"ok","result":{"watch":1,"rev":4}}',
    );
    assert.equal(
      await two.says('{"action":"SUBSCRIBE","channel":"news^*"}'),
      '{"status":"ok","result":["news^*"]}',
    );
    await one.says('{"action":"SET","key":"app^limit","value":5}');
    assert.equal(
      await two.sees(),
      '{"push":"change","watch":1,"key":"app^limit","kind":"set","created":true,"value":5,"rev":5}',
    );
    assert.equal(
      await one.says('{"action":"PUBLISH","channel":"news^weather","message":"rain"}'),
      '{"status":"ok","result":1}',
    );
    const { from, ...message } = JSON.parse(await two.sees());
    assert.match(from, /^127\./);
    assert.deepEqual(message, {
      push: "message",
      channel: "news^weather",
      message: "rain",
      node: "one",
      seq: 1,
      pattern: "news^*",
    });

    // After QUIT the agent closes the connection.
    for (const each of [one, two]) {
      assert.equal(await each.says('{"action":"QUIT"}'), '{"status":"ok","result":"BYE"}');
      assert.deepEqual(await each.end(), ["", 0]);
    }
  });
}

toolTest(["socat"], "in echo mode any bytes come back as they were", async () => {
  await using agent = await startDev("-kv-mode=echo");
  const sent = join(agent.folder, "sent");
  const bytes = new Uint8Array(3_000_000);
  for (let at = 0; at < bytes.length; at += 60_000) {
    crypto.getRandomValues(bytes.subarray(at, at + 60_000));
  }
  await Deno.writeFile(sent, bytes);
  await shell(`socat -t 20 - TCP:${HOST}:${agent.kvPort} < ${sent} > ${sent}.back`);
  assert.ok((await Deno.readFile(`${sent}.back`)).every((byte, i) => byte === bytes[i]));
  assert.equal((await Deno.stat(`${sent}.back`)).size, bytes.length);
});

toolTest(["nc"], "what an agent with -dev says to try works", async () => {
  await using agent = await startDev();
  const lines = await eventually("it says what to try", () => {
    return /^==> Try this in another terminal:\n(.*?)\n\n/ms.exec(agent.output())?.[1];
  });
  // `nc` waits for a second, in which a busy machine may not get to answer.
  await eventually("all of it works", async () => {
    const printed = await shell(SKEIN + lines);
    return new RegExp(
      '^{"status":"ok","result":"OK","rev":(\\d+)}\n' +
        '{"status":"ok","result":"hello","rev":\\1}\nhello\nProduced 1 message\n(?:hello\n)+Node +one\n',
    ).test(printed);
  });
});

toolTest(["nc"], "the line of docs/KV.md for a pipe ends when all is answered", async () => {
  await using agent = await startDev();
  const [line = ""] = await linesOf("KV.md", "printf");
  assert.equal(
    await shell(line.replace("127.0.0.1 8379", `${HOST} ${agent.kvPort}`)),
    '{"status":"ok","result":"OK","rev":1}\n{"status":"ok","result":"BYE"}\n',
  );
});

toolTest(
  ["openssl", "socat"],
  "the lines of docs/ACCESS.md about TLS let in who has a token",
  async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "skein-tls-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const lineOf = async (program: string): Promise<string> => {
      const [line = "", ...more] = await linesOf("ACCESS.md", program);
      assert.deepEqual(more, []);
      return `cd ${folder}\n${line}`;
    };
    await shell(await lineOf("openssl req"));
    const make = "skein kv token -tokens-file tokens.json -read app -write app app";
    const token = (await shell(`${SKEIN}cd ${folder}\n${make}`)).trim();
    await using agent = await startDev(
      `-kv-tokens-file=${join(folder, "tokens.json")}`,
      `-kv-tls-cert=${join(folder, "cert.pem")}`,
      `-kv-tls-key=${join(folder, "key.pem")}`,
    );
    const here = (line: string) => line.replaceAll("10.0.0.1:8379", `${HOST}:${agent.kvPort}`);

    const socat = here(await lineOf("socat")).replace("\n", "; exec ");
    await using client = new Typist(`sh -c '${socat}'`);
    assert.match(
      await client.says('{"action":"GET","key":"app^greeting"}'),
      /401,.*"AUTH_REQUIRED"/,
    );
    assert.match(await client.says('{"action":"AUTH","token":"skein_x"}'), /401,.*"AUTH_FAILED"/);
    const auth = JSON.stringify({ action: "AUTH", token });
    assert.equal(await client.says(auth), '{"status":"ok","result":"OK"}');
    assert.equal(
      await client.says('{"action":"SET","key":"app^greeting","value":"hello"}'),
      '{"status":"ok","result":"OK","rev":1}',
    );
    assert.match(
      await client.says('{"action":"SET","key":"other^k","value":1}'),
      /403,.*"FORBIDDEN"/,
    );
    const get = here(await lineOf("skein kv get"));
    assert.equal(await shell(SKEIN + get, { SKEIN_KV_TOKEN: token }), "hello\n");

    assert.match(agent.output(), /==> Log data will now stream/);
    assert.doesNotMatch(agent.output(), /Try this/, "without a token it would not work");

    // Who expects another name does not even say its token, and who speaks no TLS is not heard.
    const other = socat.replace("commonname=kv.example", "commonname=other.example");
    await assert.rejects(shell(`echo '${auth}' | (${other})`), /match/);
    const plain = `printf '%s\\n' '${auth}' | socat - TCP:${HOST}:${agent.kvPort}`;
    assert.doesNotMatch(await shell(plain), /status/);
    assert.equal(await client.says('{"action":"QUIT"}'), '{"status":"ok","result":"BYE"}');
    assert.deepEqual(await client.end(), ["", 0]);
  },
);

toolTest(
  ["python3"],
  "a client of 15 lines sends 1,000 requests without waiting, and watches them",
  async () => {
    await using agent = await startDev();
    const client = join(HERE, "kv_client.py");
    const told = JSON.parse(await shell(`python3 '${client}' ${HOST} ${agent.kvPort}`));
    const counts = Array.from({ length: 1_000 }, (_, i) => i + 1);
    assert.deepEqual(told, {
      watch: 1,
      answers: counts.map((n) => ({ status: "ok", result: n, rev: n })),
      changes: counts.map((n) => ({
        push: "change",
        watch: 1,
        key: "global^count",
        kind: "set",
        created: n === 1,
        value: n,
        rev: n,
      })),
      rest: [
        { status: "ok", result: "OK" },
        { status: "ok", result: 1_000, rev: 1_000 },
        { status: "ok", result: "BYE" },
      ],
    });
  },
);

toolTest(["jq"], "jq reads what -format=json prints", async () => {
  await using agent = await startDev();
  const env = { SKEIN_KV_ADDR: `${HOST}:${agent.kvPort}`, SERF_RPC_ADDR: agent.rpc };
  const run = (line: string) => shell(SKEIN + line, env);
  await run(
    "skein kv set greeting 'good \"day\"'; skein kv set -json web^limit '{\"max\":[5,2.5]}'",
  );
  await run("skein kv incr app^visits 7; skein kv incr app^failures 3");
  assert.equal(await run("skein kv keys -format=json | jq -r .key"), "global^greeting\n");
  assert.equal(
    await run("skein kv keys -format=json -values ^ | jq -c '[.key, .value, .rev]'"),
    '["app^failures",3,4]\n["app^visits",7,3]\n["global^greeting","good \\"day\\"",1]\n' +
      '["web^limit",{"max":[5,2.5]},2]\n',
  );
  // The lines of docs/CLI.md for scripts.
  const page = await Deno.readTextFile(join(HERE, "..", "..", "docs", "CLI.md"));
  const lines = [...page.matchAll(/^skein (?:kv|raft) .* \| jq .*$/gm)].map(([line]) => line);
  assert.equal(await run(lines.join("\n")), "app^visits\none\n");
  assert.equal(await run("skein kv get -format=json greeting | jq -r .value"), 'good "day"\n');
  assert.equal(
    await run("skein kv get -format=json web^limit | jq -c '.value.max, .rev'"),
    "[5,2.5]\n2\n",
  );
  assert.equal(
    await run("skein raft status -format=json | jq -r '.leader, .role, (.peers | length)'"),
    "one\nleader\n1\n",
  );
  assert.equal(
    await run("skein kv watch -format=json -initial -count=1 greeting | jq -r .value"),
    'good "day"\n',
  );
});

/** The commands of a page that stand alone, set in by four blanks, and begin with `words`. */
async function linesOf(page: string, words: string): Promise<string[]> {
  const text = await Deno.readTextFile(join(HERE, "..", "..", "docs", page));
  const found = text.matchAll(new RegExp(`^ {4}(${words} (?:.*\\\\\\n)*.*)`, "gm"));
  return Array.from(found, ([, line = ""]) => line);
}

/** An agent that is a cluster of one, with a port for key-value clients. */
async function startDev(...more: string[]) {
  const stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "skein-tools-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const kvPort = await freePort(HOST);
  const flags = [
    "-dev",
    `-peer-addr=${HOST}:0`,
    `-kv-addr=${HOST}:${kvPort}`,
    "-session-addr=none",
    `-topics-addr=${HOST}:0`,
    ...more,
  ];
  const env = { TMPDIR: folder };
  const { rpc, output } = stack.use(
    await startAgent(skein, { name: "one", host: HOST, flags, env }),
  );
  return { folder, kvPort, rpc, output, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
