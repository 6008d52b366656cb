/**
 * The core of a client's session, brought into each of its phases and moved step by step.
 *
 * @module
 */

import type { Call, Chance, Effect, Input } from "../../../client/sessions/core/inputs.ts";
import { newState, type Settings, type State } from "../../../client/sessions/core/state.ts";
import { step } from "../../../client/sessions/core/step.ts";
import type { ServerMessage, SessionState } from "../../../protocol/sessions/mod.ts";

const SETTINGS: Settings = {
  addresses: ["a:1", "b:1", "c:1"],
  capabilities: [["session-ext", "1"]],
  resume: undefined,
  token: undefined,
  renew: false,
  attemptMs: 5_000,
  keepAliveMs: 30_000,
  resendMs: 2_000,
};

/** Always in the middle; nonces are 1, 2, ... */
function evenChance(): Chance {
  let nonces = 0n;
  return { float: () => 0.5, nonce: () => ++nonces };
}

/** A core with a clock of its own. */
export class Core {
  readonly state: State;
  now = 1_000_000;
  readonly #chance: Chance;

  constructor(settings: Partial<Settings> = {}, chance: Chance = evenChance()) {
    this.state = newState({ ...SETTINGS, ...settings });
    this.#chance = chance;
  }

  /** What is done about an input. */
  take(input: Input): Effect[] {
    return step(this.state, input, this.now, this.#chance);
  }

  /** The same for a message. */
  receive(message: ServerMessage): Effect[] {
    return this.take({ type: "message", message });
  }

  /** What is done when `ms` milliseconds have passed. */
  pass(ms: number): Effect[] {
    this.now += ms;
    return this.take({ type: "tick" });
  }

  /** Submits a call, with a payload or one of so many bytes. */
  submit(
    type: Call["type"] = "command",
    payload: number | Uint8Array = 1,
    deadlineMs = 30_000,
  ): { call: Call; effects: Effect[] } {
    const call: Call = {
      type,
      name: `the ${type}`,
      payload: typeof payload === "number" ? new Uint8Array(payload) : payload,
      createdAt: this.now,
      deadlineAt: this.now + deadlineMs,
      id: undefined,
      isRepeated: false,
      resendAt: Infinity,
      resendMs: this.state.settings.resendMs,
    };
    return { call, effects: this.take({ type: "submit", call }) };
  }

  /** Connects with a new session, `s`. */
  connect(): this {
    this.take({ type: "connect" });
    this.take({ type: "opened" });
    this.receive({ kind: "sessionCreated", sessionId: "s", nonce: this.state.link.nonce });
    return this;
  }

  /** Loses the connection, and has another one that the session is asked for on. */
  reopen(): this {
    this.take({ type: "lost", error: new Error("lost") });
    this.pass(100);
    this.take({ type: "opened" });
    return this;
  }

  /** Goes on with the session, of which the server knows what this client does. */
  continue(told: Partial<SessionState> = {}): Effect[] {
    const { calls, delivered } = this.state;
    return [
      ...this.receive({ kind: "sessionContinued", nonce: this.state.link.nonce || 9n }),
      ...this.receive({
        kind: "sessionState",
        floor: 0,
        highestRequestId: calls.nextId > calls.firstId ? calls.nextId - 1 : calls.highestBefore,
        lowestUnacked: delivered + 1,
        lastServerRequestId: delivered,
        timeoutMs: 90_000,
        leader: this.state.leader ?? "",
        term: 1,
        ...told,
      }),
    ];
  }
}

/** Effects in words. */
export function inWords(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case "dial":
        return `dial ${effect.address}`;
      case "send":
        return `send ${messageInWords(effect.message)}`;
      case "resolve":
        return `resolve ${effect.call.type}`;
      case "reject":
        return `reject ${effect.call.type}: ${effect.error.name}`;
      case "deliver":
        return `deliver ${effect.request.requestId}`;
      case "tell":
        return `tell ${effect.event.name}`;
      case "end":
        return `end${effect.error ? `: ${effect.error.name}` : ""}`;
      default:
        return effect.type;
    }
  });
}

function messageInWords(message: Extract<Effect, { type: "send" }>["message"]): string {
  switch (message.kind) {
    case "clientRequest":
      return `command ${message.requestId} low ${message.lowestPending}`;
    case "query":
      return `query ${message.correlationId}`;
    case "serverRequestAck":
      return `ack ${message.requestId}`;
    default:
      return message.kind;
  }
}
