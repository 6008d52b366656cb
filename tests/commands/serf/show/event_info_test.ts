import assert from "node:assert/strict";
import type { Member } from "../../../../client/mod.ts";
import { eventInfo, eventText } from "../../../../commands/serf/show/event_info.ts";
import { ownPayload } from "../../../../protocol/payload.ts";
import { VERSIONS } from "../../../support/versions.ts";

const MEMBER: Member = {
  name: "mon",
  addr: "127.0.7.9",
  port: 19946,
  tags: { b: '"q" ü', a: "1" },
  status: "alive",
  ...VERSIONS,
};

// Expected texts are what serf 0.9.4 printed for such events, with the fields in order.

/** Nobody answers here. */
const respond = () => Promise.resolve();

Deno.test("a user event, with and without payload", () => {
  const payload = new TextEncoder().encode("ab\x01ü");
  assert.equal(
    eventInfo({
      type: "user",
      ltime: 2n,
      name: "e2",
      payload: ownPayload(payload),
      coalesce: true,
    }),
    'Event Info:\n\tCoalesce: true\n\tEvent: "user"\n\tLTime: 2\n\tName: "e2"\n' +
      "\tPayload: []byte{0x61, 0x62, 0x1, 0xc3, 0xbc}",
  );
  assert.equal(
    eventInfo({ type: "user", ltime: 1n, name: "e1", payload: null, coalesce: false }),
    'Event Info:\n\tCoalesce: false\n\tEvent: "user"\n\tLTime: 1\n\tName: "e1"\n\tPayload: <nil>',
  );
});

Deno.test("a query", () => {
  const payload = new TextEncoder().encode("pay");
  assert.equal(
    eventInfo({
      type: "query",
      id: 1,
      ltime: 1n,
      name: "qq",
      payload: ownPayload(payload),
      respond,
    }),
    'Event Info:\n\tEvent: "query"\n\tID: 1\n\tLTime: 1\n\tName: "qq"\n' +
      "\tPayload: []byte{0x70, 0x61, 0x79}",
  );
});

Deno.test("a member event", () => {
  assert.equal(
    eventInfo({ type: "member-update", members: [MEMBER] }),
    'Event Info:\n\tEvent: "member-update"\n' +
      '\tMembers: []interface {}{map[interface {}]interface {}{"Addr":[]uint8{0x7f, 0x0, 0x7, 0x9}, ' +
      '"DelegateCur":5, "DelegateMax":5, "DelegateMin":2, "Name":"mon", "Port":0x4dea, ' +
      '"ProtocolCur":2, "ProtocolMax":5, "ProtocolMin":1, "Status":"alive", ' +
      '"Tags":map[interface {}]interface {}{"a":"1", "b":"\\"q\\" ü"}}}',
  );
});

Deno.test("addresses are shown as the bytes that came", () => {
  const shown = (addr: string) =>
    /"Addr":(.*?), "DelegateCur"/.exec(
      eventInfo({ type: "member-join", members: [{ ...MEMBER, addr }] }),
    )?.[1];
  assert.equal(shown("::1"), `[]uint8{${"0x0, ".repeat(15)}0x1}`);
  assert.equal(
    shown("fe80::1:abcd"),
    "[]uint8{0xfe, 0x80, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x1, 0xab, 0xcd}",
  );
  assert.equal(
    shown("1:2:3:4:5:6:7:8"),
    `[]uint8{${[1, 2, 3, 4, 5, 6, 7, 8].map((group) => `0x0, 0x${group}`).join(", ")}}`,
  );
  assert.equal(shown("::"), `[]uint8{${Array(16).fill("0x0").join(", ")}}`);
  assert.equal(shown("?0a0b0c"), "[]uint8{0xa, 0xb, 0xc}");
  assert.equal(shown(""), "interface {}(nil)");
});

Deno.test("on a screen payloads are text, or hex, and members have a line each", () => {
  const user = { type: "user", ltime: 2n, name: "deploy", coalesce: true } as const;
  const shown = (payload: Uint8Array | null) =>
    /Payload: (.*)$/.exec(eventText({ ...user, payload: ownPayload(payload) }))?.[1];
  assert.equal(shown(new TextEncoder().encode('v1.2 "ü"\n\x1b[2J')), '"v1.2 \\"ü\\"\\n\\x1b[2J"');
  assert.equal(shown(Uint8Array.of(0xff, 0x0a)), "0xff0a");
  assert.equal(shown(new Uint8Array()), '""');
  assert.equal(shown(null), "<nil>");
  assert.equal(
    eventText({ type: "member-join", members: [MEMBER, { ...MEMBER, name: "a\nb", tags: {} }] }),
    'Event Info:\n\tEvent: "member-join"\n\tMember: mon  127.0.7.9:19946  alive  a=1,b="q" ü\n' +
      "\tMember: a\\nb  127.0.7.9:19946  alive",
  );
});
