/**
 * The engine of patterns, as a module of ours. A package that is imported late is looked for on the disk then, from the
 * working directory on, which may be gone; a module of ours is known from the start, and what it imports with it.
 *
 * @module
 */

export { RE2JS } from "re2js";
