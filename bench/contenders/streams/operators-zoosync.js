/** `Stream` over an array. */
import { Stream } from '../../../dist/index.js';
import { add, double, increase, isKept, operatorSession } from '../support/operators.js';

export const open = () =>
  operatorSession((items) =>
    Stream.from(items).map(increase).filter(isKept).map(double).reduce(add, 0),
  );
