/** What counts of instructions say beside those that are stored. */

/**
 * @typedef {import('./instruction-counts.js').Count} Count
 * @typedef {import('./instruction-counts.js').Counts} Counts
 *
 * @typedef {object} Conditions what the counts depend on
 * @property {string} architecture
 * @property {boolean} avx2 whether the processor has it: the C library then copies in another way
 * @property {string} compiler version of g++
 * @property {string} library version of the C library
 * @property {string} node
 * @property {string} valgrind
 *
 * @typedef {{ conditions: Conditions, core: Counts, node: Counts }} Stored
 *
 * @typedef {object} Tolerances shares of what is stored, or why nothing can be said
 * @property {number} own
 * @property {number} [outside] none: not compared
 * @property {string[]} remarks
 *
 * @typedef {'same' | 'grew' | 'fell' | 'new' | 'gone'} Verdict
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {Count} [stored]
 * @property {Count} [now]
 * @property {Verdict} verdict
 * @property {string[]} reasons what grew or fell
 */

/** Counts repeat to the last instruction; what a change in another place moves stays below. */
const strict = 0.03;
/** Another compiler makes other instructions of the same code. */
const loose = 0.15;
/** The C library, where it is the same: how it copies also depends on where the bytes lie. */
const others = 0.1;
/** Of few instructions, one more is many percent. */
const alwaysAllowed = 4;

/** @param {string} version @returns {string} */
const major = (version) => version.split('.')[0] ?? '';

/**
 * @param {Conditions} stored @param {Conditions} now
 * @returns {Tolerances | undefined} none: the counts cannot be compared
 */
export function tolerances(stored, now) {
  if (stored.architecture !== now.architecture) return undefined;
  const remarks = [];
  const sameCompiler = major(stored.compiler) === major(now.compiler);
  if (!sameCompiler) {
    remarks.push(
      `They were stored with g++ ${stored.compiler} and this is ${now.compiler}: ` +
        `up to ${loose * 100} % more is let pass.`,
    );
  }
  const sameSurroundings = /** @type {const} */ (['avx2', 'library', 'valgrind']).every(
    (what) => stored[what] === now[what],
  );
  if (!sameSurroundings) {
    remarks.push(
      `They were stored with C library ${stored.library}, valgrind ${stored.valgrind}` +
        `${stored.avx2 ? ' and' : ', no'} AVX2: 'outside' is not compared.`,
    );
  }
  const sameNode = major(stored.node) === major(now.node);
  if (!sameNode) {
    remarks.push(
      `They were stored with Node ${stored.node} and this is ${now.node}: ` +
        `up to ${loose * 100} % more is let pass.`,
    );
  }
  return {
    own: sameCompiler && sameNode ? strict : loose,
    ...(sameSurroundings && { outside: others }),
    remarks,
  };
}

/** @param {number} stored @param {number} now @param {number} share @returns {Verdict} */
function judge(stored, now, share) {
  if (Math.abs(now - stored) <= Math.max(alwaysAllowed, share * stored)) return 'same';
  return now > stored ? 'grew' : 'fell';
}

/** @param {number} stored @param {number} now @returns {Verdict} */
function judgeExactly(stored, now) {
  if (now === stored) return 'same';
  return now > stored ? 'grew' : 'fell';
}

/**
 * Node's share is shown and not judged: a collection of garbage may fall into any call.
 * @param {Count} stored @param {Count} now @param {Tolerances} shares @returns {[string, Verdict][]}
 */
function figures(stored, now, { own, outside }) {
  const { crossings: before = 0 } = stored;
  const { crossings } = now;
  const judgesOutside = outside !== undefined && crossings === undefined;
  return [
    ['our instructions', judge(stored.own, now.own, own)],
    ['outside', judgesOutside ? judge(stored.outside, now.outside, outside) : 'same'],
    ['calls of the addon', judgeExactly(before, crossings ?? 0)],
  ];
}

/** @param {Counts} stored @param {Counts} now @param {Tolerances} shares @returns {Row[]} */
export function compare(stored, now, shares) {
  const names = new Set([...Object.keys(now), ...Object.keys(stored)]);
  return [...names].map((name) => {
    const before = stored[name];
    const count = now[name];
    if (!before || !count) {
      return {
        name,
        ...(before && { stored: before }),
        ...(count && { now: count }),
        verdict: before ? 'gone' : 'new',
        reasons: [],
      };
    }
    const judged = figures(before, count, shares);
    const verdict = /** @type {const} */ (['grew', 'fell']).find((one) =>
      judged.some(([, other]) => other === one),
    );
    return {
      name,
      stored: before,
      now: count,
      verdict: verdict ?? 'same',
      reasons: judged.filter(([, one]) => one === verdict).map(([what]) => what),
    };
  });
}
