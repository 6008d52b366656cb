/**
 * The watches of one connection: their pushes, between its answers and never inside one.
 *
 * @module
 */

import type { Watcher, WatchHub, WatchListener } from "../../cluster/watch/mod.ts";
import { PUSH_HEADS } from "../../protocol/kv/change.ts";
import type { LineWriter } from "../../protocol/kv/mod.ts";
import type { Outbox } from "../net/outbox.ts";

/** A client of `hub`, which gets its pushes by `outbox`; `tooSlow` is called when it does not read them. */
export function watcherOf(
  hub: WatchHub,
  outbox: Outbox<LineWriter>,
  tooSlow: () => void,
): Watcher {
  const listener: WatchListener = {
    get congested() {
      return outbox.congested;
    },
    drained: () => outbox.drained(),
    push(push, watch, rest) {
      const writer = outbox.open();
      if (writer === undefined) return;
      writer.raw(PUSH_HEADS[push]);
      writer.text(String(watch));
      outbox.append(rest);
    },
    tooSlow,
  };
  return hub.watcher(listener);
}
