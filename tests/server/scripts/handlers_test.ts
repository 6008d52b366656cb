import assert from "node:assert/strict";
import { RespondError, type SerfEvent } from "../../../cluster/serf/mod.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import { parseHandler } from "../../../server/config/handler_spec.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { type HandlerSettings, ScriptHandlers } from "../../../server/scripts/mod.ts";

const user = (name: string, payload = ""): SerfEvent => ({
  type: "user",
  ltime: 1n,
  name,
  payload: ownPayload(new TextEncoder().encode(payload)),
  coalesce: false,
});

/** A query, and its answers as they come. */
function query(name: string, respond?: () => void): { event: SerfEvent; answers: string[] } {
  const answers: string[] = [];
  const event: SerfEvent = {
    type: "query",
    ltime: 1n,
    id: 1,
    name,
    payload: null,
    sourceNode: "b",
    deadline: 0,
    respond: (payload) => {
      respond?.();
      assert.ok(payload instanceof Uint8Array);
      answers.push(new TextDecoder().decode(payload));
    },
  };
  return { event, answers };
}

/** Handlers with a log, and a folder for their scripts. */
class Stage implements AsyncDisposable {
  readonly log = new AgentLog("a");
  readonly folder = Deno.makeTempDirSync();
  readonly samples: string[] = [];
  readonly counts: string[] = [];
  readonly handlers: ScriptHandlers;

  constructor(texts: readonly string[], settings: Partial<HandlerSettings> = {}) {
    Deno.mkdirSync(`${this.folder}/seen`);
    this.handlers = new ScriptHandlers(texts.map((text) => this.spec(text)), {
      log: this.log,
      self: () => ({ name: "a", tags: { role: "web" } }),
      timeoutMs: 60_000,
      concurrency: 1,
      metrics: {
        count: (name) => this.counts.push(name),
        gauge: () => assert.fail("no gauge"),
        sample: (name) => this.samples.push(name),
      },
      ...settings,
    });
  }

  /** `DIR` stands for the folder. */
  spec(text: string) {
    return parseHandler(text.replaceAll("DIR", this.folder));
  }

  read(file: string): string {
    try {
      return Deno.readTextFileSync(`${this.folder}/${file}`);
    } catch {
      return "";
    }
  }

  write(file: string): void {
    Deno.writeTextFileSync(`${this.folder}/${file}`, "");
  }

  lines(pattern: RegExp): string[] {
    return this.log.lines().filter((line) => pattern.test(line)).map((line) => line.slice(20));
  }

