/**
 * The messages of a simulated server: the real segments on its simulated disk.
 *
 * @module
 */

import type { MachineListener } from "../../../../cluster/machine/mod.ts";
import type { Clock, Disk } from "../../../../cluster/runtime.ts";
import type { Replica } from "../../../../server/replica/driver/replica.ts";
import { pieceNet } from "../../../../server/replica/segments/fetching/net.ts";
import { Messages } from "../../../../server/replica/segments/messages.ts";
import { SegmentFiles } from "../../../../server/replica/segments/segment_files.ts";
import { stateOfMessages } from "../../../../server/replica/segments/state.ts";
import type { SnapshotCompanion } from "../../../../server/replica/snapshots/snapshot_files.ts";
import type { Companion } from "../../../../server/replica/store/sqlite_store.ts";
import { REQUEST } from "../../../../server/replica/wire_requests.ts";
import type { LaggingStore } from "./lagging_store.ts";
import type { Links, Receiver } from "./links.ts";
import type { KeptMessages, SimulatedTopics } from "./topics.ts";

/** So small that a short run has all of it. */
const LIMITS = { writeBytes: 2_000, mostBytes: 8_000, syncBytes: 4_000 };

/** `bytes`: they are on the disk before the rows that tell of them. `snapshot`: it counts as received once they are there. */
export type MessageRule = "bytes" | "snapshot";

/** What they are opened with. */
export interface OpeningMessages {
  /** A rule that is left out. */
  readonly without: MessageRule | undefined;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly topics: SimulatedTopics;
  readonly links: Links;
  readonly id: () => string;
  readonly store: () => LaggingStore;
  readonly replica: () => Replica | undefined;
  readonly isAlive: () => boolean;
  readonly failed: (error: Error) => void;
}

/** Those of one life of a server. */
export interface OpenedMessages {
  readonly besideRows: Companion;
  readonly besideSnapshots: SnapshotCompanion;
  readonly messages: Messages;
  readonly kept: KeptMessages;
  readonly listener: MachineListener;
  /** Compares them with the state. */
  settle(): Promise<void>;
  /** What takes requests of others. */
  receiving(replica: Replica): Receiver;
}

/** Opens the messages of a server. */
export async function openMessages(parts: OpeningMessages): Promise<OpenedMessages> {
  const { disk, clock, topics, links, id, store, replica, failed, isAlive } = parts;
  const state = stateOfMessages(store);
  const files = await SegmentFiles.open({
    disk,
    folder: "topics",
    state,
    damaged: (error) => messages.damaged(error),
    failed,
    limits: LIMITS,
  });
  const lacks = (): void => {
    if (isAlive()) topics.lacks(id(), files.damaged());
  };
  const net = pieceNet(clock, () => ({ id: id(), replica: replica(), links }));
  const logger = { info() {}, error: lacks };
  const messages: Messages = new Messages({ files, state, net, logger, failed });
  const { without } = parts;
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    besideRows: {
      sync: without === "bytes" ? nothing : () => files.sync(),
      forgettable: () => files.forgettable(),
    },
    besideSnapshots: {
      complete: without === "snapshot" ? nothing : (...args) => messages.complete(...args),
      settle: (mayRemove) => messages.settle(mayRemove),
    },
    messages,
    kept: { id: id(), files, rows: () => state.rows(), isAlive },
    listener: {
      messages: (changes) => {
        topics.took(id(), changes);
        messages.take(changes);
      },
    },
    settle: () => messages.settle(() => true),
    receiving: (replica) => ({
      receive: (from, message) => replica.receive(from, message),
      receiveRequests: (bytes) =>
        bytes[0] === REQUEST.piece ? messages.answer(bytes) : replica.receiveRequests(bytes),
    }),
  };
}
