import assert from "node:assert/strict";
import { Keyring, memberlistConfig } from "../../../../cluster/memberlist/mod.ts";
import { KeySaver } from "../../../../cluster/serf/core/key_saver.ts";
import { serfConfig } from "../../../../cluster/serf/model/config.ts";
import { node } from "../../../support/serf/fixture.ts";
import { key } from "../../../support/serf/key_ring.ts";

/** A saver for a keyring of one key, and what its saves wait for. */
function saver(): { keys: KeySaver; saves: PromiseWithResolvers<void>[] } {
  const saves: PromiseWithResolvers<void>[] = [];
  const saveKeys = () => {
    const save = Promise.withResolvers<void>();
    saves.push(save);
    return save.promise;
  };
  const memberlist = memberlistConfig("a", node("a"), "lan", { keyring: new Keyring([key(1)]) });
  const config = serfConfig({ nodeName: "a", memberlist, onEvent: () => {} }, { saveKeys });
  return { keys: new KeySaver(config), saves };
}

Deno.test("calls that come while keys are being saved share the next time", async () => {
  const { keys, saves } = saver();
  const first = keys.save();
  await Promise.resolve();
  const others = [keys.save(), keys.save()];
  assert.equal(saves.length, 1);
  saves[0]?.reject(new Error("disk full"));
  await assert.rejects(first, { message: "disk full" });
  await Promise.resolve();
  saves[1]?.resolve();
  await Promise.all(others);
  assert.equal(saves.length, 2);
});

Deno.test("idle() waits for what is being saved and what is to be", async () => {
  const { keys, saves } = saver();
  void keys.save();
  await Promise.resolve();
  void keys.save();
  let idle = false;
  const waiting = keys.idle().then(() => idle = true);
  saves[0]?.resolve();
  while (saves.length < 2) await Promise.resolve();
  assert.ok(!idle);
  saves[1]?.resolve();
  await waiting;
  await keys.idle();
});

Deno.test("without keys, or a place for them, nothing is saved", async () => {
  const memberlist = memberlistConfig("a", node("a"), "lan");
  const settings = { nodeName: "a", memberlist, onEvent: () => {} };
  let saved = 0;
  await new KeySaver(serfConfig(settings)).save();
  await new KeySaver(serfConfig(settings, { saveKeys: () => Promise.resolve(void saved++) }))
    .save();
  assert.equal(saved, 0);
});
