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
  make(request): Listing | Failure {
    const { prefix, values, limit = DEFAULT_LISTED, ...words } = request as KeysRequest;
    const listing = listingOf(values ? "entries" : "keys", { ...words, key: prefix, limit });
    return "ok" in listing && listing.field === "key" ? { ...listing, field: "prefix" } : listing;
  },
};

/** CHILDREN. */
export const children: Doing = {
  kind: "listing",
  make(request): Listing | Failure {
    const { limit = DEFAULT_LISTED, ...words } = request as ChildrenRequest;
    return listingOf("children", { ...words, limit });
  },
};
