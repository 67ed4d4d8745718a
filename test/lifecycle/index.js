/** All scenarios, by the file they are in. */
import { scenarios as collection } from './scenarios/collection.js';
import { scenarios as copies } from './scenarios/copies.js';
import { scenarios as errors } from './scenarios/errors.js';
import { scenarios as exits } from './scenarios/exits.js';
import { scenarios as keepingAlive } from './scenarios/keeping-alive.js';
import { scenarios as limits } from './scenarios/limits.js';
import { scenarios as loading } from './scenarios/loading.js';
import { scenarios as nodeOptions } from './scenarios/node-options.js';
import { scenarios as signals } from './scenarios/signals.js';
import { scenarios as storm } from './scenarios/storm.js';
import { scenarios as termination } from './scenarios/termination.js';

/** @type {Record<string, import('./scenario.js').Scenario[]>} */
export const files = {
  loading,
  termination,
  storm,
  exits,
  errors,
  signals,
  collection,
  copies,
  'keeping-alive': keepingAlive,
  limits,
  'node-options': nodeOptions,
};
