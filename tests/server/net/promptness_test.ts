import assert from "node:assert/strict";
import { dial } from "../../../server/net/dial.ts";

Deno.test("a connection that is dialled sends at once what it is given", async () => {
  const told: boolean[] = [];
  const { connect } = Deno;
  const conn = { setNoDelay: (isOn: boolean) => void told.push(isOn) };
  Deno.connect = (() => Promise.resolve(conn)) as unknown as typeof connect;
  try {
    await dial({ host: "127.0.0.1", port: 1 }, 1_000, new AbortController().signal);
    assert.deepEqual(told, [true]);
  } finally {
    Deno.connect = connect;
  }
});
