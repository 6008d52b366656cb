/**
 * Lines for syslog: their priority and tag, a `logger` that dies, and one that is not there.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { LevelFilter } from "../../../server/logging/levels.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { Syslog, SyslogError } from "../../../server/logging/syslog.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

/** Runs `use` with a folder that holds a file `socket` and a program that writes its input to `output`. */
async function withLogger(
  script: string,
  use: (files: { socket: string; program: string; read: () => string }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "skein-syslog-" });
  try {
    const files = {
      socket: `${folder}/socket`,
      program: `${folder}/logger`,
      read: () => Deno.readTextFileSync(`${folder}/output`),
    };
    await Deno.writeTextFile(files.socket, "");
    await Deno.writeTextFile(`${folder}/output`, "");
    const version = `[ "$1" = --version ] && echo "logger from util-linux 2.38" && exit\n`;
    await Deno.writeTextFile(
      files.program,
      `#!/bin/sh\n${version}cd ${folder}\n${script}\n`,
      { mode: 0o755 },
    );
    await use(files);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ALL = new LevelFilter("TRACE");

Deno.test("syslog gets each line with facility and level, without time, and on one line", async () => {
  await withLogger(`echo "$@" > args; cat >> output`, async ({ socket, program, read }) => {
    const log = new AgentLog("a");
    log.write("INFO", "agent", "before");
    {
      const filter = new LevelFilter("INFO", { serf: "TRACE" });
      await using _syslog = await Syslog.open({ facility: "local3", log, filter, socket, program });
      log.write("TRACE", "serf", "1");
      log.write("DEBUG", "serf", "2");
      log.write("INFO", "agent", "3");
      log.write("DEBUG", "agent", "not this");
      log.write("WARN", "agent", "a list:\n\t* x\n\n", { multiline: true });
      log.write("ERR", "agent", "forged\n<0>x");
    }
    log.write("INFO", "agent", "after");
    // local3 is 19: 19 * 8 + 7 is 159.
    assert.equal(
      read(),
      "<159>serf: 1\n<158>serf: 2\n<157>agent: 3\n<156>agent: a list: * x \n" +
        "<155>agent: forged\\n<0>x\n",
    );
  });
});

Deno.test("a logger that dies is started again, and what waited meanwhile is written", async () => {
  await withLogger(`read line; echo "$line" >> output`, async ({ socket, program, read }) => {
    const log = new AgentLog("a");
    await using _syslog = await Syslog.open({
      facility: "USER",
      log,
      filter: new LevelFilter("ERR"),
      socket,
      program,
      restartMs: 10,
    });
    log.write("ERR", "x", "1");
    await until(() => log.lines().some((line) => line.includes("for syslog ended: exit status 0")));
    log.write("ERR", "x", "2");
    await until(() => read() === "<11>x: 1\n<11>x: 2\n");
  });
});

Deno.test("signals that end all processes of a service end the logger after the last line", async () => {
  await withLogger(`echo $$ > pid; cat >> output`, async ({ socket, program, read }) => {
    const log = new AgentLog("a");
    {
      const options = { facility: "USER", log, filter: ALL, socket, program };
      await using _syslog = await Syslog.open(options);
      log.write("INFO", "x", "1");
      await until(() => read() === "<13>x: 1\n");
      const pid = Number(await Deno.readTextFile(program.replace(/logger$/, "pid")));
      for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) Deno.kill(pid, signal);
      log.write("INFO", "x", "2");
    }
    assert.equal(read(), "<13>x: 1\n<13>x: 2\n");
    assert.equal(log.lines().length, 2, "no warning");
  });
});

Deno.test("the last lines are written by another logger when the first has died", async () => {
  await withLogger(`read line; echo "$line" >> output`, async ({ socket, program, read }) => {
    const log = new AgentLog("a");
    {
      const filter = new LevelFilter("ERR");
      const options = { facility: "USER", log, filter, socket, program, restartMs: 60_000 };
      await using _syslog = await Syslog.open(options);
      log.write("ERR", "x", "1");
      await until(() => log.lines().some((line) => line.includes("for syslog ended")));
      log.write("ERR", "x", "2");
    }
    assert.equal(read(), "<11>x: 1\n<11>x: 2\n");
  });
});

Deno.test("a stuck logger costs bounded memory, and the lost lines are counted", async () => {
  const script = `while [ ! -e go ]; do sleep 0.05; done; cat >> output`;
  await withLogger(script, async ({ socket, program, read }) => {
    const log = new AgentLog("a");
    await using _syslog = await Syslog.open({
      facility: "KERN",
      log,
      filter: ALL,
      socket,
      program,
    });
    const long = "y".repeat(2_000);
    for (let i = 0; i < 1_500; i++) log.write("INFO", "x", `${i} ${long}`);
    await Deno.writeTextFile(program.replace(/logger$/, "go"), "");
    await until(() => /(\d+) lines are missing here/.test(read()));
    const kept = read().match(/^<5>x: /gm)?.length ?? 0;
    const lost = Number(/(\d+) lines are missing here/.exec(read())?.[1]);
    assert.equal(kept + lost, 1_500);
    assert.ok(kept >= 1_000 && kept <= 1_200, `${kept}`);
  });
});

Deno.test("without facility, socket or a logger of util-linux there is no syslog", async () => {
  await withLogger("cat", async ({ socket, program }) => {
    const open = (changes: { facility?: string; socket?: string; program?: string }) =>
      Syslog.open({
        facility: "LOCAL0",
        log: new AgentLog("a"),
        filter: ALL,
        socket,
        program,
        ...changes,
      });
    const failed = (text: string) => new SyslogError(`Syslog setup failed: ${text}`);
    await assert.rejects(open({ facility: "NOPE" }), failed("invalid syslog facility: NOPE"));
    await assert.rejects(open({ socket: `${socket}x` }), failed("Unix syslog delivery error"));
    await assert.rejects(
      open({ program: "/bin/true" }),
      failed("it needs '/bin/true' of util-linux"),
    );
    await assert.rejects(
      open({ program: "/nonexistent" }),
      /^SyslogError: Syslog setup failed: it needs '\/nonexistent' of util-linux: /,
    );
  });
});

Deno.test("the logger of util-linux takes the lines as they are written", async () => {
  const found = await new Deno.Command("sh", { args: ["-c", "logger --version"] }).output();
  if (!new TextDecoder().decode(found.stdout).includes("util-linux")) {
    console.log("SKIPPED: no logger of util-linux here");
    return;
  }
  const receiver = createSocket("udp4");
  const received = new Promise<string>((resolve) =>
    receiver.once("message", (message) => resolve(message.toString()))
  );
  await new Promise<void>((resolve) => receiver.bind(0, HOST, resolve));
  const { port } = receiver.address();
  const withoutSocket =
    `for a; do shift; case $a in --socket=*) ;; *) set -- "$@" "$a" ;; esac; done`;
  const script = `${withoutSocket}\nexec logger "$@" --udp --rfc3164 -n ${HOST} -P ${port}`;
  await withLogger(script, async ({ socket, program }) => {
    const log = new AgentLog("a");
    await using _s = await Syslog.open({ facility: "LOCAL0", log, filter: ALL, socket, program });
    log.write("WARN", "serf", "hello");
    assert.match(await received, new RegExp(`^<132>.* serf\\[${Deno.pid}\\]: serf: hello$`));
  });
  await new Promise<void>((resolve) => receiver.close(resolve));
});
