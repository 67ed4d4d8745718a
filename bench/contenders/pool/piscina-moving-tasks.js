/** The tasks that hand their result over instead of having it copied, as piscina offers. */
import { move } from 'piscina';
import * as tasks from './tasks.js';

export * from './tasks.js';

/** @param {Uint8Array<ArrayBuffer>} bytes */
export const echo = (bytes) => move(/** @type {Uint8Array<ArrayBuffer>} */ (tasks.echo(bytes)));
