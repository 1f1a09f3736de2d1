"use strict";
// The results as perf/dashboard/data.py wrote them, newest first, and words for their numbers.

const DATA = JSON.parse(document.getElementById("results").textContent);
const CASES = DATA.cases;
const RESULTS = DATA.results;
const SIDES = DATA.sides;
const BASE = DATA.base;
const BOUNDS = ["native", "floor"]; // what bounds the others, and is no rival
const TIMED = ["uncontended", "contended", "handoff", "latency", "thread", "queue"];
const CASE_OF = new Map(CASES.map((item, index) => [item.id, index]));
const RESULT_OF = new Map(RESULTS.map((result) => [result.key, result]));

// One implementation's measurement of a case, or undefined.
function measured(result, side, index) {
  return result && result.impls[side] && result.impls[side][index];
}

function casesOf(result) {
  return CASES.map((_, index) => index).filter((index) =>
    SIDES.some((side) => measured(result, side, index)),
  );
}

function sidesOf(result) {
  return SIDES.filter((side) => result && result.impls[side]);
}

function rivalsOf(result) {
  return sidesOf(result).filter((side) => side !== BASE && !BOUNDS.includes(side));
}

function unique(values) {
  return [...new Set(values)];
}

function digits(value, count = 3) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 10 ** count
    ? Math.round(value).toLocaleString("en-GB")
    : Number(value.toPrecision(count)).toString();
}

function scaled(value, units) {
  const [unit, size] = units.find(([, least]) => Math.abs(value) >= least) || units.at(-1);
  return `${digits(value / size)} ${unit}`;
}

function seconds(value) {
  if (value === 0) return "0 s";
  return scaled(value, [["s", 1], ["ms", 1e-3], ["µs", 1e-6], ["ns", 1e-9]]);
}

function rate(value) {
  return scaled(value, [["G/s", 1e9], ["M/s", 1e6], ["k/s", 1e3], ["/s", 1]]);
}

function amount(value, unit) {
  if (unit === "second") return seconds(value);
  return unit === "byte" ? `${digits(value, 4)} B` : digits(value, 4);
}

function times(ratio) {
  if (!Number.isFinite(ratio)) return "–";
  return `${ratio >= 100 ? Math.round(ratio).toLocaleString("en-GB") : ratio.toPrecision(ratio >= 10 ? 3 : 3)}×`;
}

function interval(found) {
  if (!found) return "";
  return found.verdict === "few" ? "too few rounds" : `${times(found.low)} to ${times(found.high)}`;
}

function sectionName(ns) {
  if (ns === null) return "none";
  return ns === 0 ? "0" : seconds(ns / 1e9);
}

// 0 where the number is not the case's to choose.
function threadsName(count) {
  if (count === 0) return "its own threads";
  return `${count} ${count === 1 ? "thread" : "threads"}`;
}

// What a case is, without its number of threads and its section.
function groupName(item) {
  return `${item.primitive}.${item.operation}${item.shape ? ` (${item.shape})` : ""}`;
}

function caseName(item) {
  const parts = [groupName(item)];
  if (item.threads) parts.push(threadsName(item.threads));
  if (item.section) parts.push(`section ${sectionName(item.section)}`);
  return parts.join(", ");
}

function resultName(result) {
  const commit = result.commit.slice(0, 7) + (result.dirty ? "+" : "");
  return `${result.tag} · ${commit} · ${result.when.slice(0, 16)} · ${machineName(result)}`;
}

function machineName(result) {
  const model = result.metadata.cpu_model_name;
  const cpus = result.cpus ? `${result.cpus} CPUs` : "";
  return [model, cpus].filter(Boolean).join(", ") || result.machine;
}
