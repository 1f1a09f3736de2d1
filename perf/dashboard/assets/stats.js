"use strict";
// Medians and intervals. The values are one a round: rounds are independent, windows are not.

const RESAMPLES = 2000;
const ENOUGH_ROUNDS = 5; // below, an interval says nothing
const MEMO = new Map();

function median(values) {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// Mulberry32: a small generator with a fixed seed, so that every look shows the same interval.
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function resampled(values, random, buffer) {
  for (let i = 0; i < values.length; i++) buffer[i] = values[Math.floor(random() * values.length)];
  return median(buffer);
}

// How many times as good `own` is as `base` (lower values are better, so base / own), with the
// bootstrap's 95 % interval of the ratio of medians.
function ratio(base, own) {
  const random = generator(1);
  const left = new Float64Array(base.length);
  const right = new Float64Array(own.length);
  const found = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) {
    found[i] = resampled(base, random, left) / resampled(own, random, right);
  }
  found.sort();
  return {
    ratio: median(base) / median(own),
    low: found[Math.floor(0.025 * (RESAMPLES - 1))],
    high: found[Math.ceil(0.975 * (RESAMPLES - 1))],
    rounds: Math.min(base.length, own.length),
  };
}

// The same of two measurements, kept; undefined where one is missing.
function ratioOf(index, baseResult, baseSide, ownResult, ownSide) {
  const base = measured(baseResult, baseSide, index);
  const own = measured(ownResult, ownSide, index);
  if (!base || !own) return undefined;
  const key = [index, baseResult.key, baseSide, ownResult.key, ownSide].join("|");
  if (!MEMO.has(key)) MEMO.set(key, { ...ratio(base.m, own.m), exact: CASES[index].unit !== "second" });
  return MEMO.get(key);
}

// "slower" and "faster" only where the whole interval says so. Bytes and instructions are counted,
// so that one round is enough of them.
function judge(found) {
  if (!found.exact && found.rounds < ENOUGH_ROUNDS) return "few";
  if (found.high < 1) return "slower";
  return found.low > 1 ? "faster" : "unclear";
}

const SIGNS = { slower: "▼", faster: "▲", unclear: "≈", few: "?" };

function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
