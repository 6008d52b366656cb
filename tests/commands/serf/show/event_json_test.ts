import assert from "node:assert/strict";
import type { Member } from "../../../../client/mod.ts";
import { eventJson, logJson } from "../../../../commands/serf/show/event_json.ts";
import { goJsonLine } from "../../../../commands/shell/format/gojson.ts";
import { ownPayload } from "../../../../protocol/payload.ts";
import { VERSIONS } from "../../../support/versions.ts";

const TIME = new Date("2026-11-21T06:00:00Z");
const respond = () => Promise.resolve();

const member: Member = {
  name: "a",
  addr: "127.0.0.1",
  port: 7946,
  tags: { role: "web" },
  status: "alive",
  ...VERSIONS,
};

Deno.test("eventJson() writes text as it is and other bytes in base64 under another name", () => {
  const user = { type: "user", ltime: 2n ** 63n, name: "deploy", coalesce: true } as const;
  const time = '"time":"2026-11-21T06:00:00.000Z","ltime":9223372036854775808,"name":"deploy"';
  const cases: [Uint8Array | null, string][] = [
    [new TextEncoder().encode("\ufeffv1 ä"), '"payload":"\ufeffv1 ä"'],
    [new Uint8Array(), '"payload":""'],
    [Uint8Array.of(0xff, 0x01), '"payload_base64":"/wE="'],
    [null, '"payload":null'],
  ];
  for (const [payload, written] of cases) {
    assert.equal(
      goJsonLine(eventJson({ ...user, payload: ownPayload(payload) }, TIME)),
      `{"type":"user",${time},${written},"coalesce":true}`,
    );
  }
});

Deno.test("eventJson() writes queries and members", () => {
  const query = { type: "query", id: 7, ltime: 1n, name: "load", payload: null, respond } as const;
  assert.equal(
    goJsonLine(eventJson(query, TIME)),
    '{"type":"query","time":"2026-11-21T06:00:00.000Z","id":7,"ltime":1,"name":"load","payload":null}',
  );
  assert.equal(
    goJsonLine(eventJson({ type: "member-join", members: [member] }, TIME)),
    '{"type":"member-join","time":"2026-11-21T06:00:00.000Z","members":[{"name":"a",' +
      '"addr":"127.0.0.1:7946","port":7946,"tags":{"role":"web"},"status":"alive",' +
      '"protocol":{"max":5,"min":2,"version":5}}]}',
  );
});

Deno.test("logJson() names the level of a line that has one", () => {
  const line = "2026/11/21 06:00:00 [WARN] serf: about [INFO]";
  assert.deepEqual(logJson(line), { type: "log", level: "WARN", line });
  assert.deepEqual(logJson("plain"), { type: "log", line: "plain" });
});
