/**
 * No work of the program is left alone: every promise is awaited, returned, stored or handed to the place that hears of its
 * failure, and whoever catches errors without a look says which ones.
 *
 * @module
 */

import assert from "node:assert/strict";
import { floatingWork } from "./support/typed/floating.ts";
import { readSources, typedProgram } from "./support/typed/program.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const PLACES = ["cli.ts", "mod.ts", "commands", "client", "server", "cluster", "protocol"];
const PACKAGES = ["@logtape/logtape", "@noble/ciphers", "re2js", "string-width", "zod"];

Deno.test("every promise of the program is somebody's", () => {
  const program = typedProgram(readSources(ROOT, PLACES), PACKAGES);
  assert.deepEqual(program.unknown, []);
  assert.ok(program.files.length > 200, `${program.files.length} files`);
  const found = floatingWork(program).map((place) => place.slice(ROOT.length + 1));
  assert.deepEqual(found, [], found.join("\n"));
});

/** What is in front of every planted line. */
const KNOWN = `
declare function work(): Promise<void>;
declare function maybe(): Promise<void> | undefined;
declare const list: number[];
declare const isTrue: boolean;
declare function background(task: Promise<unknown>): void;
declare function onTick(callback: () => void): void;
declare function onEvent(callback: () => void | Promise<void>): void;
declare function flush(): void;
declare class Part { stored: Promise<void>; close(): Promise<void>; }
declare const part: Part;
`;

/** What is found in some lines, each by itself. */
function foundIn(lines: readonly string[]): string[] {
  const sources = new Map(lines.map((line, i) => [
    `/planted${i}.ts`,
    `${KNOWN}export async function planted(): Promise<void> {\n${line}\n}\n`,
  ]));
  const program = typedProgram(sources, []);
  assert.deepEqual(program.unknown, []);
  const found = floatingWork(program);
  return lines.map((_, i) => {
    const own = found.filter((place) => place.startsWith(`/planted${i}.ts:`));
    return own.map((place) => place.replace(/^\S+ /, "")).join(", ");
  });
}

Deno.test("the check finds promises that are left alone", () => {
  const alone = [
    "work();",
    "maybe();",
    "(work());",
    "isTrue && work();",
    "isTrue ? work() : undefined;",
    "part?.close();",
    "work().then(flush);",
    "work().finally(flush);",
    "work().catch((error) => { throw error; }).finally(flush);",
    "list.map(work);",
    "Promise.all(list.map(work));",
  ];
  const hidden = ["void work();", "void part.close();", "onTick(() => void work());"];
  const lost = [
    "onTick(work);",
    "onTick(() => work());",
    "onTick(async () => { await work(); });",
    "setTimeout(() => work(), 1);",
    "list.forEach(async () => await work());",
    "const options: { done(): void } = { done: () => work() }; options.done();",
    "const options: { done(): void } = { async done() { await work(); } }; options.done();",
  ];
  assert.deepEqual(foundIn(alone), alone.map(() => "nobody waits for this promise"));
  assert.deepEqual(foundIn(hidden), hidden.map(() => "void hides a promise"));
  assert.deepEqual(
    foundIn(lost),
    lost.map(() => "nobody waits for the promise that this function returns"),
  );
});

Deno.test("the check finds errors that are thrown away without a word", () => {
  const silent = ["try { flush(); } catch {}", "await work().catch(() => {});"];
  assert.deepEqual(foundIn(silent), silent.map(() => "no comment says what is caught here"));
});

Deno.test("the check passes what is somebody's", () => {
  const fine = [
    "await work();",
    "return work();",
    "await Promise.all(list.map(work));",
    "background(work());",
    "part.stored = work();",
    "part.stored ??= work();",
    "const stored = work(); await stored;",
    "work().then(flush, (error) => { throw error; });",
    "work().catch((error: unknown) => console.error(error));",
    "onEvent(work);",
    "onEvent(async () => await work());",
    "onTick(() => void list.push(1));",
    "onTick(() => background(work()));",
    "void await work();",
    "try { flush(); } catch { /* It was closed before. */ }",
    "try { flush(); } catch (error) { console.error(error); }",
    "await work().catch(() => {}); // It was closed before.",
    "// It was closed before.\nawait work().catch(() => {});",
  ];
  assert.deepEqual(foundIn(fine), fine.map(() => ""));
});
