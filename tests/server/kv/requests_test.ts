/**
 * The forms of requests and answers, held to a schema.
 *
 * @module
 */

import assert from "node:assert/strict";
import { z } from "zod";
import { ACTIONS } from "../../../protocol/kv/mod.ts";
import { brief, type Reply, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

const target = {
  key: z.union([z.string(), z.array(z.string())]),
  namespace: z.string().optional(),
};
const reading = { ...target, consistency: z.enum(["linearizable", "lease", "stale"]).optional() };
const switched = z.boolean().optional();
const revision = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
const integer = z.number().int().optional();
const text = z.string().optional();
const absent = z.undefined().optional();
const listing = {
  namespace: z.string().optional(),
  limit: z.number().int().min(1).max(10_000).optional(),
  consistency: reading.consistency,
};
const life = {
  ttl: z.number().min(0.0005).max(315_360_000.0004).optional(),
  ttl_ms: z.number().int().min(1).max(315_360_000_000).optional(),
};
const needed = z.unknown().refine((value) => value !== undefined);
const step = (name: string, more: z.ZodRawShape) =>
  z.object({
    ...target,
    action: z.string().refine((action) => action.toUpperCase() === name),
    ...more,
  });
/** The members that a step of a transaction may have, besides those that no schema of one member can tell. */
const steps = z.array(z.union([
  step("SET", { value: needed, ...life, keep_ttl: z.literal(false).optional() }),
  step("SET", { value: needed, ttl: absent, ttl_ms: absent, keep_ttl: switched }),
  step("GET", {}),
  step("TTL", {}),
  step("DEL", { if_rev: revision, tree: z.literal(false).optional(), if_exists: switched }),
  step("INCR", { by: integer, ...life }),
  step("DECR", { by: integer, ...life }),
  step("EXPIRE", { ttl: life.ttl.unwrap(), ttl_ms: absent }),
  step("EXPIRE", { ttl_ms: life.ttl_ms.unwrap(), ttl: absent }),
  step("PERSIST", {}),
])).max(128).optional();
const condition = z.union([
  z.object({ ...target, rev: revision.unwrap(), exists: absent, value: absent }),
  z.object({ ...target, rev: absent, exists: z.boolean(), value: absent }),
  z.object({ ...target, rev: absent, exists: absent, value: needed }),
]);
const channels = {
  channel: target.key.optional(),
  channels: z.array(target.key).min(1).max(1_000).optional(),
};

/** The members of each action, as they are documented. */
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  PING: z.object({ value: z.unknown().optional() }),
  WATCH: z.object({
    ...target,
    tree: switched,
    initial: switched,
    old: switched,
    from_rev: revision,
    coalesce: switched,
  }),
  UNWATCH: z.object({ watch: integer.unwrap() }),
  SUBSCRIBE: z.object(channels),
  UNSUBSCRIBE: z.object(channels),
  PUBLISH: z.object({ channel: target.key, message: needed, durable: absent }),
  ECHO: z.object({ value: needed }),
  HELLO: z.object({ client: z.string().max(256).optional(), strict: switched, version: integer }),
  AUTH: z.object({ token: text, user: text, password: text }).superRefine((given, context) => {
    const { token, user, password } = given;
    const refuse = (member: string) =>
      context.addIssue({ code: "custom", message: "", path: [member] });
    const isUser = user !== undefined || password !== undefined;
    if (isUser === (token !== undefined)) refuse("token");
    else if (token === undefined && user === undefined) refuse("user");
    else if (token === undefined && password === undefined) refuse("password");
  }),
  USE: z.object({ namespace: z.string() }),
  INFO: z.object({ section: z.string().optional() }),
  QUIT: z.object({}),
  SET: z.object({
    ...target,
    value: needed,
    nx: switched,
    xx: switched,
    if_rev: revision,
    get: switched,
    ...life,
    keep_ttl: switched,
  }),
  GET: z.object(reading),
  EXISTS: z.object(reading),
  KEYS: z.object({
    ...listing,
    prefix: target.key.optional(),
    after: target.key.optional(),
    depth: z.number().int().min(1).max(16).optional(),
    values: switched,
  }),
  CHILDREN: z.object({
    ...listing,
    key: target.key.optional(),
    after: z.string().optional(),
  }),
  DEL: z.object({
    ...target,
    if_rev: revision,
    tree: switched,
    if_exists: switched,
  }),
  INCR: z.object({
    ...target,
    by: integer,
    ...life,
  }),
  DECR: z.object({
    ...target,
    by: integer,
    ...life,
  }),
  TTL: z.object(reading),
  EXPIRE: z.object({ ...target, ...life }),
  PERSIST: z.object({ ...target }),
  MGET: z.object({
    keys: z.array(target.key).min(1).max(1_000),
    namespace: text,
    consistency: reading.consistency,
  }),
  MSET: z.object({
    items: z.array(z.object({ key: target.key, value: needed, ...life })).min(1).max(1_000),
    namespace: text,
  }),
  SESSION: z.discriminatedUnion("op", [
    z.object({
      op: z.literal("create"),
      capabilities: z.record(z.string(), z.string()).optional(),
    }),
    z.object({ op: z.literal("continue"), session: z.string() }),
    z.object({ op: z.literal("close") }),
    z.object({ op: z.literal("ack"), ack: integer.unwrap().min(1) }),
  ]),
  DISPATCH: z.object({
    capability: z.string().regex(/^[A-Za-z0-9_-]+$/).max(255),
    value: z.string().min(1).optional(),
    payload: needed,
  }),
  TXN: z.object({
    if: z.array(condition).max(128).optional(),
    then: steps,
    else: steps,
    namespace: text,
  }),
};

