/**
 * What a port for clients says in the log: few lines of what its clients do, however many there are.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../cluster/log_limiter.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { stackOf } from "./errors.ts";
import type { AgentLog } from "./log.ts";

/** A client of a port. */
interface Client {
  readonly name: string;
  readonly source: string;
}

/** What happens to connections, as a port tells it. */
export interface ConnectionEvents {
  readonly onUnexpected: (error: unknown) => void;
  readonly onAcceptFailure: (cause: unknown) => void;
  readonly onHandshakeFailure: (client: Client, cause: unknown) => void;
  readonly onStall: (client: Client) => void;
}

/** The lines of one port. */
export class PortLog {
  readonly #log: Pick<AgentLog, "write" | "unexpected">;
  readonly #subsystem: string;
  readonly #mistakes = new LogLimiter(performance);
  readonly #troubles = new LogLimiter(performance);

  /** `subsystem` is what its lines begin with. */
  constructor(log: Pick<AgentLog, "write" | "unexpected">, subsystem: string) {
    this.#log = log;
    this.#subsystem = subsystem;
  }

  /** A client does not keep to the rules. Few lines are written for each `key`. */
  mistake(key: string, text: string): void {
    this.#write(this.#mistakes, key, text);
  }

  /** Something goes wrong with a connection. Few lines are written for each `key`. */
  trouble(key: string, text: string): void {
    this.#write(this.#troubles, key, text);
  }

  /** A request met an error that nobody expected, which does not end the agent. Returns the name that its line has. */
  incident(error: unknown): string {
    const name = crypto.randomUUID();
    const text = `Incident ${name}: ${stackOf(error)}`;
    this.#log.write("ERR", this.#subsystem, text, { multiline: true });
    return name;
  }

  /** Writes what happens to connections of a port that closes those that read nothing for `stallLimitMs` milliseconds. */
  events(stallLimitMs: number): ConnectionEvents {
    return {
      onUnexpected: (error) => this.#log.unexpected(error),
      onAcceptFailure: (cause) => {
        this.trouble("accept", `Failed to accept client: ${(cause as Error).message}`);
      },
      onHandshakeFailure: ({ name, source }, cause) => {
        const why = (cause as Error).message;
        this.trouble(source, `Failed TLS handshake of client ${name}: ${why}`);
      },
      onStall: ({ name, source }) => {
        const time = formatDuration(stallLimitMs);
        this.trouble(source, `Closing client ${name}: read nothing for ${time}`);
      },
    };
  }

  #write(limiter: LogLimiter, key: string, text: string): void {
    const hidden = limiter.admit(key);
    if (hidden === undefined) return;
    this.#log.write("WARN", this.#subsystem, text + hiddenNote(hidden));
  }
}
