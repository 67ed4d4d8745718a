/** Of every pool. */
export const workers = 2;
