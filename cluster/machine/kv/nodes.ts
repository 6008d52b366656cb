/**
 * The nodes, as other modules see them.
 *
 * @module
 */

import type { Nodes } from "../module.ts";
import { keyAfter, keysBelow } from "../store/tuple.ts";
import { revisionOf } from "./edit.ts";
import { Walk } from "./listing/walk.ts";
import { pathText } from "./path.ts";
import { pathOfKey, rowRevision, rowText, valueKey, VALUES } from "./rows.ts";

/** The nodes. */
export const nodes: Nodes = {
  prefix: VALUES,
  keyOf: valueKey,
  pathOf: (key) => pathText(pathOfKey(key)),
  revision: revisionOf,
  *values(state, key, tree) {
    const to = tree ? keysBelow(key).to : keyAfter(key);
    let from = key;
    for (let isTired = true; isTired;) {
      const walk = new Walk(state, from, to);
      for (let row = walk.next(); row !== undefined; row = walk.next()) {
        yield { key: row.key, text: rowText(row.value), rev: rowRevision(row.value) };
        from = keyAfter(row.key);
      }
      isTired = walk.isTired;
    }
  },
};
