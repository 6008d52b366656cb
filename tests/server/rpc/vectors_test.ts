/**
 * Conversations captured from real agents (tests/vectors/ipc.json), held with ours: the same bytes come back, but for the
 * differences that are named here.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Member, SerfEvent } from "../../../cluster/serf/mod.ts";
import { Agent } from "../../../server/agent.ts";
import type { RpcBackend } from "../../../server/rpc/backend.ts";
import { RpcServer } from "../../../server/rpc/server.ts";
import vectors from "../../vectors/ipc.json" with { type: "json" };
import { FakeBackend, member } from "./backend.ts";
import { Peer, request } from "./peer.ts";

interface Exchange {
  readonly command: string;
  readonly note: string;
  readonly agent: string;
  readonly source: string;
  readonly request_hex: string;
  readonly response_hex: string;
  readonly decoded_request: { header: { Seq: number }; body?: Record<string, unknown> } | null;
  readonly decoded_response: {
    header?: { Error: string; Seq: number };
    body?: Record<string, unknown>;
  } | null;
}

interface WireMember {
  Name: string;
  Addr: { $bin: string };
  Port: number;
  Status: string;
  Tags: Record<string, string>;
}

const exchanges = vectors as unknown as readonly Exchange[];
const requests = exchanges.filter(({ agent, request_hex }) => agent === "0.9.4" && request_hex);

/** Commands of a later version. */
const LATER = [
  "query",
  "respond",
  "install-key",
  "use-key",
  "remove-key",
  "list-keys",
  "get-coordinate",
];

/** Where we differ from what was captured, by note, and what we answer. */
const DIFFERENCES: Record<string, (got: string) => void> = {
  "bad regexp: no response at all; connection closed by agent": (got) => {
    assert.match(ascii(got), /Failed to compile regex: .*Members/s);
  },
  "before auth with a body: the body is re-read as a header, so the error header comes twice": (
    got,
  ) => assert.equal(ascii(got).split("Authentication required").length, 2),
  "all fail: header error AND body": (got) => {
    // The newest Serf names the port, and starts with a small letter.
    assert.match(
      ascii(got),
      /1 error occurred:\n\t\* failed to join 127\.0\.0\.1:19999: dial tcp 127\.0\.0\.1:19999: connect: connection refused\n\n.*Num/s,
    );
  },
};

Deno.test("requests captured from 0.9.4 get the captured answers from an agent", async () => {
  await using agent = await Agent.start({
    nodeName: "a",
    bind: "127.0.13.6:0",
    profile: "local",
  });
  let replayed = 0;
  for (const exchange of requests) {
    if (LATER.includes(exchange.command) || needsScript(exchange)) continue;
    await replay(exchange, agent);
    replayed++;
  }
  assert.equal(replayed, 23);
});

Deno.test("what depends on other agents or ends the agent has the captured bytes, too", async () => {
  let replayed = 0;
  for (const exchange of requests) {
    if (!needsScript(exchange)) continue;
    const backend = new FakeBackend();
    const { Members } = (exchange.decoded_response?.body ?? {}) as { Members?: WireMember[] };
    backend.list = (Members ?? []).map(fromWire);
    await replay(exchange, backend);
    replayed++;
  }
  assert.equal(replayed, 11);
});

Deno.test("commands of a later version are unknown to this one", () => {
  const skipped = requests.filter(({ command }) => LATER.includes(command));
  assert.deepEqual(new Set(skipped.map(({ command }) => command)), new Set(LATER));
});

Deno.test("records of streams have the captured bytes", async () => {
  const records = exchanges.filter(({ command }) => command.startsWith("stream record"));
  assert.ok(records.length >= 7);
  for (const { response_hex, decoded_response } of records) {
    const backend = new FakeBackend();
    await using server = RpcServer.listen(backend, { address: "127.0.13.6:0" });
    using peer = await Peer.ready(server.address);
    const seq = decoded_response?.header?.Seq ?? 0;
    await peer.send(request("stream", seq, { Type: "*" }));
    await peer.next();
    peer.keep();
    backend.emit(toEvent(decoded_response?.body ?? {}));
    await peer.take(2);
    assert.equal(hex(peer.kept()), response_hex);
  }
});

/** Whether the answer depends on other agents, on earlier log lines, or ends the agent. */
function needsScript({ command, note }: Exchange): boolean {
  if (command === "join" || command === "monitor") return note === "";
  return command === "leave" || command.startsWith("members");
}

/** Holds one exchange on a connection of its own. */
async function replay(exchange: Exchange, backend: RpcBackend): Promise<void> {
  const { command, note, source, request_hex, response_hex } = exchange;
  const authKey = /auth/.test(`${command} ${note} ${source}`) && !/no rpc_auth/.test(note)
    ? "s3cret"
    : "";
  await using server = RpcServer.listen(backend, { address: "127.0.13.6:0", authKey });
  using peer = await Peer.connect(server.address);
  const shaken = note === "duplicate" ||
    (command !== "handshake" && !note.startsWith("before handshake"));
  if (shaken) {
    await peer.send(request("handshake", 0, { Version: 1 }));
    await peer.next();
    if (authKey !== "" && command !== "auth" && !note.startsWith("before auth")) {
      await peer.send(request("auth", 0, { AuthKey: authKey }));
      await peer.next();
    }
  }
  peer.keep();
  await peer.send(new Uint8Array(Buffer.from(request_hex, "hex")));
  await peer.finish();
  await peer.rest();
  const got = hex(peer.kept());
  const check = DIFFERENCES[note];
  if (check === undefined) assert.equal(got, response_hex, `${command}: ${note}`);
  else check(got);
}

function fromWire({ Name, Addr, Port, Status, Tags }: WireMember): Member {
  return member(Name, {
    addr: new Uint8Array(Buffer.from(Addr.$bin, "hex")),
    port: Port,
    status: Status as Member["status"],
    tags: Tags,
  });
}

function toEvent(body: Record<string, unknown>): SerfEvent {
  if (body.Event !== "user") {
    const { Event, Members } = body as { Event: "member-join"; Members: WireMember[] };
    return { type: Event, members: Members.map(fromWire) };
  }
  const payload = body.Payload as { $bin: string } | null;
  return {
    type: "user",
    ltime: BigInt(body.LTime as number),
    name: body.Name as string,
    payload: payload === null ? null : new Uint8Array(Buffer.from(payload.$bin, "hex")),
    coalesce: body.Coalesce as boolean,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function ascii(text: string): string {
  return Buffer.from(text, "hex").toString("latin1");
}
