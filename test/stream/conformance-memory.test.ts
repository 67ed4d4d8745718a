/** Streams over what lives in this process, against every operator. */
import { array, asyncGenerator, generator, localChannel } from './conformance-sources.js';
import { describeConformance } from './conformance-suite.js';

for (const kind of [localChannel, array, generator, asyncGenerator]) describeConformance(kind);
