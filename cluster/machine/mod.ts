/**
 * The replicated state machine.
 *
 * @module
 */

export type { ChangeKind, NodeChange } from "./change.ts";
export { dump, type DumpSummary } from "./dump.ts";
export { DumpError, Loader } from "./load.ts";
export { FormatError, type LogEntry, Machine, PROGRAM } from "./machine.ts";
export type { Context, Program } from "./module.ts";
export { decodeResult, encodeResult, type Failure, type Result, type Success } from "./result.ts";
export { MemoryStore } from "./store/memory_store.ts";
export type {
  Replacement,
  Row,
  Store,
  StoreReader,
  StoreView,
  Transaction,
} from "./store/store.ts";
export { upgradeCommand } from "./sys.ts";
