/** What sender and receiver agree on. */

const MiB = 2 ** 20;

/** What may be on its way from one process to the other; the sender waits beyond. */
export const memoryLimit = 8 * MiB;

/** The smallest that a storage with the interface of S3 takes. */
export const partBytes = 5 * MiB;

export const uploadsAtATime = 2;
