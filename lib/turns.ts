/** Runs one piece of work after the other, in the order asked for. One that fails never holds up the next. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as `work` does, which begins when all before it have ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    // Whoever asked for it hears of the failure.
    this.#last = turn.catch(() => {});
    return turn;
  }
}
