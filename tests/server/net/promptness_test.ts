import assert from "node:assert/strict";
import { dial } from "../../../server/net/dial.ts";
import { loopback } from "../../support/loopback.ts";

Deno.test("a connection that is dialled sends at once what it is given", async () => {
  const told: boolean[] = [];
  const { connect } = Deno;
  const listener = Deno.listen({ hostname: loopback(), port: 0 });
  const host = (listener.addr as Deno.NetAddr).hostname;
  Deno.connect = (async (options: Deno.ConnectOptions) => {
    const conn = await connect(options);
    if (options.hostname === host) conn.setNoDelay = (isOn = true) => void told.push(isOn);
    return conn;
  }) as typeof connect;
  try {
    const { port } = listener.addr as Deno.NetAddr;
    using _conn = await dial({ host, port }, 1_000, new AbortController().signal);
    using _accepted = await listener.accept();
    assert.deepEqual(told, [true]);
  } finally {
    Deno.connect = connect;
    listener.close();
  }
});
