import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { KeyResponse } from "../../../protocol/ipc/mod.ts";
import { startFakeAgent } from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

Deno.test("keys -list as JSON has the keys of those that answered also when others did not", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    if (request.command !== "list-keys") return false;
    request.answer("1/2 nodes reported success", KeyResponse, {
      Messages: { a: "a note" },
      Keys: { KEY: 1 },
      NumNodes: 2,
      NumErr: 0,
      NumResp: 1,
    });
    return true;
  });
  const terminal = recordingTerminal();
  const line = ["keys", `-rpc-addr=${agent.address}`, "-list", "-format=json"];
  assert.equal(await dispatch(line, terminal), 1);
  assert.deepEqual(JSON.parse(terminal.stdout), {
    error: "Failed to gather member keys: 1/2 nodes reported success",
    nodes: 2,
    responses: 1,
    failures: 0,
    messages: { a: "a note" },
    keys: { KEY: 1 },
  });
});

Deno.test("a key that is none comes with a word about what one is, on a terminal", async () => {
  let sized = false;
  await using agent = startFakeAgent(HOST, (request) => {
    if (request.command === "members") request.answer("cannot tell");
    if (request.command !== "install-key") return request.command === "members";
    request.answer(
      sized ? "1/1 nodes reported failure" : "illegal base64 data at input byte 0",
      KeyResponse,
      {
        Messages: sized ? { a: "key size must be 16, 24 or 32 bytes" } : {},
        Keys: null,
        NumNodes: 1,
        NumErr: 1,
        NumResp: 1,
      },
    );
    sized = true;
    return true;
  });
  const line = ["keys", `-rpc-addr=${agent.address}`, "-install=abc"];
  for (const interactive of [true, true, false]) {
    const terminal = recordingTerminal({ interactive });
    assert.equal(await dispatch(line, terminal), 1);
    assert.equal(
      terminal.stderr,
      interactive ? "A key is base64 of 16, 24 or 32 bytes: 'skein keygen' makes one\n" : "",
    );
  }
});
