/** What a scenario is: one way of using the package to its end, in a process of its own. */

/**
 * @typedef {import('./context.js').Context} Context
 * @typedef {import('./context.js').ThreadContext} ThreadContext
 */

/**
 * @typedef {object} Scenario
 * @property {string} name what is done, as the table shows it
 * @property {(t: Context) => unknown} run what the process does
 * @property {Record<string, (t: ThreadContext) => unknown>} [threads] what its worker threads do, by role
 * @property {Record<string, (t: Context) => unknown>} [peers] what other processes do, by role
 * @property {string[]} [node] options of Node
 * @property {(major: number) => string[]} [nodeOf] the same, where they depend on the version
 * @property {string} [limits] shell commands before Node starts, such as `ulimit -n 64`
 * @property {Record<string, string>} [env]
 * @property {NodeJS.Signals} [signal] sent as soon as the process has said `ready`
 * @property {{ code?: number, signal?: NodeJS.Signals }} [ends] how the process ends; default: code 0
 * @property {RegExp} [says] what it writes to its standard error; default: nothing
 * @property {RegExp} [leaves] names that stay in /dev/shm, because such an end counts as a death;
 *   default: none
 * @property {RegExp} [mayLeave] the same, where it depends on the moment
 * @property {boolean} [leavesBell] a bell may stay, for the next one who makes a bell to remove
 * @property {boolean} [cold] the package is not loaded and nothing is warmed up before `run`
 * @property {boolean} [exits] `run` ends the process, or leaves it to end with handles open
 * @property {number} [seconds] the limit in time, default 20
 */

/** @param {Scenario[]} list @returns {Scenario[]} the same, with its types checked */
export const scenariosOf = (list) => list;
