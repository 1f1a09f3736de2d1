"use strict";
// Fairness and what throughput was paid with: CPU time, context switches.

const METRICS = {
  jain: ["fairness (Jain's index)", (value) => value.toFixed(3), { range: [0, 1.05] },
    "1 is equal shares, 1/threads is one thread alone."],
  cpu: ["CPU time for one operation", seconds, { rangemode: "tozero", exponentformat: "SI", minexponent: 1, ticksuffix: "s" },
    "Of all threads together, what the section itself needs included."],
  switches: ["context switches for one operation", (value) => digits(value), { rangemode: "tozero" },
    "Each is a thread that slept or was put off its CPU."],
  overlap: ["share of the window in which all threads ran", (value) => value.toFixed(3), { range: [0, 1.05] },
    "Windows with too little of it are thrown away and measured anew."],
};

function showCosts(result) {
  const name = METRICS[get("metric")] ? get("metric") : "jain";
  const [title, text, shape, about] = METRICS[name];
  const indexes = chosenCases(result).filter((index) => CASES[index].threads &&
    chosenSides(result).some((side) => measured(result, side, index)?.x[name] !== undefined));
  const section = sectionChoice(indexes);
  const value = (measurement) => {
    const y = measurement.x[name];
    return y === undefined ? undefined : { y, text: text(y) };
  };
  const panels = [...groups(indexes.filter(section.keeps), "threads")]
    .filter(([, members]) => unique(members.map((index) => CASES[index].threads)).length > 1)
    .map(([groupTitle, members]) => threadsPanel(result, groupTitle, members, value, title, shape));
  return [
    heading("Fairness and CPU", "A lock can buy throughput by letting one thread keep it, or by spinning. Here is what it cost."),
    priceChart(result),
    make("div", { class: "controls" },
      choice("metric", "Over threads", Object.entries(METRICS).map(([key, [words]]) => [key, words]), name), section.control),
    make("p", { class: "quiet" }, about),
    grid(panels, `This result has no ${title} with two numbers of threads.`),
  ];
}

function priceChart(result) {
  const side = rival(result);
  const cells = side ? compared(result, side).filter(({ index }) =>
    measured(result, BASE, index).x.cpu && measured(result, side, index).x.cpu) : [];
  if (!cells.length) return nothing("This result has no CPU times to hold throughput against.");
  const points = cells.map(({ index, found }) => ({
    index,
    found,
    cpu: measured(result, BASE, index).x.cpu / measured(result, side, index).x.cpu,
  }));
  const names = unique(points.map(({ index }) => CASES[index].primitive));
  const symbols = ["circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon", "x", "triangle-down", "pentagon", "bowtie", "hourglass"];
  const colors = dark()
    ? ["#56b4e9", "#ff9a52", "#2fd0a3", "#f0e442", "#e59ac4", "#b8b8b8"]
    : ["#0063a8", "#c25400", "#00795a", "#7a6a00", "#a3447c", "#555555"];
  const traces = names.map((name, place) => {
    const own = points.filter(({ index }) => CASES[index].primitive === name);
    return {
      x: own.map(({ found }) => found.ratio),
      y: own.map(({ cpu }) => cpu),
      name,
      mode: "markers",
      marker: { symbol: symbols[place % symbols.length], color: colors[place % colors.length], size: 9, opacity: 0.85 },
      text: own.map(({ index }) => CASES[index].id),
      hovertemplate: "%{text}<br>%{x:.2f}× operations<br>%{y:.2f}× less CPU<extra></extra>",
    };
  });
  const corner = (x, y, text) => ({ x, y, xref: "paper", yref: "paper", showarrow: false, text,
    xanchor: x ? "right" : "left", yanchor: y ? "top" : "bottom", font: { size: 11, color: style("--quiet") } });
  const one = { color: style("--quiet"), width: 1.5, dash: "dot" };
  const shape = layout({
    height: 420,
    hovermode: "closest",
    xaxis: axis("operations a second, times the base's", { type: "log" }),
    yaxis: axis("base's CPU time for one operation / its own", { type: "log" }),
    shapes: [
      { type: "line", x0: 1, x1: 1, y0: 0, y1: 1, yref: "paper", line: one },
      { type: "line", y0: 1, y1: 1, x0: 0, x1: 1, xref: "paper", line: one },
    ],
    annotations: [corner(0, 0, "slower and dearer"), corner(1, 0, "faster, but dearer"), corner(0, 1, "slower, but cheaper"), corner(1, 1, "faster and cheaper")],
  });
  points.sort((a, b) => a.cpu - b.cpu);
  const twin = table([["case", false], ["operations", true], ["less CPU", true]],
    points.map(({ index, found, cpu }) => [caseLink(index), times(found.ratio), times(cpu)]), "Throughput and CPU time, dearest first");
  return panel(`What throughput is paid with: ${side} against ${BASE}`, traces, shape, twin);
}
