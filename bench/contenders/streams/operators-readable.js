/** Node's own operators over an array. */
import { Readable } from 'node:stream';
import { add, double, increase, isKept, operatorSession } from '../support/operators.js';

export const open = () =>
  operatorSession((items) =>
    Readable.from(items).map(increase).filter(isKept).map(double).reduce(add, 0),
  );
