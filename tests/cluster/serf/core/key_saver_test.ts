import assert from "node:assert/strict";
import { Keyring, memberlistConfig } from "../../../../cluster/memberlist/mod.ts";
import { KeySaver } from "../../../../cluster/serf/core/key_saver.ts";
import { serfConfig } from "../../../../cluster/serf/model/config.ts";
import { node } from "../../../support/serf/fixture.ts";
import { key } from "../../../support/serf/key_ring.ts";
import { settle } from "../../../support/manual_clock.ts";

/** A saver for a keyring of key 1, and its saves: the keys, and what they wait for. */
function saver() {
  const saves: { keys: string; done: PromiseWithResolvers<void> }[] = [];
  const saveKeys = (keys: readonly Uint8Array[]) => {
    const done = Promise.withResolvers<void>();
    saves.push({ keys: numbers(keys), done });
    return done.promise;
  };
  const keyring = new Keyring([key(1)]);
  const memberlist = memberlistConfig("a", node("a"), "lan", { keyring });
  const config = serfConfig({ nodeName: "a", memberlist, onEvent: () => {} }, { saveKeys });
  return { keyring, keys: new KeySaver(config), saves };
}

function numbers(keys: readonly Uint8Array[]): string {
  return keys.map(([byte]) => byte).join(" ");
}

const install = (byte: number) => (ring: Keyring) => ring.add(key(byte));
const use = (byte: number) => (ring: Keyring) => ring.use(key(byte));

Deno.test("a change is made when it is saved, and those that come meanwhile are saved together", async () => {
  const { keys, keyring, saves } = saver();
  const first = keys.change(install(2));
  const others = [keys.change(install(3)), keys.change(use(3)), keys.change(use(2))];
  await settle();
  assert.deepEqual([saves.length, saves[0]?.keys, numbers(keyring.keys())], [1, "1 2", "1"]);
  saves[0]?.done.resolve();
  await first;
  assert.equal(numbers(keyring.keys()), "1 2");
  await settle();
  assert.deepEqual([saves.length, saves[1]?.keys], [2, "2 3 1"]);
  saves[1]?.done.resolve();
  await Promise.all(others);
  assert.equal(numbers(keyring.keys()), "2 3 1");
});

Deno.test("what cannot be saved is not made, and the next change does not build on it", async () => {
  const { keys, keyring, saves } = saver();
  const first = keys.change(install(2));
  const next = [keys.change(use(2)), keys.change(install(3))];
  await settle();
  saves[0]?.done.reject(new Error("disk full"));
  await assert.rejects(first, { message: "disk full" });
  await assert.rejects(next[0]!, { name: "KeyringError" });
  assert.equal(saves[1]?.keys, "1 3");
  saves[1]?.done.resolve();
  await next[1];
  assert.equal(numbers(keyring.keys()), "1 3");
});

Deno.test("what changes nothing because it is refused is not saved", async () => {
  const { keys, saves } = saver();
  await assert.rejects(keys.change(use(9)), { name: "KeyringError" });
  assert.equal(saves.length, 0);
});

Deno.test("idle() waits for what is being saved and what is to be", async () => {
  const { keys, saves } = saver();
  void keys.change(install(2));
  void keys.change(install(3));
  let idle = false;
  const waiting = keys.idle().then(() => idle = true);
  saves[0]?.done.resolve();
  while (saves.length < 2) await Promise.resolve();
  assert.ok(!idle);
  saves[1]?.done.resolve();
  await waiting;
  await keys.idle();
});

Deno.test("without keys nothing is saved, without a place for them a change is made at once", async () => {
  const memberlist = memberlistConfig("a", node("a"), "lan");
  const settings = { nodeName: "a", memberlist, onEvent: () => {} };
  let saved = 0;
  const saveKeys = () => Promise.resolve(void saved++);
  await new KeySaver(serfConfig(settings, { saveKeys })).change(install(2));
  assert.equal(saved, 0);
  const keyring = new Keyring([key(1)]);
  const placeless = serfConfig({ ...settings, memberlist: { ...memberlist, keyring } });
  await new KeySaver(placeless).change(install(2));
  assert.equal(numbers(keyring.keys()), "1 2");
});
