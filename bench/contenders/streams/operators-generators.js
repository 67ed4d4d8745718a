/** One async generator for each operator, the way it is usually written by hand. */
import { add, double, increase, isKept, operatorSession } from '../support/operators.js';

/** @template A, B @param {AsyncIterable<A> | Iterable<A>} source @param {(value: A) => B} fn */
async function* map(source, fn) {
  for await (const value of source) yield fn(value);
}

/** @template A @param {AsyncIterable<A>} source @param {(value: A) => boolean} keep */
async function* filter(source, keep) {
  for await (const value of source) if (keep(value)) yield value;
}

export const open = () =>
  operatorSession(async (items) => {
    let sum = 0;
    for await (const value of map(filter(map(items, increase), isKept), double)) {
      sum = add(sum, value);
    }
    return sum;
  });