  async until(state: () => boolean): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!state()) {
      assert.ok(
        performance.now() < deadline,
        `waited in vain; log:\n${this.log.lines().join("\n")}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  idle(): Promise<void> {
    return this.until(() => this.handlers.running === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handlers[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("a script runs once for each of its filters that wants the event", async () => {
  await using stage = new Stage([
    "user:deploy,user=echo twice $SERF_USER_EVENT >> DIR/out",
    "query=echo never >> DIR/out",
  ]);
  stage.handlers.handle(user("deploy"));
  stage.handlers.handle(user("other"));
  await stage.idle();
  assert.equal(stage.read("out"), "twice deploy\ntwice deploy\ntwice other\n");
  assert.equal(stage.samples.length, 3);
  assert.match(stage.samples[0] ?? "", /^agent\.invoke\.echo twice /);
});

Deno.test("what a script prints answers a query, its last line break included", async () => {
  await using stage = new Stage(["query:load=echo load-ok"]);
  const { event, answers } = query("load");
  stage.handlers.handle(event);
  await stage.idle();
  assert.deepEqual(answers, ["load-ok\n"]);
  assert.deepEqual(stage.lines(/script/), [
    "[DEBUG] agent: Event 'query' script output: load-ok",
  ]);
});

Deno.test("a script that prints nothing or fails answers no query", async () => {
  await using stage = new Stage(["query:silent=true", "query:broken=echo no; exit 3"]);
  const [silent, broken] = [query("silent"), query("broken")];
  stage.handlers.handle(silent.event);
  stage.handlers.handle(broken.event);
  await stage.idle();
  assert.deepEqual([silent.answers, broken.answers], [[], []]);
  assert.deepEqual(stage.counts, ["agent.invoke.failed"]);
  assert.deepEqual(stage.lines(/ERR/), [
    "[ERR] agent: Error invoking script 'echo no; exit 3': exit status 3",
  ]);
});

Deno.test("an answer that is refused is told of", async () => {
  await using stage = new Stage(["query=echo x"]);
  const { event } = query("load", () => {
    throw new RespondError("failed to respond to key query: response exceeds limit of 1024 bytes");
  });
  stage.handlers.handle(event);
  await stage.idle();
  assert.deepEqual(stage.lines(/WARN/), [
    "[WARN] agent: Failed to respond to query 'query: load': failed to respond to key query: " +
    "response exceeds limit of 1024 bytes",
  ]);
});

Deno.test("a long output is cut, and a slow script is told of", async () => {
  await using stage = new Stage(["user:long=head -c 20000 /dev/zero", "user:slow=sleep 1.2"]);
  stage.handlers.handle(user("long"));
  stage.handlers.handle(user("slow"));
  await stage.idle();
  assert.deepEqual(stage.lines(/WARN/), [
    "[WARN] agent: Script 'head -c 20000 /dev/zero' generated 20000 bytes of output, truncated to 8192",
    "[WARN] agent: Script 'sleep 1.2' slow, execution exceeding 1s",
  ]);
});

Deno.test("a stuck script blocks neither other scripts nor its caller", async () => {
  const wait = "while [ ! -e DIR/go ]; do sleep 0.02; done";
  await using stage = new Stage([
    `user=${wait}; echo $SERF_USER_EVENT >> DIR/stuck`,
    "user=echo $SERF_USER_EVENT >> DIR/free",
  ]);
  for (const name of ["1", "2", "3"]) stage.handlers.handle(user(name));
  await stage.until(() => stage.read("free") === "1\n2\n3\n");
  assert.equal(stage.read("stuck"), "");
  stage.write("go");
  await stage.idle();
  assert.equal(stage.read("stuck"), "1\n2\n3\n", "one after the other, in order");
});

Deno.test("as many runs of one script go on at a time as the settings allow", async () => {
  const meet = "touch DIR/seen/$SERF_USER_EVENT; " +
    "while [ ! -e DIR/go ]; do sleep 0.02; done; echo $SERF_USER_EVENT >> DIR/out";
  await using stage = new Stage([`user=${meet}`], { concurrency: 3 });
  const seen = (): number => [...Deno.readDirSync(`${stage.folder}/seen`)].length;
  for (let i = 1; i <= 5; i++) stage.handlers.handle(user(String(i)));
  await stage.until(() => seen() === 3);
  assert.equal(stage.handlers.running, 3);
  stage.write("go");
  await stage.idle();
  assert.deepEqual(stage.read("out").trim().split("\n").sort(), ["1", "2", "3", "4", "5"]);
});

Deno.test("a queue is bounded; what does not fit is counted and told of once a second", async () => {
  await using stage = new Stage(["user=while [ ! -e DIR/go ]; do sleep 0.02; done"]);
  for (let i = 0; i < 1_030; i++) stage.handlers.handle(user("x"));
  assert.equal(stage.handlers.dropped, 5, "1 runs, 1024 wait");
  assert.deepEqual(stage.counts, Array(5).fill("agent.invoke.dropped"));
  assert.equal(stage.lines(/Dropping event 'user' for script '.*': 1024 events wait/).length, 1);
});

Deno.test("a changed configuration counts from the next event on, and nothing that waits is lost", async () => {
  const slow =
    "user=while [ ! -e DIR/go ]; do sleep 0.02; done; echo old $SERF_USER_EVENT >> DIR/out";
  await using stage = new Stage([slow, "user=echo kept $SERF_USER_EVENT >> DIR/kept"]);
  for (const name of ["1", "2"]) stage.handlers.handle(user(name));
  await stage.until(() => stage.read("kept") === "kept 1\nkept 2\n");
  stage.handlers.replace([
    stage.spec("user=echo kept $SERF_USER_EVENT >> DIR/kept"),
    stage.spec("user=echo new $SERF_USER_EVENT >> DIR/new"),
  ]);
  stage.handlers.handle(user("3"));
  await stage.until(() => stage.read("new") === "new 3\n");
  assert.equal(stage.handlers.running >= 1, true, "the old script still runs");
  stage.write("go");
  await stage.until(() => stage.read("out") === "old 1\nold 2\n");
  await stage.idle();
  assert.equal(stage.read("kept"), "kept 1\nkept 2\nkept 3\n");
});

Deno.test("a process that a script leaves behind holds up neither its answer nor later events", async () => {
  await using stage = new Stage(["query=echo $SERF_QUERY_NAME; sleep 60 & echo $! >> DIR/pids"]);
  const queries = ["one", "two", "three"].map((name) => query(name));
  const started = performance.now();
  for (const { event } of queries) stage.handlers.handle(event);
  await stage.idle();
  const elapsed = performance.now() - started;
  assert.ok(elapsed < 3_000, `${elapsed} ms`);
  assert.deepEqual(queries.map(({ answers }) => answers), [["one\n"], ["two\n"], ["three\n"]]);
  assert.equal(
    stage.lines(/ended, but a process that it started still holds its output/).length,
    3,
  );
  stage.handlers.replace([]);
  await stage.handlers[Symbol.asyncDispose]();
  for (const pid of stage.read("pids").trim().split("\n")) Deno.kill(Number(pid), "SIGKILL");
});

Deno.test("at the end running scripts are ended and waiting events are forgotten", async () => {
  await using stage = new Stage(["user=echo $$ >> DIR/out; sleep 60"]);
  for (const name of ["1", "2"]) stage.handlers.handle(user(name));
  await stage.until(() => stage.read("out") !== "");
  await stage.handlers[Symbol.asyncDispose]();
  assert.equal(stage.handlers.running, 0);
  assert.equal(stage.lines(/Error invoking script '.*': the agent ends, killed/).length, 1);
  stage.handlers.handle(user("3"));
  assert.equal(stage.handlers.running, 0);
  assert.equal(stage.read("out").trim().split("\n").length, 1);
});

Deno.test("a name that no environment can hold is told of and harms no later event", async () => {
  await using stage = new Stage(["user=echo $SERF_USER_EVENT >> DIR/out"]);
  stage.handlers.handle(user("a\0b"));
  stage.handlers.handle(user("fine"));
  await stage.idle();
  assert.equal(stage.read("out"), "fine\n");
  assert.equal(stage.lines(/Error invoking script/).length, 1);
});

Deno.test("a fault in a run goes to the log, and the handler closes all the same", async () => {
  const fault = new TypeError("planted");
  const stage = new Stage(["true"], {
    metrics: {
      count: () => {},
      gauge: () => {},
      sample: () => {
        throw fault;
      },
    },
  });
  const told = Promise.withResolvers<Error>();
  stage.log.onUnexpected(told.resolve);
  stage.handlers.handle(user("deploy"));
  assert.equal(await told.promise, fault);
  await stage[Symbol.asyncDispose]();
});
