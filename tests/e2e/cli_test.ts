/**
 * The command line as a person meets it when something is wrong: output and exit codes, exactly.
 *
 * @module
 */

import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { freePort } from "../support/agents.ts";
import { launchArguments, run } from "../support/e2e/cli.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

Deno.test("version prints the project's version and the protocol", async () => {
  assert.deepEqual(await run(["version"]), {
    code: 0,
    stdout: `${project.version}\nAgent Protocol: 5 (Understands back to: 2)\n`,
    stderr: "",
  });
});

Deno.test("a misspelt command is told what it might have been", async () => {
  const { code, stdout, stderr } = await run(["mebmers"]);
  assert.deepEqual([code, stdout], [127, ""]);
  assert.equal(stderr, "Unknown command 'mebmers', did you mean 'members'?\n");
});

Deno.test("a misspelt flag is told what it might have been", async () => {
  assert.deepEqual(await run(["members", "-detial"]), {
    code: 1,
    stdout: "",
    stderr: "flag provided but not defined: -detial\n",
  });
  const stderr = "flag provided but not defined: -detialed\nDid you mean -detailed?\n";
  assert.deepEqual(await run(["members", "--detialed"]), { code: 1, stdout: "", stderr });
  assert.deepEqual(await run(["members", "--detialed", "-format=json"]), {
    code: 1,
    stdout: '{\n  "error": "flag provided but not defined: -detialed"\n}\n',
    stderr,
  });
});

Deno.test("a wrong flag of agent is one line; what is wrong with its value has the agent's prefix", async () => {
  assert.deepEqual(await run(["agent", "-retry-max=many"]), {
    code: 1,
    stdout: "",
    stderr: 'invalid value "many" for flag -retry-max: parse error\n',
  });
  assert.deepEqual(await run(["agent", "-tag=broken"]), {
    code: 1,
    stdout: "==> Error: Invalid tag: 'broken'\n",
    stderr: "",
  });
});

Deno.test("a refused port is one line and exit 1, for every command that talks to an agent", async () => {
  const address = `${HOST}:${await freePort(HOST)}`;
  const commands = [
    ["members"],
    ["join", HOST],
    ["leave"],
    ["force-leave", "x"],
    ["event", "x"],
    ["tags", "-set", "not valid"],
    ["monitor"],
    ["info", "-format=xml"],
    ["query", "-format=xml", "x"],
    ["reachability"],
    ["reload"],
    ["rtt", "x"],
  ];
  for (const args of commands) {
    assert.deepEqual(await run(args, { env: { SERF_RPC_ADDR: address } }), {
      code: 1,
      stdout: `Error connecting to Serf agent: dial tcp ${address}: connect: connection refused\n`,
      stderr: "",
    }, args.join(" "));
  }
});

Deno.test("an address that cannot be used is one line and exit 1", async () => {
  const cases: [string, RegExp][] = [
    ["host", /^dial tcp: address host: missing port in address$/],
    ["::1:5", /^dial tcp: address ::1:5: too many colons in address$/],
    [`${HOST}:99999`, /^dial tcp: address 99999: invalid port$/],
    ["no-such-host.invalid:7373", /^dial tcp: lookup no-such-host\.invalid.*: no such host$/],
  ];
  for (const [address, reason] of cases) {
    const { code, stdout, stderr } = await run(["members", `-rpc-addr=${address}`]);
    assert.deepEqual([code, stderr], [1, ""], address);
    const [, got = ""] = /^Error connecting to Serf agent: (.*)\n$/.exec(stdout) ?? [];
    assert.match(got, reason);
  }
});

Deno.test("a peer that closes at once is 'client closed'", async () => {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const closing = (async () => {
    for await (const connection of listener) connection.close();
  })();
  const result = await run(["members", `-rpc-addr=${HOST}:${listener.addr.port}`]);
  listener.close();
  await closing;
  assert.deepEqual(result, {
    code: 1,
    stdout: "Error connecting to Serf agent: client closed\n",
    stderr: "",
  });
});

Deno.test("the flags of members are judged before it connects", async () => {
  assert.deepEqual(await run(["members", `-rpc-addr=${HOST}:1`, "-role=x", "-tag", "bad"]), {
    code: 1,
    stdout:
      "Deprecation warning: 'Role' has been replaced with 'Tags'\nError: Invalid tag: 'bad'\n",
    stderr: "",
  });
});

Deno.test("a reader that goes away ends a command like SIGPIPE, without a word", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...launchArguments(), "keygen"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await child.stdout.cancel();
  const stderr = await new Response(child.stderr).text();
  assert.deepEqual([(await child.status).code, stderr], [141, ""]);
});

Deno.test("output that a full disk does not take is no reader that goes away", async () => {
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", '"$@" > /dev/full', "sh", Deno.execPath(), ...launchArguments(), "version"],
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 1);
  assert.match(
    new TextDecoder().decode(stderr),
    /^Error writing to standard output: No space left on device.*\n$/,
  );
});

Deno.test("commands that need no agent need no permission", async () => {
  const permissions = ["--no-prompt"];
  assert.equal((await run(["version"], { permissions })).code, 0);
  assert.equal((await run(["keygen"], { permissions })).code, 0);
  assert.equal((await run(["members", "-h"], { permissions })).code, 0);
});

Deno.test("members needs no permission but the network", async () => {
  const address = `${HOST}:${await freePort(HOST)}`;
  const result = await run(["members", `-rpc-addr=${address}`], {
    permissions: ["--no-prompt", `--allow-net=${HOST}`],
  });
  assert.match(result.stdout, /connection refused\n$/, result.stderr);
});

Deno.test("client commands load no code of the agent", async () => {
  const folder = new URL("../../commands/", import.meta.url);
  for (
    const name of [
      "agent/completion",
      "kv/kv",
      "serf/event",
      "serf/force_leave",
      "serf/info",
      "serf/join",
      "serf/keys",
      "serf/leave",
      "serf/members",
      "serf/monitor",
      "serf/query",
      "serf/reachability",
      "serf/reload",
      "serf/rtt",
      "serf/tags",
    ]
  ) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", new URL(`${name}.ts`, folder).href],
    }).output();
    const loaded = loadedAtOnce(JSON.parse(new TextDecoder().decode(stdout)));
    assert(loaded.some((url) => url.endsWith("/client/mod.ts")), name);
    // How durations are written, and what a slip was meant to be, needs nothing else of the agent.
    const agent = loaded.filter((url) => /\/(?:server|cluster)\/|npm:/.test(url))
      .filter((url) => !/\/server\/config\/(?:duration|suggest)\.ts$/.test(url));
    assert.deepEqual(agent, [], name);
  }
});

/** What `deno info --json` tells of a module and all that it may load. */
interface ModuleGraph {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier: string };
    }[];
  }[];
}

/** The modules that are loaded with the root, without those that are loaded when they are needed. */
function loadedAtOnce({ roots, modules }: ModuleGraph): string[] {
  const dependencies = new Map(modules.map(({ specifier, dependencies = [] }) => {
    const atOnce = dependencies.filter(({ isDynamic }) => !isDynamic);
    return [specifier, atOnce.flatMap(({ code }) => code === undefined ? [] : [code.specifier])];
  }));
  const loaded = new Set(roots);
  // A set visits what is added meanwhile.
  for (const module of loaded) dependencies.get(module)?.forEach((other) => loaded.add(other));
  return [...loaded];
}
