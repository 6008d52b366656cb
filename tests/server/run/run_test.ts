/**
 * `runAgent`: what is printed, what signals do, exit codes (docs/spec/agent.md 6.1 and 6.7).
 *
 * @module
 */

import assert from "node:assert/strict";
import project from "../../../deno.json" with { type: "json" };
import { Agent } from "../../../server/agent/agent.ts";
import type { ConfigInput } from "../../../server/config/load.ts";
import { AgentMetrics } from "../../../server/metrics/agent_metrics.ts";
import { SIGNAL_NAMES } from "../../../server/run/signals.ts";
import { Peer, until, withPatience } from "../../support/rpc/peer.ts";
import { GATE_OPEN, HOST, READY, ready, Running } from "../../support/run/running.ts";

Deno.test("SIGINT leaves gracefully: banner, log behind the gate, exit code 0", async () => {
  const running = await ready({ advertise: "127.0.14.5:1234", enable_compression: false });
  assert.deepEqual(running.handled, Object.keys(SIGNAL_NAMES));
  running.send("SIGINT");
  assert.equal(await withPatience(running.exit), 0);
  assert.deepEqual(running.handled, []);
  assert.equal(
    running.output,
    `==> Starting Serf agent...
==> Starting Serf agent RPC...
==> Serf agent running!
                        Version: skein ${project.version}
                      Node name: 't'
                      Bind addr: 'ADDRESS'
                 Advertise addr: '127.0.14.5:1234'
                       RPC addr: 'ADDRESS'
                      Encrypted: false
                       Snapshot: false
                        Profile: local
    Message Compression Enabled: false

==> ${READY}

    TIME [INFO] agent: Serf agent starting
    TIME [INFO] serf: EventMemberJoin: t 127.0.14.5
==> Caught signal: interrupt
==> Gracefully shutting down agent...
    TIME [INFO] agent: requesting graceful leave from Serf
    TIME [INFO] serf: EventMemberLeave: t 127.0.14.5
    TIME [INFO] agent: Received event: member-leave
    TIME [INFO] agent: requesting serf shutdown
    TIME [INFO] agent: shutdown complete`,
  );
});

Deno.test("SIGTERM ends at once with exit code 1, and leaves first when told to", async () => {
  const rough = await ready();
  rough.send("SIGTERM");
  assert.equal(await withPatience(rough.exit), 1);
  assert.ok(rough.output.includes("==> Caught signal: terminated"));
  assert.ok(rough.output.includes("[WARN] serf: Shutdown without a Leave"));
  const polite = await ready({ leave_on_terminate: true });
  polite.send("SIGTERM");
  assert.equal(await withPatience(polite.exit), 0);
});

Deno.test("SIGINT ends at once when leaving is skipped", async () => {
  const running = await ready({ skip_leave_on_interrupt: true });
  running.send("SIGINT");
  assert.equal(await withPatience(running.exit), 1);
});

Deno.test("a second signal during the leave ends at once", async () => {
  const running = await ready();
  const started = performance.now();
  running.send("SIGINT");
  await running.printed("requesting graceful leave");
  running.send("SIGHUP");
  assert.equal(await withPatience(running.exit), 1);
  assert.ok(performance.now() - started < 900, "a leave takes 1 s");
});

Deno.test("SIGUSR1 does not end the leave", async () => {
  const running = await ready();
  running.send("SIGINT");
  await running.printed("==> Gracefully shutting down agent...");
  running.send("SIGUSR1");
  assert.equal(await withPatience(running.exit), 0);
});

Deno.test("leave over RPC ends with exit code 0, also when SIGINT comes on top", async () => {
  const running = await ready();
  using peer = await Peer.ready(running.address("RPC addr"));
  await peer.request("leave");
  await running.printed("requesting graceful leave");
  running.send("SIGINT");
  assert.deepEqual(await peer.next(), { Error: "", Seq: 2 });
  assert.equal(await withPatience(running.exit), 0);
});

Deno.test("SIGUSR1 and SIGBREAK show the figures on standard error, and end nothing", async () => {
  const running = await ready();
  const { dump } = AgentMetrics.prototype;
  try {
    for (const signal of ["SIGUSR1", "SIGBREAK"] as const) {
      AgentMetrics.prototype.dump = () => `figures on ${signal}\n`;
      running.send(signal);
      await until(() => running.errors.endsWith(`figures on ${signal}`));
    }
    AgentMetrics.prototype.dump = () => "";
    running.send("SIGUSR1");
    running.send("SIGHUP");
    await running.printed("Configuration reloaded");
    assert.equal(running.errors, "figures on SIGUSR1\nfigures on SIGBREAK", "nothing, no line");
  } finally {
    AgentMetrics.prototype.dump = dump;
  }
  running.send("SIGTERM");
  assert.equal(await withPatience(running.exit), 1);
});

Deno.test("a signal that ends nothing does not end the wait for start_join", async () => {
  using silent = Deno.listen({ hostname: HOST, port: 0 });
  const { port } = silent.addr as Deno.NetAddr;
  const running = new Running({ start_join: [`${HOST}:${port}`] });
  {
    using _joining = await silent.accept();
    running.send("SIGHUP");
    await running.printed("==> Configuration reloaded, nothing to apply");
    assert.ok(!running.output.includes(GATE_OPEN));
  }
  assert.equal(await withPatience(running.exit), 1);
  assert.ok(running.output.includes("1 error occurred"), running.output);
});

