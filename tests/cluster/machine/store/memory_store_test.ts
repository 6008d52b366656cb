import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import { storeSuite } from "../../../support/store_suite.ts";

storeSuite("MemoryStore", (test) => Promise.resolve(test(new MemoryStore())));
