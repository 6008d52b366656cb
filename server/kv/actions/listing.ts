/**
 * The actions that list what is below a node.
 *
 * @module
 */

import type { Failure } from "../../../cluster/machine/mod.ts";
import {
  type ChildrenRequest,
  DEFAULT_LISTED,
  type KeysRequest,
} from "../../../protocol/kv/mod.ts";
import type { Doing } from "../action.ts";
import { type Listing, listingOf } from "../listing.ts";

/** KEYS. */
export const keys: Doing = {
  kind: "listing",
  make(request, use): Listing | Failure {
    const { prefix, namespace, after, limit = DEFAULT_LISTED, depth, values } =
      request as KeysRequest;
    const words = { key: prefix, namespace, use, after, limit, depth };
    const listing = listingOf(values ? "entries" : "keys", words);
    return "ok" in listing && listing.field === "key" ? { ...listing, field: "prefix" } : listing;
  },
};

/** CHILDREN. */
export const children: Doing = {
  kind: "listing",
  make(request, use): Listing | Failure {
    // What other actions know, such as `depth`, is nothing here, whatever it is.
    const { key, namespace, after, limit = DEFAULT_LISTED } = request as ChildrenRequest;
    return listingOf("children", { key, namespace, use, after, limit });
  },
};
