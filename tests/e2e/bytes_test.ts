/**
 * Arguments, variables, files and output that are no UTF-8: kept to the byte where the runtime can, refused in one line
 * where it cannot.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { type Program, skein, startAgent } from "../support/agents.ts";
import { launchArguments } from "../support/e2e/cli.ts";
import { loopback } from "../support/loopback.ts";
import { runBytes, spelt, throughShell } from "../support/shell_bytes.ts";

const HOST = loopback();

/** skein with less than all permissions. */
const bound: Program = {
  ...skein,
  command: [Deno.execPath(), ...launchArguments(["--allow-net", "--allow-env"])],
};

Deno.test("an agent keeps bytes that are no UTF-8 in its file, its name, its token, its scripts and its answers", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const config = `{"rpc_auth": "t\udcff", "tags": {"a": "Z\udcfcrich"}}`;
    await Deno.writeFile(`${folder}/c.json`, encodeUtf8(config));
    const script = `printf "%s|" "$SERF_SELF_NAME" "$SERF_QUERY_NAME" "$SERF_TAG_A" "s\udce9"; cat`;
    await using agent = await startAgent(throughShell(skein), {
      name: spelt("caf\udce9"),
      host: HOST,
      flags: [
        `-config-file=${folder}/c.json`,
        `-snapshot=${folder}/members`,
        `-event-handler=query=${spelt(script)}`,
      ],
    });
    const ask = (args: string[], token = "t\udcff", program = skein) =>
      runBytes(program, args, { SERF_RPC_ADDR: agent.rpc, SERF_RPC_AUTH: token });

    const line = `caf\udce9  ${agent.gossip}  alive  a=Z\udcfcrich\n`;
    assert.deepEqual(await ask(["members"]), { code: 0, stdout: line, stderr: "" });
    const json = JSON.parse((await ask(["members", "-format=json"])).stdout);
    assert.equal(json.members[0].name, "caf\ufffd");
    const wrong = await ask(["members"], "t\udcfe");
    assert.deepEqual([wrong.code, /Invalid authentication token/.test(wrong.stdout)], [1, true]);

    const asked = await ask(["query", "-no-ack", "q\udce8", "p\udce7"]);
    assert.ok(
      asked.stdout.includes(
        "Response from 'caf\udce9': caf\udce9|q\udce8|Z\udcfcrich|s\udce9|p\udce7\n",
      ),
      asked.stdout,
    );
    assert.match(decodeUtf8(await Deno.readFile(`${folder}/members`)), /^alive: caf\udce9 /m);

    const { stdout } = await ask(["query", "-format=json", "q\udce8", "\ufffd"]);
    assert.match(stdout, /"caf\\ufffd": "caf\\ufffd\|q\\ufffd\|Z\\ufffdrich\|s\\ufffd\|\ufffd\\n"/);

    const refused = await ask(["members"], "t\udcff", bound);
    assert.deepEqual(refused, {
      code: 1,
      stdout: "",
      stderr:
        "Error executing CLI: The variable SERF_RPC_AUTH is not UTF-8, and its bytes cannot be read here\n",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what the runtime cannot pass on is refused in one line, and never something else is done", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const cases: [args: string[], text: string][] = [
      [["agent", `-snapshot=${folder}/caf\udce9`], "Invalid snapshot_path"],
      [["agent", `-tags-file=${folder}/caf\udce9`], "Invalid tags_file"],
      [["agent", `-keyring-file=${folder}/caf\udce9`], "Invalid keyring_file"],
      [["agent", `-config-dir=${folder}/caf\udce9`], "Invalid path of a configuration"],
    ];
    const results = await Promise.all(cases.map(([args]) => runBytes(skein, args)));
    for (const [i, [, text]] of cases.entries()) {
      assert.deepEqual(results[i], {
        code: 1,
        stdout: `==> ${text}: '${folder}/caf\\xe9' is not UTF-8\n`,
        stderr: "",
      });
    }
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    assert.deepEqual(await runBytes(bound, ["event", "caf\udce9"]), {
      code: 1,
      stdout: "",
      stderr: "Argument 2 is not UTF-8, and its bytes cannot be read here\n",
    });
    assert.equal((await runBytes(skein, ["event", "a\ufffd"])).code, 1, "Nobody is there");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
