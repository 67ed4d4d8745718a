/** Streams over the streams of Node and of the Web, against every operator. */
import { nodeReadable, webStream } from './conformance-sources.js';
import { describeConformance } from './conformance-suite.js';

for (const kind of [nodeReadable, webStream]) describeConformance(kind);
