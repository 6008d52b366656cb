import assert from "node:assert/strict";
import type { Member, SerfEvent } from "../../../cluster/serf/mod.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import { scriptInput, scriptVariables } from "../../../server/scripts/script_input.ts";

const member = (name: string, addr: number[], tags: Record<string, string>): Member => ({
  name,
  addr: new Uint8Array(addr),
  port: 7946,
  tags,
  status: "alive",
  protocolMin: 1,
  protocolMax: 5,
  protocolCur: 2,
  delegateMin: 2,
  delegateMax: 5,
  delegateCur: 5,
});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const user = (payload: Uint8Array | null): SerfEvent => ({
  type: "user",
  ltime: 2n ** 60n + 1n,
  name: "deploy",
  payload: ownPayload(payload),
  coalesce: true,
});
const query: SerfEvent = {
  type: "query",
  ltime: 7n,
  id: 1,
  name: "load",
  payload: null,
  sourceNode: "b",
  deadline: 0,
  respond: () => {},
};
const text = (event: SerfEvent): string => new TextDecoder().decode(scriptInput(event));

Deno.test("a script reads names and tags of any bytes as they are", () => {
  const event: SerfEvent = {
    type: "member-join",
    members: [member("caf\udce9", [10, 0, 0, 1], { "st\udce4dte": "Z\udcfcrich" })],
  };
  assert.equal(decodeUtf8(scriptInput(event)), "caf\udce9\t10.0.0.1\t\tst\udce4dte=Z\udcfcrich\n");
  const { SERF_TAG_ST_DTE } = scriptVariables(event, {
    name: "a",
    tags: { "st\udce4dte": "Z\udcfcrich" },
  });
  assert.equal(SERF_TAG_ST_DTE, "Z\udcfcrich");
});

Deno.test("a script learns the event and the own node by environment variables", () => {
  const self = { name: "a", tags: { role: "web", "my-tag.x": "1", "Ünï": "2", "groß": "3" } };
  const common = {
    SERF_SELF_NAME: "a",
    SERF_SELF_ROLE: "web",
    SERF_TAG_ROLE: "web",
    SERF_TAG_MY_TAG_X: "1",
    SERF_TAG__N_: "2",
    SERF_TAG_GRO_: "3",
  };
  const joined: SerfEvent = { type: "member-join", members: [member("b", [10, 0, 0, 1], {})] };
  assert.deepEqual(scriptVariables(joined, self), { ...common, SERF_EVENT: "member-join" });
  assert.deepEqual(scriptVariables(user(null), self), {
    ...common,
    SERF_EVENT: "user",
    SERF_USER_EVENT: "deploy",
    SERF_USER_LTIME: "1152921504606846977",
  });
  assert.deepEqual(scriptVariables(query, { name: "a", tags: {} }), {
    SERF_EVENT: "query",
    SERF_SELF_NAME: "a",
    SERF_SELF_ROLE: "",
    SERF_QUERY_NAME: "load",
    SERF_QUERY_LTIME: "7",
  });
});

Deno.test("a script reads one line of four fields for each member", () => {
  const members = [
    member("b", [10, 0, 0, 1], { role: "web", dc: "eu,x=1\\" }),
    member("c\td\ne", [0xfd, ...Array(14).fill(0), 1], { role: "x\ty", note: "1\n2" }),
    member("d", [10, 0, 0, 2], {}),
  ];
  assert.equal(
    text({ type: "member-failed", members }),
    "b\t10.0.0.1\tweb\trole=web,dc=eu,x=1\\\n" +
      "c\\td\\ne\tfd00::1\tx\\ty\trole=x\\ty,note=1\\n2\n" +
      "d\t10.0.0.2\t\t\n",
  );
});

Deno.test("a script reads a payload, which then ends in a line break", () => {
  assert.equal(text(user(null)), "");
  assert.equal(text(user(bytes(""))), "");
  assert.equal(text(user(bytes("a\nb"))), "a\nb\n");
  assert.equal(text(user(bytes("a\n"))), "a\n");
  assert.deepEqual(scriptInput(user(new Uint8Array([0xff]))), new Uint8Array([0xff, 0x0a]));
  assert.equal(text(query), "");
});
