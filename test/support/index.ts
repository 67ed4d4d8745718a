export * from './failures.js';
export * from './names.js';
export * from './patience.js';
export * from './processes.js';
export * from './stores.js';
