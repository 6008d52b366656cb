/**
 * The pages about the configuration say what the agent does.
 *
 * @module
 */

import assert from "node:assert/strict";
import { referenceText, schemaText } from "../../docs/config_reference.ts";
import { parseDuration } from "../../protocol/duration.ts";
import { AGENT_OPTIONS } from "../../server/config/options/mod.ts";

const read = (name: string): Promise<string> =>
  Deno.readTextFile(new URL(`../../docs/${name}`, import.meta.url));

Deno.test("docs/config.schema.json and docs/CONFIGURATION.md are current: deno task schema", async () => {
  assert.equal(await read("config.schema.json"), schemaText());
  assert.equal(await read("CONFIGURATION.md"), referenceText());
});

interface Property {
  type: string;
  default?: unknown;
  pattern?: string;
  properties?: Record<string, Property>;
}

Deno.test("the schema has every option with its type and its default, and allows no others", () => {
  const schema = JSON.parse(schemaText());
  const options = new Map(AGENT_OPTIONS.all.map(({ name, option }) => [name, option]));
  const types = { text: "string", duration: "string", number: "number", switch: "boolean" };
  let seen = 0;
  const look = (prefix: string, properties: Record<string, Property>): void => {
    for (const [name, property] of Object.entries(properties)) {
      const option = options.get(prefix + name);
      if (option === undefined) {
        look(`${prefix}${name}.`, property.properties ?? assert.fail(name));
        continue;
      }
      seen++;
      const wanted = { ...types, list: "array", map: "object" }[option.kind];
      assert.equal(property.type, wanted, name);
      const tellsDefault = option.setting !== undefined && option.unset === undefined;
      assert.equal(property.default !== undefined, tellsDefault, name);
      if (option.kind === "duration" && property.default !== undefined) {
        assert.match(String(property.default), new RegExp(property.pattern ?? assert.fail(name)));
      }
    }
  };
  look("", schema.properties);
  assert.equal(seen, options.size);
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.properties.mdns.additionalProperties, false);
});

Deno.test("the pattern of durations takes what the agent takes", () => {
  const { pattern } = JSON.parse(schemaText()).properties.retry_interval;
  for (const text of ["30s", "1h15m", "1.5h", "300ms", ".5s", "0", "-1s", "30", "xx", "", "1d"]) {
    let valid = true;
    try {
      parseDuration(text);
    } catch {
      valid = false;
    }
    assert.equal(new RegExp(pattern).test(text), valid, text);
  }
});
