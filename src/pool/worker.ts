/** What a module of tasks imports: `import { task } from 'zoosync/worker'`. */
export { task } from './task-context.js';
export type { TaskContext } from './types.js';
