import assert from "node:assert/strict";
import { join } from "node:path";
import { lockDirectory, openDirectory } from "../../../../server/replica/directory/directory.ts";
import {
  DamagedNodeFileError,
  DirectoryFormatError,
  DirectoryInUseError,
  NotADirectoryError,
  OtherClusterError,
  UnusableDirectoryError,
} from "../../../../server/replica/directory/errors.ts";
import { withPatience } from "../../../support/rpc/peer.ts";

const HOLDER = join(import.meta.dirname ?? "", "../../../support/replica/directory_holder.ts");
const CLUSTER = "c".repeat(32);
const OTHER = "d".repeat(32);

const ignoresModes = Deno.build.os === "windows";

/** Runs `body` with the path of a data directory that is not there yet. */
async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(join(folder, "above", "data"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The message of the error that opening rejects with. */
async function refusal(path: string, kind: new (...args: never[]) => Error): Promise<string> {
  let message = "";
  await assert.rejects(openDirectory(path), (error) => {
    assert.ok(error instanceof kind, String(error));
    message = error.message;
    return true;
  });
  return message;
}

/** What a directory says of its server. */
async function identity(path: string): Promise<(string | undefined)[]> {
  await using directory = await openDirectory(path);
  return [directory.nodeId, directory.clusterId];
}

Deno.test("a directory that is missing is made, and its server keeps its id", () =>
  withPath(async (path) => {
    const [nodeId, clusterId] = await identity(path);
    assert.match(nodeId as string, /^[0-9a-f]{32}$/);
    assert.equal(clusterId, undefined);
    assert.deepEqual(await identity(path), [nodeId, undefined]);
    const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["lock", "node.json"]);
    if (!ignoresModes) assert.equal((await Deno.stat(path)).mode! & 0o777, 0o700);
    await withPath(async (other) => assert.notEqual((await identity(other))[0], nodeId));
  }));

Deno.test("a server belongs to one cluster, once it belongs to any", () =>
  withPath(async (path) => {
    let nodeId = "";
    {
      await using directory = await openDirectory(path);
      nodeId = directory.nodeId;
      await assert.rejects(directory.setClusterId("abc"), RangeError);
      await directory.setClusterId(CLUSTER);
      await directory.setClusterId(CLUSTER);
      assert.equal(directory.clusterId, CLUSTER);
      await assert.rejects(directory.setClusterId(OTHER), (error) => {
        assert.ok(error instanceof OtherClusterError);
        const said = `'${path}' is of cluster '${CLUSTER}', not of '${OTHER}': join `;
        assert.ok(error.message.includes(said), error.message);
        return true;
      });
    }
    assert.deepEqual(await identity(path), [nodeId, CLUSTER]);
  }));

Deno.test("a directory is used once at a time in a process", () =>
  withPath(async (path) => {
    const first = await openDirectory(path);
    const message = await refusal(path, DirectoryInUseError);
    assert.match(message, /^Data directory '.*' is in use by another agent: stop that one/);
    await first.disk.append("raft/x", new Uint8Array(1));
    await first.close();
    assert.equal((await identity(path))[0], first.nodeId);
  }));

Deno.test("a directory is used by one process at a time, until that is killed", () =>
  withPath(async (path) => {
    const holder = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", HOLDER, path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    let nodeId = "";
    try {
      for await (const text of holder.stdout.pipeThrough(new TextDecoderStream())) {
        nodeId += text;
        if (!text.includes("\n")) continue;
        await refusal(path, DirectoryInUseError);
        holder.kill("SIGKILL");
      }
    } finally {
      await holder.stdin.close().catch(() => {}); // It is killed.
      await withPatience(holder.status);
    }
    assert.equal((await identity(path))[0], nodeId.trim());
  }));

Deno.test("a file where the directory should be is named", () =>
  withPath(async (path) => {
    await Deno.mkdir(join(path, ".."));
    await Deno.writeTextFile(path, "");
    for (const it of [path, join(path, "below")]) {
      const message = await refusal(it, NotADirectoryError);
      assert.ok(message.startsWith(`Data directory '${it}' is, or is below, a file: `), message);
    }
  }));

Deno.test({
  name: "a directory that cannot be written is named, with what the system says",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    for (const path of ["/sys", "/sys/skein", "/proc/skein/data"]) {
      const message = await refusal(path, UnusableDirectoryError);
      assert.match(message, /^Data directory '\/.*' cannot be used: [a-z ]+; make it writable /);
    }
  },
});

