/** The limit: the same work in as many processes, each told once how many items are its share. */
import { ended, startProcess } from '../../harness/start-partner.js';
import { work } from '../support/busy.js';
import { ask, onOrder } from '../support/orders.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { workers: number }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const children = Array.from({ length: options.workers }, () =>
    startProcess(import.meta.url, options),
  );
  return {
    async run(amount) {
      const share = Math.ceil(amount / children.length);
      const elapsed = stopwatch();
      await Promise.all(children.map((child) => ask(child, { share })));
      return { operations: share * children.length, seconds: elapsed() };
    },
    async close() {
      for (const child of children) child.disconnect();
      await Promise.all(children.map((child) => ended(child)));
    },
  };
}

export function partner() {
  onOrder((/** @type {{ share: number }} */ { share }, say) => {
    let last = 0;
    for (let index = 0; index < share; index += 1) last = work(index);
    say(last);
  });
}
