import assert from "node:assert/strict";
import { COMMANDS } from "../../commands/catalogue.ts";
import { cliReference } from "../../docs/cli_reference.ts";

Deno.test("docs/CLI.md is what 'deno task docs:cli' writes", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/CLI.md", import.meta.url));
  assert.equal(page, await cliReference());
});

Deno.test("the reference has a section for every command and JSON for all that print some", async () => {
  const sections = new Map(
    (await cliReference()).split(/^### /m).slice(1)
      .map((text) => [text.slice(0, text.indexOf("\n")), text]),
  );
  assert.deepEqual([...sections.keys()], Object.keys(COMMANDS));
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const { command } = await load();
    const section = sections.get(name) ?? "";
    assert.equal(
      section.includes("With `-format=json`:"),
      Object.hasOwn(command.flags ?? {}, "format"),
      name,
    );
  }
});
