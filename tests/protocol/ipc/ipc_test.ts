import assert from "node:assert/strict";
import {
  asResponseHeader,
  type CommandName,
  COMMANDS,
  hasResponseBody,
  IpcError,
  isCommandName,
  LogRecord,
  MemberEventRecord,
  QueryEventRecord,
  QueryRecord,
  RequestHeader,
  ResponseHeader,
  UserEventRecord,
} from "../../../protocol/ipc/mod.ts";
import { type Codec, encode, Reader, Splitter } from "../../../protocol/msgpack/mod.ts";
import vectors from "../../vectors/ipc.json" with { type: "json" };

interface Message {
  header: Record<string, unknown>;
  body?: unknown;
  values?: unknown[];
}

const RECORDS: [RegExp, Codec<unknown>][] = [
  [/^query record/, QueryRecord],
  [/^stream record: user/, UserEventRecord],
  [/^stream record: query/, QueryEventRecord],
  [/^stream record: member/, MemberEventRecord],
  [/^monitor record/, LogRecord],
];

/** Decoded values in the notation of the vectors. */
function noted(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return { $bin: value.toHex() };
  if (Array.isArray(value)) return value.map(noted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => key !== "text").map(([key, v]) => [key, noted(v)]),
  );
}

/** The captured bytes with the one difference between the agents undone: 0.9.4 writes signed kinds unsigned. */
function asNewest(hex: string): string {
  const timeout = "a754696d656f7574";
  return hex.replace(
    new RegExp(`${timeout}c([ef])`),
    (_, width) => `${timeout}d${width === "e" ? 2 : 3}`,
  );
}

function check(what: string, hex: string, codecs: Codec<unknown>[], expected: unknown[]): void {
  const reader = new Reader(Uint8Array.fromHex(hex));
  const values = codecs.map((codec) => codec.read(reader));
  assert.equal(reader.remaining, 0, what);
  assert.deepEqual(values.map(noted), expected.map(noted), what);
  if (what.startsWith("event raw client")) return; // its keys are deliberately unsorted
  const written = codecs.map((codec, i) => encode(codec, values[i], "rpc").toHex()).join("");
  assert.equal(written, asNewest(hex), what);
}

function parts(message: Message): unknown[] {
  if (message.values) return message.values;
  return "body" in message ? [message.header, message.body] : [message.header];
}

Deno.test("every captured request decodes to what it says and encodes to the same bytes", () => {
  let count = 0;
  for (const { command, source, request_hex, decoded_request, agent } of vectors) {
    if (!request_hex) continue;
    const body = isCommandName(command) ? COMMANDS[command].request : null;
    const codecs: Codec<unknown>[] = body ? [RequestHeader, body] : [RequestHeader];
    check(`${command} ${source} ${agent}`, request_hex, codecs, parts(decoded_request as Message));
    count++;
  }
  assert.equal(count, 53);
});

Deno.test("every captured response and record decodes to what it says and encodes to the same bytes", () => {
  let count = 0;
  for (const { command, source, response_hex, decoded_response, agent } of vectors) {
    if (!response_hex) continue;
    const message = decoded_response as Message;
    const record = RECORDS.find(([pattern]) => pattern.test(command))?.[1];
    const body = record ?? (isCommandName(command) ? COMMANDS[command].response : null);
    const codecs: Codec<unknown>[] = message.values
      ? message.values.map(() => ResponseHeader)
      : body && "body" in message
      ? [ResponseHeader, body]
      : [ResponseHeader];
    check(`${command} ${source} ${agent}`, response_hex, codecs, parts(message));
    count++;
  }
  assert.equal(count, 67);
});

Deno.test("the command table says of every captured response whether it has a body", () => {
  for (const { command, response_hex, decoded_response } of vectors) {
    const message = decoded_response as Message | null;
    if (!isCommandName(command) || !response_hex || !message?.header) continue;
    assert.equal(hasResponseBody(command, message.header["Error"] as string), "body" in message);
  }
});

