export declare function double(value: number): number;
export declare function sum(bytes: Uint8Array): number;
export declare function scribble(seed: number): number;