/** Members that are right for some actions, and values that are right for some members. */
const MEMBERS = [
  ...new Set(Object.values(ACTIONS).flatMap(({ known }) => known)),
  "rid",
  "low",
  "durable",
  "more",
];
const VALUES = [
  "k",
  "",
  "stale",
  "lease",
  0,
  1,
  7,
  -1,
  1.5,
  2 ** 53,
  true,
  false,
  null,
  [],
  ["k", "l"],
  ["k", 1],
  {},
  { k: 1 },
  0.0004,
  315_360_000_001,
  [{ key: "k", value: 1, ttl: 0 }],
  [{ key: "k" }],
  [{ key: "k", rev: 1, exists: true }],
  [{ key: "k", rev: -1 }],
  "create",
  "continue",
  "close",
  "ack",
  { k: "l" },
  [{ action: "FLY", key: "k" }],
  [{ action: "DEL", key: "k", tree: true }],
  [{ action: "SET", key: "k" }],
  [{ action: "EXPIRE", key: "k" }],
  Array.from({ length: 129 }, () => ({ action: "GET", key: "k" })),
];

Deno.test("the checks of requests and the schema find the same members wrong", () => {
  const random = new SeededRandom(SEED);
  assert.deepEqual(Object.keys(SCHEMAS).sort(), Object.keys(ACTIONS).sort());
  let right = 0;
  for (let i = 0; i < 50_000; i++) {
    const name = Object.keys(ACTIONS)[below(random, Object.keys(ACTIONS).length)] as string;
    const request = randomRequest(random, name);
    const wrong = ACTIONS[name]?.wrong(request);
    const { error } = (SCHEMAS[name] as z.ZodType).safeParse(request);
    const found = new Set(error?.issues.map(({ path }) => path[0]));
    for (const member of contradictions(name, request)) found.add(member);
    const shown = `${name} ${JSON.stringify(request)}, seed ${SEED}`;
    if (wrong === undefined) assert.deepEqual([...found], [], shown);
    else assert.ok(found.has(wrong), `${wrong} of ${shown}`);
    if (wrong === undefined) right++;
  }
  assert.ok(right > 5_000 && right < 45_000, `${right} of 50,000 were right`);
});

/** What two members together make wrong, which a schema of members cannot say. */
function contradictions(name: string, request: Record<string, unknown>): string[] {
  const { nx, xx, ttl, ttl_ms, keep_ttl, channel, channels } = request;
  const lives = [ttl, ttl_ms].filter((one) => one !== undefined).length;
  const wrong: string[] = [];
  if (name === "SET" && nx === true && xx === true) wrong.push("nx");
  if (name === "SET" && lives > 0 && keep_ttl === true) wrong.push("keep_ttl");
  if (["SET", "INCR", "DECR", "EXPIRE"].includes(name) && lives === 2) wrong.push("ttl");
  if (name === "EXPIRE" && lives === 0) wrong.push("ttl");
  if (name === "WATCH" && request["initial"] === true && request["from_rev"] !== undefined) {
    wrong.push("from_rev");
  }
  if (/SUB/.test(name) && channel !== undefined && channels !== undefined) wrong.push("channels");
  if (name === "SUBSCRIBE" && channel === undefined && channels === undefined) {
    wrong.push("channel");
  }
  return wrong;
}

