import assert from "node:assert/strict";
import { MAX_INSTALLED_KEYS } from "../../../../cluster/serf/keys/answer.ts";
import { encodeMessage, KeyRequest, MessageType } from "../../../../cluster/serf/model/messages.ts";
import { fixture, hex, unhex, utf8 } from "../../../support/serf/fixture.ts";
import {
  ask,
  captured,
  key,
  keyAnswer,
  manyKeys,
  withKeys,
} from "../../../support/serf/key_ring.ts";

function request(Key: Uint8Array): Uint8Array {
  return encodeMessage(MessageType.keyRequest, KeyRequest, { Key });
}

/** The captured answer with texts in the words of newer agents. */
function newest(sample: string): string {
  return sample.replaceAll(hex(utf8("Requested")), hex(utf8("requested")))
    .replaceAll(hex(utf8("Removing")), hex(utf8("removing")));
}

Deno.test("changes of keys are made and answered with the captured bytes", async () => {
  const { f, keyring } = withKeys([key(1)], { name: "e1" });
  const cases: [name: string, payload: Uint8Array, ID: number, sample: string][] = [
    ["install-key", request(key(2)), 11, "install-key-response-ok"],
    ["install-key", request(key(2, 5)), 12, "install-key-response-bad-length"],
    ["use-key", request(key(9)), 13, "use-key-response-unknown-key"],
    ["remove-key", request(key(1)), 14, "remove-key-response-primary"],
    ["install-key", unhex("07c1"), 17, "install-key-response-undecodable-request"],
  ];
  for (const [name, payload, ID, sample] of cases) {
    const answers = await ask(f, name, payload, { LTime: BigInt(ID), ID });
    assert.deepEqual(answers.map(hex), [newest(captured(`internal-query/${sample}`))], sample);
  }
  assert.deepEqual(keyring.keys(), [key(1), key(2)]);
  const received = f.logs.filter((line) => line === "[INFO] Received install-key query");
  assert.equal(received.length, 3);
  assert.match(f.logs.find((line) => line.startsWith("[WARN]")) ?? "", /Keys are not saved/);
  assert.ok(f.logs.some((line) => line.startsWith("[ERR] Failed to change primary key: ")));
});

Deno.test("use puts a key in front, remove takes one off; doing it again succeeds", async () => {
  const { f, keyring } = withKeys([key(1), key(2), key(3)]);
  const steps: [name: string, key: Uint8Array, after: number[]][] = [
    ["install-key", key(2), [1, 2, 3]],
    ["use-key", key(3), [3, 1, 2]],
    ["use-key", key(3), [3, 1, 2]],
    ["remove-key", key(1), [3, 2]],
    ["remove-key", key(1), [3, 2]],
  ];
  for (const [i, [name, changed, after]] of steps.entries()) {
    const [answer] = await ask(f, name, request(changed), { ID: i });
    assert.deepEqual(keyAnswer(answer), {
      Result: true,
      Message: "",
      Keys: null,
      PrimaryKey: "",
    });
    assert.deepEqual(keyring.keys(), after.map((byte) => key(byte)));
  }
});

Deno.test("a request without a readable key fails and changes nothing", async () => {
  for (const payload of [null, new Uint8Array(0), unhex("07"), unhex("0781a34b6579")]) {
    for (const name of ["install-key", "use-key", "remove-key"]) {
      const { f, keyring } = withKeys([key(1)]);
      const [answer] = await ask(f, name, payload);
      assert.deepEqual([keyAnswer(answer).Result, keyAnswer(answer).Message], [false, ""]);
      assert.equal(keyring.size, 1);
    }
  }
});

Deno.test("without encryption there is nothing to change and nothing to list", async () => {
  const f = fixture({ name: "a" });
  const [answer] = await ask(f, "install-key", request(key(1)));
  assert.equal(keyAnswer(answer).Message, "No keyring to modify (encryption not enabled)");
  const list = await ask(f, "list-keys", request(new Uint8Array(0)), { LTime: 56n, ID: 56 });
  assert.deepEqual(list.map(hex), [captured("internal-query/list-keys-response-encryption-off")]);
});

Deno.test("keys are saved before a change is confirmed, and again after the next", async () => {
  const saved: string[] = [];
  const written: (() => void)[] = [];
  const { f } = withKeys([key(1)], {
    config: {
      saveKeys: (keys) => {
        saved.push(keys.map((bytes) => bytes[0]).join(" "));
        return new Promise((resolve) => written.push(resolve));
      },
    },
  });
  assert.deepEqual(await ask(f, "install-key", request(key(2)), { ID: 1 }), []);
  assert.deepEqual(await ask(f, "install-key", request(key(3)), { ID: 2 }), []);
  assert.deepEqual(await ask(f, "use-key", request(key(3)), { ID: 3 }), []);
  assert.deepEqual(saved, ["1 2"], "one at a time");
  for (const resolve of written.splice(0)) resolve();
  await f.clock.advance(0);
  assert.deepEqual([saved, f.sent.length], [["1 2", "3 1 2"], 1]);
  for (const resolve of written) resolve();
  await f.clock.advance(0);
  assert.equal(f.sent.length, 3);
  assert.ok(f.sent.every(({ message }) => keyAnswer(message).Result));
  assert.deepEqual(await ask(f, "use-key", request(key(9)), { ID: 4 }).then((a) => a.length), 1);
  assert.equal(saved.length, 2, "what changes nothing is not saved");
});

