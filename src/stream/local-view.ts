/** Messages of a local channel, and how they look in place. */
import { Buffer } from 'node:buffer';
import { parseCodec } from '../codec.js';
import type { Cursor } from '../queue/views.js';
import type { HeldView } from './channel-store.js';

export interface Message<T> {
  readonly value: T;
  readonly seq: bigint;
  readonly timestamp: number;
  deliveries: number;
}

/** A message that is looked at: its bytes, or what a shared channel would make of its value. */
export class LocalView<T> implements HeldView {
  readonly message: Message<T>;
  readonly deliveries: number;
  #settle: ((view: LocalView<T>, done: boolean) => void) | undefined;
  #bytes: Buffer | undefined;

  constructor(message: Message<T>, settle: (view: LocalView<T>, done: boolean) => void) {
    this.message = message;
    this.deliveries = message.deliveries;
    this.#settle = settle;
  }

  get view(): Buffer {
    if (!this.#settle) return Buffer.alloc(0);
    return (this.#bytes ??= bytesOf(this.message.value));
  }

  get cursor(): Cursor {
    return this as unknown as Cursor;
  }

  get seq(): bigint {
    return this.message.seq;
  }

  get timestamp(): number {
    return this.message.timestamp;
  }

  [Symbol.dispose](): void {
    this.#leave(true);
  }

  giveBack(): void {
    this.#leave(false);
  }

  #leave(done: boolean): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(this, done);
  }
}

function bytesOf(value: unknown): Buffer {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Buffer.from(parseCodec(undefined).encode(value));
}
