/**
 * Progress on a terminal.
 *
 * @module
 */

import type { LineWriter } from "./line_writer.ts";

/** ECMA-48: go to the start of the line and erase it. */
const ERASE_LINE = "\r\x1b[K";

/** A line below the output that comes and goes, on a screen that standard output and standard error share. */
export class StatusLine {
  readonly #output: LineWriter;
  readonly #columns: () => number;
  #wanted = "";
  #drawn = "";
  #used = false;
  #tail: Promise<void> = Promise.resolve();

  /** Draws on `output`, a terminal that is `columns()` characters wide. */
  constructor(output: LineWriter, columns: () => number) {
    this.#output = output;
    this.#columns = columns;
  }

  /** Resolves when everything was drawn. */
  get idle(): Promise<void> {
    return this.#tail;
  }

  /** Shows `text`, cut to one line, or nothing when it is `undefined`. Of many calls at once only the last is drawn. */
  show(text: string | undefined): void {
    this.#wanted = text ?? "";
    this.#used = true;
    this.#tail = this.#tail.then(() => this.#draw(this.#wanted));
  }

  /** Takes the line away, runs `write`, and shows the line again below what was written. */
  around(write: () => Promise<void>): Promise<void> {
    if (!this.#used) return write();
    return this.#tail = this.#tail.then(async () => {
      await this.#draw("");
      await write();
      await this.#draw(this.#wanted);
    });
  }

  async #draw(text: string): Promise<void> {
    if (text === this.#drawn) return;
    this.#drawn = text;
    const cut = [...text].slice(0, Math.max(this.#columns() - 1, 0)).join("");
    await this.#output.writeRaw(ERASE_LINE + cut);
  }
}
