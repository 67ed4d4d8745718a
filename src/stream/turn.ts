/** Loops over data that is always there must let the rest of the program live. */

/** Milliseconds of one go, after which timers and sockets get their turn. */
const longestTurn = 20;
/** How many steps go by between two looks at the clock. */
const stepsPerLook = 64;

/** How long a loop has gone on without waiting for anything. */
export class Turn {
  #steps = 0;
  #endsAt = 0;

  /** Counts a step that needed no waiting; true when it is time to let others work. */
  isOver(): boolean {
    this.#steps += 1;
    if (this.#steps % stepsPerLook !== 0) return false;
    const now = performance.now();
    // The first look only begins the turn.
    if (this.#steps > stepsPerLook && now >= this.#endsAt) {
      this.#steps = 0;
      return true;
    }
    if (this.#steps === stepsPerLook) this.#endsAt = now + longestTurn;
    return false;
  }
}
