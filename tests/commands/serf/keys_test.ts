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
