"use strict";
// Curves over the number of threads, which several views share.

// Cases that differ in their threads only, by what they have in common.
function groups(indexes, varying) {
  const found = new Map();
  for (const index of indexes) {
    const item = CASES[index];
    const parts = [groupName(item)];
    if (varying !== "section" && item.section !== null) parts.push(`section ${sectionName(item.section)}`);
    if (varying !== "threads") parts.push(threadsName(item.threads));
    const name = parts.join(", ");
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(index);
  }
  for (const members of found.values()) {
    members.sort((a, b) => CASES[a].threads - CASES[b].threads || (CASES[a].section || 0) - (CASES[b].section || 0));
  }
  return found;
}

// Where there are more threads than CPUs they share them: shaded, and never called scaling.
function cpuMarks(cpus, most) {
  if (!cpus) return { shapes: [], annotations: [] };
  const at = Math.log2(cpus);
  const right = Math.log2(most) + 0.3;
  const over = right > at + 0.4;
  return {
    shapes: [
      { type: "line", x0: at, x1: at, y0: 0, y1: 1, yref: "paper", line: { color: style("--quiet"), width: 1.5, dash: "dot" } },
      ...(over ? [{ type: "rect", x0: at, x1: right, y0: 0, y1: 1, yref: "paper", fillcolor: style("--shade"), line: { width: 0 }, layer: "below" }] : []),
    ],
    annotations: over
      ? [{ x: right, y: 1, yref: "paper", xanchor: "right", yanchor: "bottom", showarrow: false, text: `over ${cpus} CPUs: oversubscribed`, font: { size: 11, color: style("--quiet") } }]
      : [],
  };
}

// value(measurement, item) gives {y, low, high, text} or undefined.
function threadsPanel(result, title, indexes, value, yTitle, more = {}) {
  const counts = unique(indexes.map((index) => CASES[index].threads));
  const traces = [];
  const columns = [];
  for (const side of chosenSides(result)) {
    const points = [];
    const column = new Map();
    for (const index of indexes) {
      const found = measured(result, side, index) && value(measured(result, side, index), CASES[index]);
      if (!found) continue;
      points.push({ x: Math.log2(CASES[index].threads), ...found });
      column.set(CASES[index].threads, found.text);
    }
    if (!points.length) continue;
    traces.push(...curve(side, points));
    columns.push([side, column]);
  }
  if (!traces.length) return null;
  const marks = cpuMarks(result.cpus, Math.max(...counts));
  const shape = layout({
    ...marks,
    xaxis: axis("threads", {
      tickvals: counts.map(Math.log2),
      ticktext: counts.map(String),
      range: [Math.log2(Math.min(...counts)) - 0.3, Math.log2(Math.max(...counts)) + 0.3],
    }),
    yaxis: axis(yTitle, more),
  });
  const byThreads = new Map(indexes.map((index) => [CASES[index].threads, index]));
  const twin = table(
    [["threads", true], ...columns.map(([side]) => [side, true])],
    counts.map((count) => [
      { text: count, href: link("case", { case: CASES[byThreads.get(count)].id }) },
      ...columns.map(([, column]) => column.get(count) || ""),
    ]),
    title,
  );
  return panel(title, traces, shape, twin);
}

function rateOf(measurement) {
  const y = 1 / measurement.y;
  const low = 1 / Math.max(...measurement.m);
  const high = 1 / Math.min(...measurement.m);
  return { y, low, high, text: `${rate(y)} (${rate(low)} to ${rate(high)})` };
}

function grid(panels, otherwise) {
  const found = panels.filter(Boolean);
  return found.length ? make("div", { class: "grid" }, found) : nothing(otherwise);
}

// The choice of one section length for views that draw a panel for each.
function sectionChoice(indexes) {
  const known = unique(indexes.map((index) => CASES[index].section)).filter((ns) => ns !== null);
  known.sort((a, b) => a - b);
  const options = [["all", "all"], ...known.map((ns) => [String(ns), sectionName(ns)])];
  const current = get("section", known.length ? String(known[0]) : "all");
  return {
    control: known.length > 1 ? choice("section", "Critical section", options, current) : null,
    keeps: (index) => current === "all" || CASES[index].section === null || String(CASES[index].section) === current,
  };
}