Deno.test("start_join joins before the log shows, and a failure ends with exit code 1", async () => {
  await using other = await Agent.start({ nodeName: "o", bind: `${HOST}:0`, profile: "local" });
  const { host, port } = other.address;
  const joined = await ready({ start_join: [`${HOST}:1`, `${host}:${port}`] });
  assert.match(
    joined.output,
    /==> Joining cluster\.\.\.\(replay: false\)\n {4}Join completed\. Synced with 1 initial agents\n\n==> Log data/,
  );
  joined.send("SIGTERM");
  await withPatience(joined.exit);
  const failed = new Running({ start_join: [`${HOST}:1`], replay_on_join: true });
  assert.equal(await withPatience(failed.exit), 1);
  assert.match(
    failed.output,
    /==> Joining cluster\.\.\.\(replay: true\)\n==> 1 error occurred:\n\t\* .*connection refused\n\n$/,
  );
  assert.ok(!failed.output.includes("[INFO]"), "held back lines of a failed start are not shown");
});

Deno.test("retry_join goes on until an agent answers", async () => {
  const port = await freePort();
  const running = await ready({ retry_join: [`${HOST}:${port}`], retry_interval: "1s" });
  await running.printed("retrying in 1s");
  await using _other = await Agent.start({
    nodeName: "o",
    bind: `${HOST}:${port}`,
    profile: "local",
  });
  await running.printed("[INFO] agent: Join completed. Synced with 1 initial agents");
  running.send("SIGTERM");
  await withPatience(running.exit);
});

Deno.test("retry_join gives up after the allowed tries with exit code 1", async () => {
  const port = await freePort();
  const running = await ready({
    retry_join: [`${HOST}:${port}`],
    retry_interval: "1s",
    retry_max_attempts: 1,
  });
  assert.equal(await withPatience(running.exit), 1);
  assert.equal(running.output.match(/Joining cluster/g)?.length, 2, "the first and one more");
  assert.ok(running.output.includes("[ERR] agent: maximum retry join attempts made, exiting"));
});

Deno.test("wrong configurations end with one line and exit code 1", async () => {
  const wrong: [ConfigInput, string][] = [
    [
      { log_level: "foo" },
      "Invalid log level: FOO. Valid log levels are: [TRACE DEBUG INFO WARN ERR]",
    ],
    [{ profile: "foo" }, "Unknown profile: foo, expected lan, wan or local"],
    [
      { event_handlers: ["foo=bar"] },
      "Invalid event script: Event 'foo' invoking 'bar'. Valid events are: * member-join member-leave member-failed member-update member-reap user query, with names as in user:NAME",
    ],
    [
      { enable_syslog: true, syslog_facility: "NOPE" },
      "Syslog setup failed: invalid syslog facility: NOPE",
    ],
    [
      { encrypt_key: "!" },
      "Invalid encryption key: illegal base64 data at input byte 0; 'skein keygen' makes a key",
    ],
    [{ bind: "::1" }, "Invalid bind address: address ::1: too many colons in address"],
    [
      { retry_interval: "xx" },
      `Invalid -retry-interval: time: invalid duration "xx", expected a duration such as 30s`,
    ],
  ];
  for (const [flags, line] of wrong) {
    const running = new Running(flags);
    assert.equal(await running.exit, 1);
    assert.equal(running.output, `==> ${line}`);
  }
});

Deno.test("a taken RPC port ends the start, and nothing stays behind", async () => {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const { port } = listener.addr;
  const running = new Running({ rpc_addr: `${HOST}:${port}` });
  assert.equal(await withPatience(running.exit), 1);
  listener.close();
  assert.equal(
    running.output,
    "==> Starting Serf agent...\n==> Error starting RPC listener: listen tcp ADDRESS: bind: address already in use",
  );
  const noPort = new Running({ rpc_addr: HOST });
  assert.equal(await withPatience(noPort.exit), 1);
  assert.ok(
    noPort.output.endsWith(
      `==> Error starting RPC listener: listen tcp: address ${HOST}: missing port in address`,
    ),
  );
});

Deno.test("warnings and the chosen interface address are printed first", async () => {
  const running = new Running({
    bind: "0.0.0.0:0",
    interface: "lo",
    role: "web",
    retry_interval: "10ms",
  });
  await running.printed(GATE_OPEN);
  assert.ok(running.output.startsWith(
    `==> Deprecation warning: 'Role' has been replaced with 'Tags'
==> Warning: 'RetryInterval' is too low. Setting to 1s
==> Using interface 'lo' address '127.0.0.1'
==> Starting Serf agent...
`,
  ));
  running.send("SIGTERM");
  await withPatience(running.exit);
});

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  await using agent = await Agent.start({ nodeName: "p", bind: `${HOST}:0`, profile: "local" });
  return agent.address.port;
}

Deno.test("who loses its name to another says what to do, and exits with 1", async () => {
  const local = { bind: `${HOST}:0`, profile: "local" } as const;
  await using first = await Agent.start({ nodeName: "t", ...local });
  const joined = [`${HOST}:${first.address.port}`];
  await using voter = await Agent.start({ nodeName: "voter", startJoin: joined, ...local });
  const running = await ready({ start_join: [`${HOST}:${voter.address.port}`] });
  assert.equal(await withPatience(running.exit), 1);
  const line = "==> Node name 't' is taken by another member, choose one with -node";
  assert.ok(running.lines().includes(line), running.output);
});
