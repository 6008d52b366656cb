import assert from "node:assert/strict";
import {
  dueQuestion,
  existsQuestion,
  getManyQuestion,
  getQuestion,
  listQuestion,
  ttlQuestion,
} from "../../../cluster/machine/kv/mod.ts";
import { FormatError, Machine } from "../../../cluster/machine/machine.ts";
import { encodeResult } from "../../../cluster/machine/result.ts";
import { MemoryStore } from "../../../cluster/machine/store/memory_store.ts";
import {
  requestsQuestion,
  sessionQuestion,
  sessionsQuestion,
  totalsQuestion,
  upgradeCommand,
} from "../../../cluster/machine/sys/mod.ts";
import {
  allGroupOffsetsQuestion,
  describeGroupQuestion,
  describeTopicQuestion,
  groupMembersQuestion,
  groupOffsetsQuestion,
  heartbeatCall,
  listGroupsQuestion,
  listTopicsQuestion,
  locateQuestion,
  segmentsQuestion,
  topicsDueQuestion,
  topicTotalsQuestion,
} from "../../../cluster/machine/topics/mod.ts";
import { dumped, entriesOf, path } from "../../support/machine/fixture.ts";
import { KvModel, randomPaths } from "../../support/machine/model.ts";
import { SessionModel } from "../../support/machine/session_model.ts";
import { idOf } from "../../support/machine/sessions.ts";
import { GroupModel } from "../../support/topics/group_model.ts";
import { utf8 } from "../../support/topics/answers.ts";
import { TopicModel } from "../../support/topics/model.ts";
import { mutated } from "../../support/mutate.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

/** Damaged commands, and bytes that never were any. */
function hostileCommands(random: SeededRandom, count: number): Uint8Array[] {
  const model = new KvModel(random, randomPaths(random));
  const sessions = new SessionModel(random);
  const topics = new TopicModel(random);
  const groups = new GroupModel(random);
  const nextOf = [
    () => model.next().command,
    () => sessions.next().bytes,
    () => topics.next().command,
    () => groups.next(() => {}).command,
    () => heartbeatCall({ group: new Uint8Array(below(random, 3_000)), member: 1, generation: 1 }),
  ];
  return Array.from({ length: count }, () => {
    if (random.float() < 0.1) return random.bytes(below(random, 40));
    const command = (nextOf[below(random, nextOf.length)] as () => Uint8Array)();
    return random.float() < 0.2 ? command : mutated(random, command);
  });
}

Deno.test("hostile commands never throw, and are the same result on every server", () => {
  const reasons = new Map<string, number>();
  for (let seed = 1; seed <= 20; seed++) {
    const commands = hostileCommands(new SeededRandom(seed), 1_000);
    const entries = entriesOf(commands);
    const [oneStore, otherStore] = [new MemoryStore(), new MemoryStore()];
    const [one, other] = [new Machine(oneStore), new Machine(otherStore)];
    const results = one.apply(entries);
    results.forEach((result, i) => {
      const [again] = other.apply(entries.slice(i, i + 1));
      assert.ok(result !== undefined && again !== undefined);
      assert.deepEqual(encodeResult(again), encodeResult(result));
      const reason = result.ok ? "done" : result.reason;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    });
    assert.deepEqual(dumped(otherStore), dumped(oneStore), `seed ${seed}`);
  }
  const wanted = ["done", "INVALID", "UNKNOWN_ACTION", "UNSUPPORTED_VERSION", "BAD_KEY"];
  const others = ["SESSION_EXPIRED", "RESPONSE_EVICTED", "TOPIC_NOT_FOUND", "PARTITION_NOT_FOUND"];
  for (const reason of [...wanted, ...others]) {
    assert.ok((reasons.get(reason) ?? 0) > 20, `${reason}: ${reasons.get(reason)}`);
  }
});

Deno.test("a failure has changed nothing but index and time", () => {
  const random = new SeededRandom(1);
  const store = new MemoryStore();
  const machine = new Machine(store);
  const rows = () => store.range(Uint8Array.of(0x15, 2), undefined, Infinity);
  let before = rows();
  for (const entry of entriesOf(hostileCommands(random, 3_000))) {
    const [result] = machine.apply([entry]);
    const after = rows();
    if (!result?.ok) assert.deepEqual(after, before);
    before = after;
  }
});

Deno.test("hostile questions never throw and change nothing", () => {
  const random = new SeededRandom(2);
  const store = new MemoryStore();
  const machine = new Machine(store);
  machine.apply(entriesOf(hostileCommands(random, 500)));
  const before = dumped(store);
  const listing = { what: "children", after: path("^a^b"), limit: 9, bytes: 99, depth: 3 } as const;
  const samples = [
    getQuestion(path("a")),
    existsQuestion(path("^a^b")),
    listQuestion(path("^a"), listing),
    ttlQuestion(path("a")),
    getManyQuestion([path("a"), path("^a^b")]),
    dueQuestion({ from: 5, to: 1_000_000 }),
    sessionQuestion(idOf(1)),
    sessionsQuestion({ after: idOf(1), limit: 2 }),
    requestsQuestion({ session: idOf(1), from: 3, limit: 5 }),
    totalsQuestion(),
    locateQuestion({ topic: utf8("a"), partition: 0, offset: 1, bytes: 99 }),
    listTopicsQuestion({ after: utf8("a"), limit: 2 }),
    describeTopicQuestion(utf8("a")),
    segmentsQuestion({ topic: 1, partition: 0, base: 3 }),
    groupOffsetsQuestion(utf8("g"), [{ topic: utf8("a"), partition: 0 }]),
    allGroupOffsetsQuestion(utf8("g"), { topic: 1, partition: 0 }),
    topicTotalsQuestion(),
    topicsDueQuestion(5),
    ...[utf8("g"), new Uint8Array(3_000)].flatMap((group) => [
      describeGroupQuestion(group),
      groupMembersQuestion(group),
      listGroupsQuestion(group),
      heartbeatCall({ group, member: 1, generation: 1 }),
    ]),
  ];
  for (let i = 0; i < 20_000; i++) {
    encodeResult(machine.query(mutated(random, samples[i % samples.length] as Uint8Array)));
  }
  assert.deepEqual(dumped(store), before);
});

Deno.test("only an upgrade that this program does not know stops the machine", () => {
  const random = new SeededRandom(3);
  let stops = 0;
  for (let i = 0; i < 5_000; i++) {
    const machine = new Machine(new MemoryStore());
    const command = mutated(random, upgradeCommand(1 + below(random, 2)));
    try {
      machine.apply(entriesOf([command]));
    } catch (error) {
      assert.ok(error instanceof FormatError, `${command.toHex()}: ${error}`);
      stops++;
    }
  }
  assert.ok(stops > 500, `${stops} stops`);
});