Deno.test("the command table is the one of docs/spec/agent.md 1.4", () => {
  const table = Object.entries(COMMANDS).map(([name, { request, response, bodyOnError }]) =>
    `${name}${request ? " request" : ""}${response ? " response" : ""}${
      bodyOnError ? " error" : ""
    }`
  );
  assert.deepEqual(table, [
    "handshake request",
    "auth request",
    "event request",
    "force-leave request",
    "join request response error",
    "members response",
    "members-filtered request response",
    "stream request",
    "monitor request",
    "stop request",
    "leave",
    "tags request",
    "query request",
    "respond request",
    "install-key request response error",
    "use-key request response error",
    "remove-key request response error",
    "list-keys response error",
    "stats response",
    "get-coordinate request response",
    // Not in Serf.
    "reload response",
    "raft request response",
    "session request response",
  ]);
});

Deno.test("errors from before the command is looked at never have a body", () => {
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    for (
      const error of [
        IpcError.handshakeRequired,
        IpcError.authRequired,
        IpcError.unsupportedCommand,
      ]
    ) {
      assert.equal(hasResponseBody(name, error), false);
    }
    assert.equal(hasResponseBody(name, ""), COMMANDS[name].response !== null);
  }
  assert.equal(hasResponseBody("join", "1 error occurred:\n\t* x\n\n"), true);
});

Deno.test("names that every object has are no commands", () => {
  for (const name of ["", "MEMBERS", "constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assert.equal(isCommandName(name), false);
  }
  assert.equal(isCommandName("members-filtered"), true);
});

Deno.test("a response header is told from every body by its keys", () => {
  let headers = 0;
  let bodies = 0;
  for (const { response_hex } of vectors) {
    let index = 0;
    const splitter = new Splitter((value) => {
      const header = asResponseHeader(value);
      if (header) headers++;
      else bodies++;
      if (index++ === 0) assert(header);
    });
    splitter.push(Uint8Array.fromHex(response_hex));
  }
  assert.equal(headers, 68);
  assert(bodies > 30);
  for (
    const hex of ["82a3536571cd0102a54572726f72a178", "82c403536571cd0102c4054572726f72c40178"]
  ) {
    assert.deepEqual(asResponseHeader(Uint8Array.fromHex(hex)), { Seq: 258, Error: "x" });
  }
  for (
    const hex of [
      "80",
      "c0",
      "9201a0",
      "82a3536571a178a54572726f72a0",
      "82a353657101a14501",
      "c1",
      "",
    ]
  ) {
    assert.equal(asResponseHeader(Uint8Array.fromHex(hex)), undefined, hex);
  }
});

Deno.test("a request header inherits what it lacks from the one before", () => {
  const header = RequestHeader.zero();
  const read = (hex: string) => {
    RequestHeader.readInto(new Reader(Uint8Array.fromHex(hex)), header);
    return { ...header };
  };
  assert.deepEqual(read("82a7436f6d6d616e64a5737461747" + "3a353657107"), {
    Command: "stats",
    Seq: 7,
  });
  assert.deepEqual(read("80"), { Command: "stats", Seq: 7 });
  assert.deepEqual(read("81a353657108"), { Command: "stats", Seq: 8 });
  assert.deepEqual(read("83a44e616d65a161a3536571c0a54572726f72a0"), { Command: "stats", Seq: 0 });
  assert.deepEqual(read("92a16109"), { Command: "a", Seq: 9 });
  assert.deepEqual(read("c0"), { Command: "", Seq: 0 });
});

Deno.test("a Seq comes back exactly, whatever its size", () => {
  for (const seq of [0, 2 ** 53 - 1, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    const bytes = encode(ResponseHeader, { Seq: seq, Error: "" }, "rpc");
    assert.deepEqual(asResponseHeader(bytes), { Seq: seq, Error: "" });
  }
});
