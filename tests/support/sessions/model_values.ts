/**
 * The requests of the key-value port that tests of sessions need, on a map.
 *
 * @module
 */

/** What came of a request, and what sessions are told of it. */
export interface Done {
  readonly result: Uint8Array;
  readonly pushes: readonly { readonly to: string; readonly push: object }[];
}

interface Request {
  readonly action: string;
  readonly key: string;
  readonly value?: unknown;
  readonly by?: number;
  readonly nx?: boolean;
  readonly initial?: boolean;
  readonly watch?: number;
}

interface Watch {
  readonly number: number;
  readonly session: string;
  readonly key: string;
}

const bytesOf = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const MISSING = { status: "error", code: 404, error: "key not found", reason: "KEY_NOT_FOUND" };

/** Values by key, and who watches them. */
export class ModelValues {
  readonly #values = new Map<string, { readonly value: unknown; readonly rev: number }>();
  #watches: Watch[] = [];
  #rev = 0;
  #numbers = 0;

  /** How many watches there are. */
  get watches(): number {
    return this.#watches.length;
  }

  /** The reply to a question; `undefined` when a payload is none. */
  read(payload: Uint8Array): Uint8Array | undefined {
    const request = requestIn(payload);
    if (request === undefined) return undefined;
    const found = this.#values.get(request.key);
    if (found === undefined) return bytesOf(MISSING);
    return bytesOf({ status: "ok", result: found.value, rev: found.rev });
  }

  /** Does a request; `undefined` when a payload is none. */
  write(payload: Uint8Array, session: string): Done | undefined {
    const request = requestIn(payload);
    if (request === undefined) return undefined;
    const { action, key, value, by = 1, nx, initial, watch } = request;
    const found = this.#values.get(key);
    if (action === "UNWATCH") {
      this.#watches = this.#watches.filter(({ number }) => number !== watch);
      return { result: bytesOf({ status: "ok", result: "OK" }), pushes: [] };
    }
    if (action === "WATCH") {
      const known = this.#watches.find((one) => one.key === key && one.session === session);
      const number = known?.number ?? ++this.#numbers;
      if (known === undefined) this.#watches.push({ number, session, key });
      const { rev } = found ?? { rev: this.#rev };
      const told = { push: "change", watch: number, key, kind: "set", initial: true, rev };
      const result = bytesOf({ status: "ok", result: { watch: number, rev: this.#rev } });
      if (initial !== true || known !== undefined) return { result, pushes: [] };
      const first = found === undefined ? [] : [{ ...told, value: found.value }];
      const pushes = [...first, { push: "synced", watch: number, rev: this.#rev }];
      return { result, pushes: pushes.map((push) => ({ to: session, push })) };
    }
    if (nx === true && found !== undefined) {
      const failed = { status: "error", code: 409, reason: "CONDITION_FAILED", rev: found.rev };
      return { result: bytesOf(failed), pushes: [] };
    }
    const next = action === "INCR" ? Number(found?.value ?? 0) + by : value;
    const rev = ++this.#rev;
    this.#values.set(key, { value: next, rev });
    const change = {
      push: "change",
      key,
      kind: "set",
      created: found === undefined,
      value: next,
      rev,
    };
    const pushes = this.#watches.filter((one) => one.key === key).map(({ number, session }) => ({
      to: session,
      push: { ...change, watch: number },
    }));
    const result = action === "INCR" ? next : "OK";
    return { result: bytesOf({ status: "ok", result, rev }), pushes };
  }

  /** Ends the watches of a session. */
  unwatchAll(session: string): void {
    this.#watches = this.#watches.filter((one) => one.session !== session);
  }
}

function requestIn(payload: Uint8Array): Request | undefined {
  return payload[0] === 0x7b ? JSON.parse(new TextDecoder().decode(payload)) : undefined;
}
