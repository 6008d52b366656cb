import assert from "node:assert/strict";
import { parseCidr } from "../../../../cluster/memberlist/core/cidr.ts";
import {
  checkConfig,
  lanProfile,
  localProfile,
  type MemberlistConfig,
  memberlistConfig,
  ownVersions,
  wanProfile,
} from "../../../../cluster/memberlist/core/config.ts";
import { PORT } from "../../../support/memberlist/fake_network.ts";

const advertise = { addr: Uint8Array.of(10, 0, 0, 1), port: PORT };

Deno.test("the profiles hold the reference's timings", () => {
  const row = (key: keyof ReturnType<typeof lanProfile>) => [
    lanProfile()[key],
    wanProfile()[key],
    localProfile()[key],
  ];
  assert.deepEqual(row("tcpTimeoutMs"), [10_000, 30_000, 1_000]);
  assert.deepEqual(row("indirectChecks"), [3, 3, 1]);
  assert.deepEqual(row("retransmitMult"), [4, 4, 2]);
  assert.deepEqual(row("suspicionMult"), [4, 6, 3]);
  assert.deepEqual(row("suspicionMaxTimeoutMult"), [6, 6, 6]);
  assert.deepEqual(row("pushPullIntervalMs"), [30_000, 60_000, 15_000]);
  assert.deepEqual(row("probeTimeoutMs"), [500, 3_000, 200]);
  assert.deepEqual(row("probeIntervalMs"), [1_000, 5_000, 1_000]);
  assert.deepEqual(row("awarenessMaxMultiplier"), [8, 8, 8]);
  assert.deepEqual(row("gossipNodes"), [3, 4, 3]);
  assert.deepEqual(row("gossipIntervalMs"), [200, 500, 100]);
  assert.deepEqual(row("gossipToTheDeadTimeMs"), [30_000, 60_000, 15_000]);
});

Deno.test("memberlistConfig() fills in the defaults and takes overrides", () => {
  const config = memberlistConfig("a", advertise, "lan", { compression: false });
  assert.equal(config.protocolVersion, 2);
  assert.equal(config.packetBufferBytes, 1_400);
  assert.equal(config.compression, false);
  assert.deepEqual(ownVersions(config), [1, 5, 2, 0, 0, 0]);
  const serf = memberlistConfig("a", advertise, "lan", {
    delegateVersions: { min: 2, max: 5, current: 5 },
  });
  assert.deepEqual(ownVersions(serf), [1, 5, 2, 2, 5, 5]);
});

Deno.test("settings that cannot work are refused with what is wrong", () => {
  const refusal = (overrides: Partial<MemberlistConfig>) => {
    try {
      checkConfig(memberlistConfig("a", advertise, "lan", overrides));
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return "accepted";
  };
  const error = "MemberlistConfigError:";
  assert.equal(
    refusal({ protocolVersion: 0 }),
    `${error} Protocol version '0' too low. Must be in range: [1, 5]`,
  );
  assert.equal(
    refusal({ protocolVersion: 6 }),
    `${error} Protocol version '6' too high. Must be in range: [1, 5]`,
  );
  assert.equal(
    refusal({ advertise: { addr: new Uint8Array(5), port: 1 } }),
    `${error} Advertised address takes 5 bytes, wanted 4 or 16`,
  );
  assert.equal(
    refusal({ advertise: { ...advertise, port: 0 } }),
    `${error} Advertised port is 0, wanted 1 to 65535`,
  );
  assert.equal(
    refusal({ name: "n".repeat(769) }),
    `${error} Node name takes 769 of 768 bytes`,
  );
  assert.equal(
    refusal({ name: "é".repeat(385) }),
    `${error} Node name takes 770 of 768 bytes`,
  );
  assert.equal(refusal({ name: "\udce9".repeat(768) }), "accepted");
  for (const name of ["a\ud800", "\udcc3\udca9"]) {
    assert.match(refusal({ name }), /^\S+ Node name '.*' has half a character/);
  }
  assert.equal(refusal({ label: "x".repeat(256) }), `${error} Label takes 256 of 255 bytes`);
  assert.equal(
    refusal({ packetBufferBytes: 100 }),
    `${error} Packets of 100 bytes are too small, wanted at least 576`,
  );
  assert.equal(
    refusal({ allowedNetworks: [parseCidr("192.168.0.0/16")] }),
    `${error} Advertised address 10.0.0.1 is in no allowed network`,
  );
  assert.equal(refusal({ allowedNetworks: [parseCidr("10.0.0.0/8")] }), "accepted");
  assert.equal(refusal({ label: "x".repeat(255) }), "accepted");
});
