/** What goes there and comes back. */

/**
 * Makes the message differ from the one before.
 * @template {Uint8Array} Message
 * @param {Message} message
 * @returns {Message} the same
 */
export function next(message) {
  message[0] = (message[0] ?? 0) + 1;
  return message;
}

/** @param {Uint8Array} answer @param {Uint8Array} message */
export function checkEcho(answer, message) {
  if (answer.length !== message.length || answer[0] !== message[0]) {
    throw new Error(`an answer of ${answer.length} bytes, and not to the last message`);
  }
}
