/**
 * Clients with sessions in a run: they number their requests, send them again and again in any order, acknowledge what they are told,
 * and end. Each request counts on a counter of its own, so it shows whether it was executed twice.
 *
 * @module
 */

import { incrementCommand, resolvePath } from "../../../../cluster/machine/kv/mod.ts";
import {
  ackCommand,
  createSessionCommand,
  decodeAnswer,
  decodeRequests,
  decodeSession,
  expireSessionsCommand,
  type Machine,
  requestsQuestion,
  type Result,
  sessionCommand,
  sessionQuestion,
} from "../../../../cluster/machine/mod.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import type { Checker } from "./checker.ts";

/** Clients, each with one session at a time. */
const CLIENTS = 4;

/** A request that so many later ones have followed is given up. */
const WINDOW = 12;

/** A request of a client. */
interface Request {
  /** The key it counts on. */
  readonly key: string;
  /** Its answer. */
  answer?: string;
}

/** A client. */
interface Client {
  readonly number: number;
  /** Which session it is. */
  life: number;
  /** The id of the session, once it is known. */
  session: Uint8Array | undefined;
  /** The requests of the session, by id; the first one begins a watch. */
  requests: Request[];
  /** The lowest id that it needs the answer of. */
  low: number;
  /** Whether it has asked for the end of its session. */
  isEnding: boolean;
}

/** What is to be proposed, and who hears of the result when it is known. */
export interface Proposal {
  readonly command: Uint8Array;
  readonly done: (result: Result) => void;
}

