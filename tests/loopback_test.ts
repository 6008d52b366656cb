/**
 * The addresses that tests get.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loopback } from "./support/loopback.ts";

const HOSTS = Array.from({ length: 200 }, loopback);

Deno.test("every loopback address is another, all are equally long, and ports on them are free", () => {
  assert.equal(new Set(HOSTS).size, HOSTS.length);
  for (const host of HOSTS) assert.match(host, /^127\.0(\.1\d\d){2}$/);
  Deno.listen({ hostname: HOSTS[0]!, port: 7_946 }).close();
});

Deno.test("an address is nobody else's, in no other process either, and no claim keeps one alive", async () => {
  const [host] = HOSTS;
  const url = new URL("./support/loopback.ts", import.meta.url);
  // A process whose only choice is an address that is taken.
  const code = `
    const [, , c, d] = "${host}".split(".").map(Number);
    crypto.getRandomValues = () => Uint16Array.of(c - 100, d - 100);
    const { loopback } = await import("${url}");
    try { loopback(); console.log("taken twice"); } catch (error) { console.log(error.message); }
    crypto.getRandomValues = () => Uint16Array.of(7, 7);
    try { loopback(); } catch { /* Somebody else has it: it is no matter here. */ }
  `;
  const { stdout, code: exit } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    stderr: "inherit",
    signal: AbortSignal.timeout(20_000),
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "None of 1000 loopback addresses is free\n");
  assert.equal(exit, 0);
});
