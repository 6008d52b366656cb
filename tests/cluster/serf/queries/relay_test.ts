import assert from "node:assert/strict";
import { decodeRelay } from "../../../../cluster/serf/model/messages.ts";
import {
  fixture,
  hex,
  node,
  onlyQuery,
  place,
  queryMessage,
  unhex,
} from "../../../support/serf/fixture.ts";
import { leaveMessage } from "../../../support/serf/fixture.ts";
import samples from "../../../vectors/serf.json" with { type: "json" };

const captured = (name: string) => unhex(samples.find((s) => s.name === name)?.hex ?? "");

/** An agent that sees b and c on ports 7001 and 7002. */
function three() {
  const f = fixture();
  f.delegate.notifyJoin(node("b", { port: 7_001 }));
  f.delegate.notifyJoin(node("c", { port: 7_002 }));
  f.events.length = 0;
  return f;
}

Deno.test("an ack with relay factor 1 goes to the asker and through one other member", () => {
  const f = three();
  f.draws.push(0, 0.5);
  f.delegate.notifyMessage(queryMessage({ LTime: 51n, ID: 0x0badcaff, Flags: 1, RelayFactor: 1 }));
  assert.deepEqual(f.sent.map(place), ["127.0.0.1:18990", "127.0.0.1:7001"]);
  const [direct, relayed] = f.sent;
  assert.equal(hex(relayed?.message ?? new Uint8Array()), hex(captured("relay/ack")));
  assert.ok(relayed !== undefined && direct !== undefined);
  assert.equal(hex(decodeRelay(relayed.message).inner), hex(direct.message));
});

Deno.test("each relay is another member, never the own node", () => {
  const f = three();
  f.draws.push(0, 0.4, 0.4, 0.9);
  f.delegate.notifyMessage(queryMessage({ Flags: 1, RelayFactor: 2 }));
  assert.deepEqual(f.sent.map(place).slice(1), ["127.0.0.1:7001", "127.0.0.1:7002"]);
});

Deno.test("with two members factor 1 relays and factor 2 does not", () => {
  for (const [RelayFactor, messages] of [[1, 2], [2, 1]] as const) {
    const f = fixture();
    f.delegate.notifyJoin(node("b"));
    f.draws.push(0.9);
    f.delegate.notifyMessage(queryMessage({ Flags: 1, RelayFactor }));
    assert.equal(f.sent.length, messages);
  }
});

Deno.test("members that are not alive or of an old memberlist do not relay", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyJoin({ ...node("c"), versions: [1, 4, 2, 2, 5, 5] });
  f.delegate.notifyMessage(leaveMessage("b", 3n));
  for (let i = 0; i < 20; i++) f.draws.push(i / 20);
  f.delegate.notifyMessage(queryMessage({ Flags: 1, RelayFactor: 2 }));
  assert.equal(f.sent.length, 1);
});

Deno.test("an answer whose relayed form is too large is an error although it went out directly", () => {
  const f = three();
  f.delegate.notifyMessage(queryMessage({ RelayFactor: 1 }));
  const { respond } = onlyQuery(f.events);
  assert.throws(() => respond(new Uint8Array(1_024 - 38)), {
    message: "failed to respond to key query: relayed response exceeds limit of 1024 bytes",
  });
  assert.equal(f.sent.length, 1);
  respond(new Uint8Array(10));
  assert.equal(f.sent.length, 3);
});

Deno.test("a relay message is passed on untouched to the address in it", () => {
  for (const name of ["relay/ack", "relay/response", "newest/relay-port-is-int16"]) {
    const f = fixture();
    f.delegate.notifyMessage(captured(name));
    const { inner, header } = decodeRelay(captured(name));
    assert.deepEqual(f.sent.map(place), [`127.0.0.1:${header.DestAddr.Port}`]);
    assert.equal(hex(f.sent[0]?.message ?? new Uint8Array()), hex(inner));
    assert.deepEqual(f.gossip(), []);
  }
});

Deno.test("a relay message without an address or without content is dropped", () => {
  const f = fixture();
  const header = (ip: string, port: string) =>
    `0982a8446573744164647283a24950${ip}a4506f7274${port}a45a6f6e65a0a8446573744e616d65a17a`;
  f.delegate.notifyMessage(unhex(header("a47f000001", "cd4a2e")));
  f.delegate.notifyMessage(unhex(header("c0", "cd4a2e") + "05c0"));
  f.delegate.notifyMessage(unhex(header("a17f", "cd4a2e") + "05c0"));
  f.delegate.notifyMessage(unhex(header("a47f000001", "00") + "05c0"));
  f.delegate.notifyMessage(unhex(header("a47f000001", "ff") + "05c0"));
  f.delegate.notifyMessage(unhex(header("a47f000001", "ce00010000") + "05c0"));
  assert.deepEqual(f.sent, []);
});
