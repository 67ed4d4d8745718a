import { expect, it } from 'vitest';
import { judge } from './judge.js';

const samples = 30;
const times = Array.from({ length: samples }, (_, index) => index * 10);

function verdict(quantity: string, value: (index: number) => number): ReturnType<typeof judge> {
  return judge({ process: 'one', quantity, seconds: times, values: times.map((_, i) => value(i)) });
}

const mebibyte = 2 ** 20;

it('takes noise and a warm-up for flat', () => {
  expect(verdict('descriptors', (i) => 30 + (i % 3)).isFlat).toBe(true);
  expect(verdict('threads', (i) => Math.min(11, 5 + i)).isFlat).toBe(true);
  const saturating = verdict('anonymous', (i) => (100 - 60 / (i + 1) + (i % 5)) * mebibyte);
  expect(saturating.isFlat).toBe(true);
});

it('sees a count that grows by little, and never comes back', () => {
  const found = verdict('mappings', (i) => 7 + Math.floor(i / 6));
  expect(found.isFlat).toBe(false);
  expect(found.growth).toBeGreaterThan(0);
});

it('sees memory that grows through its noise', () => {
  const noise = (i: number): number => ((i * 7) % 5) * mebibyte;
  expect(verdict('anonymous', (i) => 80 * mebibyte + noise(i)).isFlat).toBe(true);
  expect(verdict('anonymous', (i) => (80 + i) * mebibyte + noise(i)).isFlat).toBe(false);
  expect(verdict('heap', (i) => (8 + i / 5) * mebibyte).isFlat).toBe(false);
});

it('lets a single sample far off prove nothing', () => {
  expect(verdict('anonymous', (i) => (i === 28 ? 900 : 80) * mebibyte).isFlat).toBe(true);
  expect(verdict('files', (i) => (i === 28 ? 9 : 5)).isFlat).toBe(true);
});