/** All sessions of a run. */
export class SimulatedSessions {
  /** Requests that were answered with what they did. */
  answered = 0;
  /** Answers that were the same again. */
  repeated = 0;
  /** Server requests that were seen. */
  told = 0;
  readonly #checker: Checker;
  readonly #clients: Client[] = Array.from(
    { length: CLIENTS },
    (_, number) => newClient(number, 1),
  );
  /** Every request that there was. */
  readonly #all: Request[] = [];
  /** Server requests by session and id. */
  readonly #told = new Map<string, string>();
  /** Sessions that a client has had. */
  readonly #sessions: Uint8Array[] = [];
  #lastSession = 0;
  #looks = 0;

  /** There is none yet. */
  constructor(checker: Checker) {
    this.#checker = checker;
  }

  /** What one of the clients does next. */
  next(random: SeededRandom): Proposal {
    const client = this.#clients[Math.floor(random.float() * CLIENTS)] as Client;
    const { session } = client;
    if (session === undefined) return this.#create(client);
    const kind = random.float();
    if (kind < 0.03) return this.#end(client, session);
    if (kind < 0.1) {
      const upTo = Math.floor(random.float() * 40);
      return { command: ackCommand([{ session, upTo }]), done: () => {} };
    }
    const { requests } = client;
    if (requests.length > client.low + WINDOW || random.float() < 0.2) client.low++;
    client.low = Math.min(client.low, requests.length);
    const isNew = requests.length === 0 || random.float() < 0.6;
    if (isNew) {
      const key = `x^${client.number}^${client.life}^${requests.length}`;
      requests.push({ key });
      this.#all.push(requests.at(-1) as Request);
    }
    const id = isNew ? requests.length - 1 : Math.floor(random.float() * requests.length);
    return this.#request(client, session, id, Math.min(client.low, requests.length - 1));
  }

  /** Looks at the machine of a server after what it applies. */
  watched(id: string, machine: Machine): void {
    const apply = machine.apply.bind(machine);
    machine.apply = (entries): (Result | undefined)[] => {
      const results = apply(entries);
      this.#look(id, machine);
      return results;
    };
  }

  /** Looks whether each request was executed once if it was answered, and at most once if it was not. */
  check(get: (key: string) => string | undefined): void {
    for (const { key, answer } of this.#all) {
      if (key.endsWith("^0")) continue;
      const count = get(`^${key}`);
      if (count !== "1" && (answer !== undefined || count !== undefined)) {
        this.#checker.note(`${key}, answered '${answer}', was counted to '${count}'`);
      }
    }
  }

  #create(client: Client): Proposal {
    const { number, life } = client;
    const command = createSessionCommand({
      session: bytesOf(16, ++this.#lastSession),
      nonce: bytesOf(8, life),
      capabilities: [["client-id", `c${number}`]],
    });
    const done = (result: Result): void => {
      if (!result.ok || client.life !== life || client.session !== undefined) return;
      client.session = new Uint8Array(result.body);
      this.#sessions.push(client.session);
    };
    return { command, done };
  }

  #end(client: Client, session: Uint8Array): Proposal {
    client.isEnding = true;
    const done = (result: Result): void => {
      if (!result.ok || client.session !== session) return;
      Object.assign(client, newClient(client.number, client.life + 1));
    };
    return { command: expireSessionsCommand([session]), done };
  }

  /** The request `id` of a session; the first one watches what the others change. */
  #request(client: Client, session: Uint8Array, id: number, low: number): Proposal {
    const request = client.requests[id] as Request;
    const path = resolvePath(`^${request.key}`) as Uint8Array;
    const command = sessionCommand({
      session,
      id,
      low,
      tellsRevision: true,
      deed: id === 0
        ? { kind: "watch", watch: { path: pathOfClients, tree: true, initial: true } }
        : { kind: "command", bytes: incrementCommand(path, 1) },
    });
    const { life } = client;
    const done = (result: Result): void => {
      if (result.ok) return this.#learn(request, id, result.body);
      // It has another session since.
      if (client.life !== life) return;
      const { reason } = result;
      const mayBe = reason === "SESSION_EXPIRED"
        ? client.isEnding
        : reason === "RESPONSE_EVICTED"
        ? id < client.low
        : reason !== "TOO_MANY_IN_FLIGHT";
      if (!mayBe) this.#checker.note(`${request.key} is refused: ${reason}`);
    };
    return { command, done };
  }

  #learn(request: Request, id: number, body: Uint8Array): void {
    const { result } = decodeAnswer(body);
    const answer = body.toHex();
    if (request.answer === undefined) this.answered++;
    else if (request.answer === answer) this.repeated++;
    else this.#checker.note(`${request.key} has two answers: ${request.answer} and ${answer}`);
    request.answer = answer;
    if (id > 0 && !(result.ok && new TextDecoder().decode(result.body) === "1")) {
      this.#checker.note(`${request.key} was answered ${JSON.stringify(result)}`);
    }
  }

  /** The server requests of one session are the same at all servers and at all times, and there is none missing. */
  #look(id: string, machine: Machine): void {
    const session = this.#sessions[this.#looks++ % Math.max(1, this.#sessions.length)];
    if (session === undefined) return;
    const [known, waiting] = [
      machine.query(sessionQuestion(session)),
      machine.query(requestsQuestion({ session })),
    ];
    if (!known.ok || !waiting.ok) return;
    const { firstPending, lastRequest } = decodeSession(known.body);
    const { requests, more } = decodeRequests(waiting.body);
    let next = firstPending;
    for (const request of requests) {
      const name = `${session.toHex()} ${request.id}`;
      const text = request.payload.toHex();
      if (request.id !== next++) {
        this.#checker.note(`${name} of ${id} follows no ${request.id - 1}`);
      }
      if (!this.#told.has(name)) this.told++;
      else if (this.#told.get(name) !== text) this.#checker.note(`${name} of ${id} is another`);
      this.#told.set(name, text);
    }
    if (!more && next !== lastRequest + 1) {
      this.#checker.note(`${id} lacks server requests of ${session.toHex()} from ${next} on`);
    }
  }
}

const pathOfClients = resolvePath("^x") as Uint8Array;

function newClient(number: number, life: number): Client {
  return { number, life, session: undefined, requests: [], low: 0, isEnding: false };
}

function bytesOf(length: number, number: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(length - 4, number);
  return bytes;
}
