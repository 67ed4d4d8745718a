/** Something that the person at the keyboard should read, without a stack. */
export class Failure extends Error {
  /** @param {string} message one sentence @param {number} exitCode of this process */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