/** The forms that are right: the least, and all that there is. */
const FORMS: readonly [Readonly<Record<string, unknown>>, string | RegExp][] = [
  [{ action: "HELLO" }, /^\{"server":"skein 1\.2\.3","node":"alpha","protocol":1,/],
  [{ action: "HELLO", client: "c".repeat(256), strict: true, version: 1 }, /^\{"server":/],
  [{ action: "INFO" }, /^\{"server":\{.*"memory":\{/],
  [{ action: "INFO", section: "cluster" }, /^\{"cluster":\{[^{]*\}\}$/],
  [{ action: "PING" }, '"PONG"'],
  [{ action: "PING", value: null }, "null"],
  [{ action: "ECHO", value: { a: [1] } }, '{"a":[1]}'],
  [{ action: "AUTH", token: "t" }, "401 AUTH_FAILED"],
  [{ action: "AUTH", user: "u", password: "p" }, "401 AUTH_FAILED"],
  [{ action: "USE", namespace: "app^deep" }, '"OK"'],
  [{ action: "USE", namespace: "" }, '"OK"'],
  [{ action: "SET", key: "k", value: "v" }, '"OK" rev 1'],
  [
    {
      action: "SET",
      key: "k",
      namespace: "global",
      value: 1,
      xx: true,
      nx: false,
      if_rev: 1,
      get: true,
    },
    '"v" rev 2',
  ],
  [{ action: "GET", key: "k" }, "1 rev 2"],
  [{ action: "GET", key: ["k"], namespace: "global", consistency: "lease" }, "1 rev 2"],
  [{ action: "EXISTS", key: "k" }, '{"value":true,"children":false}'],
  [
    { action: "EXISTS", key: ["k"], namespace: "global", consistency: "lease" },
    '{"value":true,"children":false}',
  ],
  [{ action: "KEYS" }, '["global^k"]'],
  [
    {
      action: "KEYS",
      prefix: ["global"],
      after: "global^a",
      limit: 10_000,
      depth: 16,
      values: true,
      consistency: "lease",
    },
    '[{"key":"global^k","value":1,"rev":2}]',
  ],
  [{ action: "KEYS", namespace: "global", prefix: "", after: ["global", "k"] }, "[]"],
  [{ action: "CHILDREN" }, '["k"]'],
  [
    {
      action: "CHILDREN",
      key: "^",
      namespace: "",
      after: "a",
      limit: 1,
      consistency: "lease",
    },
    '["global"]',
  ],
  [{ action: "INCR", key: "k" }, "2 rev 3"],
  [{ action: "DECR", key: "k", namespace: "global", by: 2 }, "0 rev 4"],
  [
    { action: "DEL", key: "k", namespace: "global", if_rev: 4, tree: true, if_exists: true },
    "1 rev 5",
  ],
  [{ action: "DEL", key: "k", if_exists: true }, "0 rev 5"],
  [{ action: "WATCH", key: "none" }, '{"watch":1,"rev":5}'],
  [
    {
      action: "WATCH",
      key: "^",
      namespace: "",
      tree: true,
      old: true,
      coalesce: true,
      from_rev: 6,
    },
    '{"watch":2,"rev":5}',
  ],
  [
    { action: "WATCH", key: ["none"], namespace: "app", tree: false, initial: false, old: false },
    '{"watch":3,"rev":5}',
  ],
  [{ action: "UNWATCH", watch: 2 }, '"OK"'],
  [{ action: "PUBLISH", channel: "k", message: null }, "0"],
  [{ action: "SUBSCRIBE", channel: "other" }, '["other"]'],
  [{ action: "SUBSCRIBE", channels: ["k^**", ["k", "l"], "^k"] }, '["other","k^**","k^l","k"]'],
  [{ action: "UNSUBSCRIBE", channel: ["other"] }, '["k^**","k^l","k"]'],
  [{ action: "UNSUBSCRIBE", channels: ["k"] }, '["k^**","k^l"]'],
  [{ action: "UNSUBSCRIBE" }, "[]"],
  [{ action: "MSET", items: [{ key: "k", value: 1 }] }, '"OK" rev 6'],
  [
    {
      action: "MSET",
      namespace: "app",
      items: [{ key: "k", value: 1, ttl: 0.5 }, { key: ["l"], value: null, ttl_ms: 60_000 }],
    },
    '"OK" rev 7',
  ],
  [{ action: "MGET", keys: ["k"] }, "[1]"],
  [
    { action: "MGET", keys: [["l"], "none"], namespace: "app", consistency: "lease" },
    "[null,null]",
  ],
  [{ action: "EXPIRE", key: "k", ttl: 60 }, '"OK"'],
  [{ action: "EXPIRE", key: "k", namespace: "global", ttl_ms: 315_360_000_000 }, '"OK"'],
  [{ action: "PERSIST", key: "k" }, "true"],
  [{ action: "PERSIST", key: ["k"], namespace: "global" }, "false"],
  [{ action: "TTL", key: "k" }, "-1"],
  [{ action: "TTL", key: "k", namespace: "global", consistency: "lease" }, "-1"],
  [{ action: "SET", key: "k", value: 1, ttl: 315_360_000 }, '"OK" rev 11'],
  [{ action: "SET", key: "k", value: 1, keep_ttl: true }, '"OK" rev 12'],
  [{ action: "INCR", key: "k", ttl_ms: 60_000 }, "2 rev 13"],
  [{ action: "TXN" }, '{"succeeded":true,"results":[]} rev 13'],
  [
    {
      action: "TXN",
      namespace: "global",
      if: [{ key: "k", rev: 13 }, { key: "k", exists: true }, { key: ["k"], value: 2 }],
      then: [
        { action: "SET", key: "k", value: 5, ttl: 1, get: true },
        { action: "incr", key: "k", by: 2 },
        { action: "DECR", key: "k" },
        { action: "GET", key: "k" },
        { action: "EXPIRE", key: "k", ttl_ms: 5_000 },
        { action: "TTL", key: "k" },
        { action: "PERSIST", key: "k" },
        { action: "DEL", key: "k" },
        { action: "GET", key: "k" },
      ],
      else: [{ action: "GET", key: "k" }],
    },
    '{"succeeded":true,"results":[2,7,6,6,"OK",5000,true,1,null]} rev 14',
  ],
  [{ action: "DECR", key: "n" }, "-1 rev 15"],
  [{ action: "DECR", key: "n", namespace: "global", by: -3, ttl: 0.5 }, "2 rev 16"],
  [{ action: "DECR", key: "n", ttl_ms: 1_000 }, "1 rev 17"],
  [{ action: "INCR", key: ["n"], namespace: "global", by: 4, ttl: 60 }, "5 rev 18"],
  [{ action: "SET", key: "n", value: null, ttl_ms: 1_000, get: true }, "5 rev 19"],
  [{ action: "DEL", key: "n" }, "1 rev 20"],
  [{ action: "WATCH", key: "app", tree: true, initial: true, coalesce: true }, /^\{"watch":4,/],
  [
    { action: "SESSION", op: "create" },
    /^\{"session":"[0-9a-f]{32}","timeout_ms":90000,"next_rid":1\}$/,
  ],
  [{ action: "SESSION", op: "create", capabilities: { worker: "v2" } }, /^\{"session":/],
  [{ action: "SESSION", op: "ack", ack: Number.MAX_SAFE_INTEGER }, '"OK"'],
  [{ action: "SESSION", op: "close" }, '"OK"'],
  [{ action: "SESSION", op: "continue", session: "x" }, "410 SESSION_EXPIRED"],
  [{ action: "DISPATCH", capability: "none", payload: null }, "404 NO_WORKER"],
  [
    { action: "DISPATCH", capability: "a".repeat(127), value: "é".repeat(128), payload: {} },
    "404 NO_WORKER",
  ],
  [{ action: "QUIT" }, '"BYE"'],
];

Deno.test("each action is here in its least form, and with every member that it has", () => {
  for (const [name, { known, wrong }] of Object.entries(ACTIONS)) {
    const forms = FORMS.map(([form]) => form).filter(({ action }) => action === name);
    const seen = new Set(forms.flatMap((form) => Object.keys(form)));
    assert.deepEqual(known.filter((member) => !seen.has(member)), [], name);
    const least = forms.some(({ action: _, ...members }) =>
      Object.keys(members).every((member) => {
        const { [member]: _, ...rest } = members;
        return wrong(rest) !== undefined;
      })
    );
    assert.ok(least, `${name} in its least form`);
  }
});

Deno.test("the least and the fullest form of each action is taken, and its id comes back", async () => {
  const ids = [
    undefined,
    0,
    -7,
    Number.MAX_SAFE_INTEGER,
    "",
    "a",
    'quote " é \ud800',
    "x".repeat(64),
  ];
  for (const id of ids) {
    await using stage = serve(HOST);
    using client = await stage.client();
    for (const [request, answer] of FORMS) {
      const reply = await client.ask({ ...request, ...id !== undefined && { id } });
      const shown = JSON.stringify(request);
      if (typeof answer === "string") assert.equal(brief(reply), answer, shown);
      else assert.match(brief(reply), answer, shown);
      assert.equal(reply["id"], id);
      assertReply(reply);
    }
  }
});

const success = z.strictObject({
  id: z.union([z.string().max(64), z.number().int()]).optional(),
  status: z.literal("ok"),
  result: z.unknown(),
  rev: z.number().int().min(0).optional(),
  ttl_ms: z.number().int().min(0).optional(),
  next: z.string().min(1).optional(),
  lag_ms: z.number().int().min(0).optional(),
});
const failure = z.strictObject({
  id: success.shape.id,
  status: z.literal("error"),
  code: z.number().int().min(400).max(507),
  error: z.string().min(1),
  reason: z.string().regex(/^[A-Z][A-Z_0-9]+$/),
  field: z.string().optional(),
  leader: z.string().optional(),
  incident: z.string().optional(),
  rev: z.number().int().min(0).optional(),
  lag_ms: z.number().int().min(0).optional(),
});

Deno.test("whatever is asked, each request gets one answer that has the right form", async () => {
  const random = new SeededRandom(SEED);
  await using stage = serve(HOST);
  using client = await stage.client();
  const names = [...Object.keys(ACTIONS).filter((name) => name !== "QUIT"), "FLY", ""];
  for (let round = 0; round < 20; round++) {
    const requests = Array.from({ length: 100 }, (_, id) => {
      const action = names[below(random, names.length)] as string;
      return { id, action, ...randomRequest(random, action), strict: false };
    });
    const replies = await client.all(requests);
    replies.forEach((reply, id) => {
      assertReply(reply);
      assert.equal(reply["id"], id, `seed ${SEED}`);
    });
  }
  assert.deepEqual(stage.unexpected, []);
  assert.deepEqual(stage.log.lines("ERR"), []);
});

function assertReply(reply: Reply): void {
  assert.ok(reply["status"] !== "ok" || "result" in reply);
  (reply["status"] === "ok" ? success : failure).parse(reply);
}

/** Members of any kind, more often those of the action than others, and more often right than wrong. */
function randomRequest(random: SeededRandom, name: string): Record<string, unknown> {
  const request: Record<string, unknown> = {};
  for (const member of ACTIONS[name]?.known ?? []) {
    if (random.float() < 0.7) request[member] = randomMember(random, member);
  }
  if (random.float() < 0.2) {
    const member = MEMBERS[below(random, MEMBERS.length)] as string;
    request[member] = randomMember(random, member);
  }
  return request;
}

/** Right values of members that few values are right for. */
const RIGHT: Readonly<Record<string, unknown>> = {
  key: "k",
  namespace: "n",
  consistency: "stale",
  client: "me",
  token: "t",
  user: "u",
  password: "p",
  section: "server",
  version: 1,
  if_rev: 3,
  by: 2,
  strict: false,
  nx: true,
  xx: false,
  get: true,
  tree: true,
  if_exists: true,
  prefix: "k",
  after: "n^a",
  limit: 7,
  depth: 2,
  values: true,
  initial: false,
  old: true,
  coalesce: true,
  from_rev: 3,
  watch: 1,
  channel: "k",
  channels: ["k", "k^*"],
  message: "m",
  ttl: 1.5,
  ttl_ms: 60_000,
  keep_ttl: false,
  keys: ["k", ["a", "b"]],
  items: [{ key: "k", value: null, ttl: 1 }, { key: ["a"], value: {} }],
  if: [{ key: "k", exists: false }],
  then: [{ action: "SET", key: "k", value: 1, keep_ttl: true }, { action: "get", key: "k" }],
  else: [{ action: "EXPIRE", key: "k", ttl_ms: 1 }, { action: "DEL", key: ["k"], if_exists: true }],
};

function randomMember(random: SeededRandom, member: string): unknown {
  if (member in RIGHT && random.float() < 0.8) return RIGHT[member];
  return VALUES[below(random, VALUES.length)];
}
