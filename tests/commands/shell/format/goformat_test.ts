import assert from "node:assert/strict";
import { goSyntax } from "../../../../commands/shell/format/goformat.ts";

Deno.test("goSyntax() shows what a MessagePack value becomes in Go", () => {
  const bytes = new TextEncoder().encode("pay");
  assert.equal(goSyntax(null), "<nil>");
  assert.equal(goSyntax(true), "true");
  assert.equal(goSyntax("user"), '"user"');
  assert.equal(goSyntax(bytes), "[]byte{0x70, 0x61, 0x79}");
  assert.equal(goSyntax(new Uint8Array()), "[]byte{}");
});

Deno.test("goSyntax() shows small integers in decimal and unsigned ones in hex", () => {
  assert.equal(goSyntax(8), "8");
  assert.equal(goSyntax(127), "127");
  assert.equal(goSyntax(128), "0x80");
  assert.equal(goSyntax(19946), "0x4dea");
  assert.equal(goSyntax(2n ** 64n - 1n), "0xffffffffffffffff");
  assert.equal(goSyntax(0n), "0");
});

Deno.test("goSyntax() shows nested values with their Go types and sorted keys", () => {
  const member = new Map<string, string | number | Uint8Array | null | Map<string, string>>([
    ["Tags", new Map([["b", "2"], ["a", "1"]])],
    ["Addr", new Uint8Array([127, 0, 0, 1])],
    ["DelegateCur", 5],
    ["Nothing", null],
  ]);
  assert.equal(
    goSyntax([member]),
    '[]interface {}{map[interface {}]interface {}{"Addr":[]uint8{0x7f, 0x0, 0x0, 0x1}, ' +
      '"DelegateCur":5, "Nothing":interface {}(nil), ' +
      '"Tags":map[interface {}]interface {}{"a":"1", "b":"2"}}}',
  );
  assert.equal(goSyntax([]), "[]interface {}{}");
});
