/** What a worker answers, as values of this process. */
import type { ValueCodec } from '../codec.js';
import { decodeThrown } from '../error-encoding.js';
import {
  copyPart,
  partsOf,
  putPartsBack,
  readNote,
  type LargeReceiver,
  type LargeSender,
  type Note,
} from './large-values.js';
import { unpackValue } from './payload.js';
import { Flag, FromWorker } from './protocol.js';

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

const noBytes = new Uint8Array(0);

export class AnswerReader {
  readonly #codec: () => ValueCodec;
  /** Arguments that the worker has in place: a result may be a view of them. */
  readonly #sent: LargeSender;
  readonly #received: LargeReceiver;
  bytesCopied = 0;

  constructor(codec: () => ValueCodec, sent: LargeSender, received: LargeReceiver) {
    this.#codec = codec;
    this.#sent = sent;
    this.#received = received;
  }

  /** The payload of a frame, decoded; what cannot be decoded is the task's failure, not the pool's. */
  read(kind: number, flags: number, source: Buffer, start: number, end: number): Answer {
    try {
      if (kind === FromWorker.itemsEnd) return { ok: true, value: undefined };
      if (kind !== FromWorker.thrown)
        return { ok: true, value: this.#value(flags, source, start, end) };
      const bytes = Uint8Array.from(this.#bytes(flags, source, start, end));
      return { ok: false, error: decodeThrown(bytes) };
    } catch (error) {
      return { ok: false, error };
    }
  }

  #value(flags: number, source: Buffer, start: number, end: number): unknown {
    this.bytesCopied += end - start;
    if ((flags & Flag.nothing) !== 0) return undefined;
    const codec = this.#codec();
    if ((flags & Flag.parts) === 0) return unpackValue(codec, source, start, end);
    const { note, rest } = readNote(source, start);
    try {
      const { payload } = note;
      const beside = payload && this.#copyPayload(payload);
      const value = beside
        ? unpackValue(codec, beside, 0, beside.length)
        : unpackValue(codec, source, rest, end);
      return putPartsBack(value, note, (part) => {
        this.bytesCopied += part.bytes;
        const from = part.owner === 'pool' ? this.#sent : this.#received;
        return copyPart(part, from.bytes(part.segment) ?? noBytes);
      });
    } finally {
      this.#release(note);
    }
  }

  #bytes(flags: number, source: Buffer, start: number, end: number): Uint8Array {
    if ((flags & Flag.beside) === 0) return source.subarray(start, end);
    const { note } = readNote(source, start);
    if (!note.payload) return source.subarray(start, end);
    const bytes = this.#copyPayload(note.payload);
    this.#release(note);
    return bytes;
  }

  #copyPayload(payload: NonNullable<Note['payload']>): Buffer {
    return copyPart(payload, this.#received.bytes(payload.segment)) as Buffer;
  }

  /** Nobody wants the payload of this frame: only the memory that it lies in is given back. */
  discard(flags: number, source: Buffer, start: number): void {
    if ((flags & Flag.parts) === 0) return;
    const { note } = readNote(source, start);
    try {
      // What was never looked at is opened first, which takes its name away.
      for (const part of partsOf(note)) {
        if (part.owner === 'worker') this.#received.bytes(part.segment);
      }
    } catch {
      // Then there is nothing to give back.
    }
    this.#release(note);
  }

  #release(note: Note): void {
    for (const part of partsOf(note)) {
      if (part.owner === 'worker') this.#received.release(part.segment);
    }
  }
}
