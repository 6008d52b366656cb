import assert from "node:assert/strict";
import { handlerStats, parseHandler } from "../../../server/config/handler_spec.ts";
import { ConfigError } from "../../../server/config/load.ts";

Deno.test("a handler without filters is for every event", () => {
  const all = [{ type: "*", name: "" }];
  assert.deepEqual(parseHandler("run.sh"), { selectors: all, script: "run.sh" });
  assert.deepEqual(parseHandler("=run.sh -a=b"), { selectors: all, script: "run.sh -a=b" });
  assert.deepEqual(parseHandler(""), { selectors: all, script: "" });
});

Deno.test("filters end at the first equals sign and are separated by commas", () => {
  assert.deepEqual(parseHandler("member-join,user:deploy:eu,query:load,user:=X=1 run.sh"), {
    selectors: [
      { type: "member-join", name: "" },
      { type: "user", name: "deploy:eu" },
      { type: "query", name: "load" },
      { type: "user", name: "" },
    ],
    script: "X=1 run.sh",
  });
});

Deno.test("a filter that is no event is refused with Serf's text, what it may have meant, and what there is", () => {
  const refused = (text: string, message: string) =>
    assert.throws(() => parseHandler(text), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(
        error.message,
        `${message} Valid events are: * member-join member-leave member-failed member-update member-reap user query, with names as in user:NAME`,
      );
      return true;
    });
  refused("foo=bar", "Invalid event script: Event 'foo' invoking 'bar'.");
  refused("member-join,foo:x=bar", "Invalid event script: Event 'foo:x' invoking 'bar'.");
  refused(
    "member-join:x=bar",
    "Invalid event script: Event 'member-join:x' invoking 'bar', did you mean 'member-join'?",
  );
  refused("*:x=bar", "Invalid event script: Event '*:x' invoking 'bar', did you mean '*'?");
  refused(
    "member-join, user=bar",
    "Invalid event script: Event ' user' invoking 'bar', did you mean 'user'?",
  );
  refused(
    "member-jion=bar",
    "Invalid event script: Event 'member-jion' invoking 'bar', did you mean 'member-join'?",
  );
  refused("FOO=1 run.sh", "Invalid event script: Event 'FOO' invoking '1 run.sh'.");
});

Deno.test("stats show one script for each event and name", () => {
  const specs = ["a.sh", "user,query:load=b.sh", "query:load=c.sh"].map(parseHandler);
  assert.deepEqual(handlerStats(specs), { "*:": "a.sh", "user:": "b.sh", "query:load": "c.sh" });
});
