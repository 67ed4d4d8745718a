/** The part of cli-progress that is used here; the package has no types of its own. */
declare module 'cli-progress' {
  export class SingleBar {
    constructor(options: {
      format: string;
      stream: NodeJS.WritableStream;
      hideCursor: boolean;
      clearOnComplete: boolean;
    });
    start(total: number, startValue: number, payload: Record<string, string>): void;
    update(payload: Record<string, string>): void;
    increment(step: number): void;
    stop(): void;
  }
}
