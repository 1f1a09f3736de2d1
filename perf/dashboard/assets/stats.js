"use strict";
// Comparisons as perf/analysis/comparison.py made them: the page looks them up and computes none.

const COMPARED = new Map(DATA.comparisons.map((one) => [[...one.base, ...one.own].join("|"), one.cells]));
const SIGNS = { worse: "▼", better: "▲", unclear: "≈", few: "?" };

// How many times as good one case is on the second side, or undefined where it was not compared.
function ratioOf(index, baseResult, baseSide, ownResult, ownSide) {
  const cell = COMPARED.get([baseResult.key, baseSide, ownResult.key, ownSide].join("|"))?.[index];
  if (!cell) return undefined;
  const [ratio, low, high, rounds, verdict] = cell;
  return { ratio, low, high, rounds, verdict };
}

// The colour of several cells.
function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
