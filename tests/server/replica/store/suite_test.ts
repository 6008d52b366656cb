import { withStore } from "../../../support/replica/store.ts";
import { storeSuite } from "../../../support/store_suite.ts";

storeSuite("SqliteStore", (test) => withStore(test));
