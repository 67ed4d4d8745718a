/** How the measurements see a pool of two workers that runs `tasks.js`. */
export interface PoolAdapter {
  call(task: string, value: unknown): Promise<unknown>;
  close(): unknown;
}

export interface AdapterOptions {
  kind: 'process' | 'thread';
  /** Whether byte arrays will be sent: some pools need to be told. */
  hasBytes: boolean;
  /** Results are handed over instead of copied, where the pool can do that. */
  move?: boolean;
}

export interface AdapterModule {
  start(options: AdapterOptions): PoolAdapter;
}