Deno.test("keys that cannot be saved fail with the reason, and do not come into effect", async () => {
  let full = true;
  const { f, keyring } = withKeys([key(1)], {
    config: {
      saveKeys: () =>
        full
          ? Promise.reject(new Error("Failed to write keyring file: disk full"))
          : Promise.resolve(),
    },
  });
  const [answer] = await ask(f, "install-key", request(key(2)), { ID: 1 });
  assert.deepEqual(
    [keyAnswer(answer).Result, keyAnswer(answer).Message],
    [false, "Failed to write keyring file: disk full"],
  );
  assert.equal(keyring.size, 1);
  full = false;
  const [again] = await ask(f, "install-key", request(key(2)), { ID: 2 });
  assert.equal(keyAnswer(again).Result, true);
  assert.equal(keyring.size, 2);
});

Deno.test("an answer that is too late is logged, not thrown", async () => {
  let written = (): void => {};
  const { f } = withKeys([key(1)], {
    config: { saveKeys: () => new Promise((resolve) => written = resolve) },
  });
  await ask(f, "install-key", request(key(2)));
  await f.clock.advance(2_000);
  written();
  await f.clock.advance(0);
  assert.deepEqual(f.sent, []);
  assert.match(f.logs.at(-1) ?? "", /Failed to answer '_serf_install-key': .*past the deadline/);
});

Deno.test("a list of keys has the captured bytes, whole and cut to size", async () => {
  const two = [
    Uint8Array.from({ length: 16 }, (_, i) => i),
    Uint8Array.from({ length: 32 }, (_, i) => i + 16),
  ];
  const golden =
    "0585a5466c61677300a446726f6da26531a249440aa54c54696d650aa75061796c6f6164da00850884a44b65797392b84141" +
    "4543417751464267634943516f4c4441304f44773d3dda002c45424553457851564668635947526f62484230654879416849" +
    "694d6b4a53596e4b436b714b7977744c69383da74d657373616765a0aa5072696d6172794b6579b841414543417751464267" +
    "634943516f4c4441304f44773d3da6526573756c74c3";
  const asked = { LTime: 10n, ID: 10 };
  const { f } = withKeys(two, { name: "e1" });
  assert.deepEqual((await ask(f, "list-keys", request(new Uint8Array(0)), asked)).map(hex), [
    golden,
  ]);
  assert.deepEqual(
    (await ask(withKeys(two, { name: "e1" }).f, "list-keys", null, asked)).map(hex),
    [golden],
    "the payload does not matter",
  );

  const sample = captured("internal-query/list-keys-response-truncated");
  const total = Number(/of (\d+) keys/.exec(new TextDecoder().decode(unhex(sample)))?.[1]);
  const cut = await ask(withKeys(manyKeys(total), { name: "e1" }).f, "list-keys", null, asked);
  assert.deepEqual(cut.map(hex), [sample]);
});

Deno.test("a list of any number of keys fits, and says what it leaves out", async () => {
  for (const length of [16, 24, 32]) {
    for (let count = 1; count <= 60; count++) {
      const { f } = withKeys(manyKeys(count, length));
      const [message] = await ask(f, "skein-list-keys", null);
      const { Keys, Message, PrimaryKey, Result } = keyAnswer(message);
      const shown = Keys?.length ?? 0;
      assert.ok(Result && (message?.length ?? 0) <= 1_024);
      assert.equal(PrimaryKey, key(1, length).toBase64());
      assert.deepEqual(Keys, manyKeys(shown, length).map((bytes) => bytes.toBase64()));
      const note = `truncated key list response, showing first ${shown} of ${count} keys`;
      assert.equal(Message, shown === count ? "" : note);
      if (length === 32) assert.equal(shown, count <= 19 ? count : 17);
    }
  }
});

Deno.test("when not even an empty list fits there is no answer", async () => {
  const { f } = withKeys(manyKeys(3), { config: { queryResponseSizeLimit: 100 } });
  assert.deepEqual(await ask(f, "list-keys", null), []);
  assert.ok(f.logs.includes("[ERR] No list of keys fits 100 bytes"));
});

Deno.test("an agent warns of as many keys as end Serf 0.9.4 when they are listed", async () => {
  const config = { saveKeys: () => Promise.resolve() };
  const { f } = withKeys(manyKeys(19), { config });
  await ask(f, "install-key", request(key(100)));
  assert.ok(
    f.logs.some((line) => line.startsWith("[WARN] The keyring holds 20 keys")),
    `${f.logs}`,
  );
  const few = withKeys(manyKeys(18), { config }).f;
  await ask(few, "install-key", request(key(100)));
  assert.ok(!few.logs.some((line) => line.startsWith("[WARN]")), `${few.logs}`);
});

Deno.test("the number of keys that others may install is bounded", async () => {
  const keys = Array.from(
    { length: MAX_INSTALLED_KEYS - 1 },
    (_, i) =>
      Uint8Array.from({ length: 16 }, (_, at) => at === 0 ? i & 255 : at === 1 ? i >> 8 : 7),
  );
  const { f, keyring } = withKeys(keys);
  const steps: [byte: number, message: string][] = [
    [200, ""],
    [201, `keyring holds ${MAX_INSTALLED_KEYS} keys, remove one first`],
    [200, ""],
  ];
  for (const [ID, [byte, message]] of steps.entries()) {
    const [answer] = await ask(f, "install-key", request(key(byte)), { ID });
    assert.equal(keyAnswer(answer).Message, message);
  }
  assert.equal(keyring.size, MAX_INSTALLED_KEYS);
});
