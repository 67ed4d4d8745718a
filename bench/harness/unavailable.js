/** Thrown by a contender that cannot run here; the others go on without it. */
export class Unavailable extends Error {
  /** @override */
  name = 'Unavailable';
}

/**
 * Loads a package that may be missing.
 * @param {string} name
 * @returns {Promise<any>} its namespace
 */
export async function loadOptional(name) {
  try {
    return await import(name);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [reason] = message.split(/\n| imported from /);
    throw new Unavailable(`${name} does not load: ${reason}`);
  }
}
