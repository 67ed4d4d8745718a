/** Streams over shared memory, against every operator. */
import { pipe, prefetchingChannel, sharedChannel } from './conformance-sources.js';
import { describeConformance } from './conformance-suite.js';

for (const kind of [sharedChannel, prefetchingChannel, pipe]) describeConformance(kind);