Deno.test("a directory that says nothing, or nonsense, of its server is not used", () =>
  withPath(async (path) => {
    await identity(path);
    const file = join(path, "node.json");
    const nodeId = "a".repeat(32);
    const tooMany = JSON.stringify({ replaces: Array(9).fill(nodeId) });
    for (
      const [content, problem] of [
        ["", "is damaged ("],
        ["\0".repeat(60), "is damaged ("],
        [`{"format": 3, "nodeId": "${nodeId}"`, "is damaged ("],
        [`{"format": 3}`, 'is damaged (field "nodeId" is missing)'],
        [`{"format": 3, "nodeId": "${nodeId}"}`, 'is damaged (field "check" is missing)'],
        [`{"format": 3, "nodeId": "${nodeId}", "check": "00000000"}`, "is damaged (wrong check)"],
        [`{"format": 3, "nodeId": "A${nodeId.slice(1)}"}`, '(field "nodeId" is wrong)'],
        [`{"format": 3, "nodeId": "${nodeId}", "clusterId": 5}`, '(field "clusterId" is wrong)'],
        [`{"format": 3, "nodeId": "${nodeId}", "x": 5}`, '(unknown field "x")'],
        [`{"format": 3, "nodeId": "${nodeId}", "check": 0}`, '(field "check" is wrong)'],
        [`{"format": "1", "nodeId": "${nodeId}"}`, '(field "format" is wrong)'],
        [`[]`, "(no object)"],
        ...["[]", "{}", '{"replaces": ["a"]}', `{"replaces": [], "x": 1}`, tooMany].map((rebuilt) =>
          [
            `{"format": 3, "nodeId": "${nodeId}", "rebuilt": ${rebuilt}, "check": ""}`,
            '(field "rebuilt" is wrong)',
          ] as const
        ),
        [" ".repeat(5_000), "is damaged (more than 4096 bytes)"],
      ] as const
    ) {
      await Deno.writeTextFile(file, content);
      const message = await refusal(path, DamagedNodeFileError);
      assert.ok(message.startsWith(`File '${file}' is damaged`), message);
      assert.ok(message.includes(problem), message);
    }
    await Deno.writeTextFile(file, `{"format": 2, "node": "x"}`);
    const message = await refusal(path, DirectoryFormatError);
    assert.match(message, /has format 2, expected 3: run the version that wrote it/);
    await Deno.remove(file);
    await identity(path);
    for (const state of ["raft", "state"]) {
      await Deno.remove(file).catch(() => {}); // It may be gone.
      await Deno.mkdir(join(path, state));
      const missing = await refusal(path, DamagedNodeFileError);
      assert.ok(
        missing.includes(`node.json' is missing, but there is '${state}'`),
        missing,
      );
      await Deno.remove(join(path, state));
    }
  }));

/** Starts processes, one after the other, and says when it is done. */
const STARTER = `data:text/javascript,
for (let i = 0; i < 200; i++) await new Deno.Command("true").output();
postMessage("done");`;

Deno.test({
  name: "a directory that was closed is free, whatever processes are started meanwhile",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withPath(async (path) => {
      await identity(path);
      const starter = new Worker(STARTER, { type: "module" });
      let isDone = false;
      const ended = new Promise<void>((resolve, reject) => {
        starter.onmessage = () => resolve();
        starter.onerror = ({ message }) => reject(new Error(message));
      }).finally(() => {
        isDone = true;
      });
      try {
        while (!isDone) (await lockDirectory(path))[Symbol.dispose]();
        await ended;
      } finally {
        starter.terminate();
      }
    }),
});

Deno.test("no changed bit makes a server another one, or one of another cluster", () =>
  withPath(async (path) => {
    {
      await using directory = await openDirectory(path);
      await directory.setClusterId("c".repeat(32));
    }
    const file = join(path, "node.json");
    const bytes = await Deno.readFile(file);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bent = bytes.slice();
      bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7));
      await Deno.writeFile(file, bent);
      const opened = await openDirectory(path).catch((error) => {
        if (error instanceof DamagedNodeFileError || error instanceof DirectoryFormatError) return;
        throw error;
      });
      // White space between words may be another one.
      if (opened === undefined) continue;
      await using directory = opened;
      assert.equal(directory.clusterId, "c".repeat(32));
      assert.ok(new TextDecoder().decode(bytes).includes(directory.nodeId));
    }
  }));
