"use strict";
// Charts in one style: colours that colour-blind readers can tell apart (Okabe and Ito's), a dash
// and a marker of its own for each implementation, and a table of the same numbers beside each.

const LOOKS = {
  threading: { light: "#c25400", dark: "#ff9a52", dash: "dash", symbol: "square" },
  ftthreading: { light: "#0063a8", dark: "#56b4e9", dash: "solid", symbol: "circle" },
  native: { light: "#00795a", dark: "#2fd0a3", dash: "dashdot", symbol: "diamond" },
  floor: { light: "#767676", dark: "#9a9a9a", dash: "dot", symbol: "x" },
};
const OTHERS = [
  { light: "#a3447c", dark: "#e59ac4", dash: "longdash", symbol: "triangle-up" },
  { light: "#7a6a00", dark: "#f0e442", dash: "longdashdot", symbol: "star" },
];

function look(side) {
  const others = SIDES.filter((name) => !LOOKS[name]);
  const found = LOOKS[side] || OTHERS[others.indexOf(side) % OTHERS.length];
  return { ...found, color: dark() ? found.dark : found.light };
}

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// As in page.css. Not innerWidth: a phone that zooms out to show all says more than it has.
const NARROW = matchMedia("(max-width: 600px)");

function narrow() {
  return NARROW.matches;
}

function axis(title, more = {}) {
  return {
    title: { text: title, font: { size: 12 }, standoff: 8 },
    gridcolor: style("--grid"),
    linecolor: style("--line"),
    zeroline: false,
    automargin: true,
    fixedrange: narrow(), // a finger on a chart is there to scroll the page
    ...more,
  };
}

function layout(more = {}) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: style("--text") },
    margin: { l: 54, r: 12, t: 22, b: 40 },
    height: 290,
    showlegend: true,
    legend: { orientation: "h", y: -0.26, x: 0, font: { size: 12 }, traceorder: "normal" },
    hoverlabel: { bgcolor: style("--card"), bordercolor: style("--line"), font: { color: style("--text") } },
    hovermode: "x unified",
    dragmode: narrow() ? false : "zoom",
    ...more,
  };
}

const CONFIG = {
  displaylogo: false,
  responsive: true,
  displayModeBar: false, // it covers small charts; dragging zooms, a double click undoes it
};

// A chart is drawn when it comes near the screen: a page of a hundred opens at once.
const DRAW = new WeakMap();
const SEEN = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((one) => one.isIntersecting)) {
    SEEN.unobserve(entry.target);
    DRAW.get(entry.target)();
  }
}, { rootMargin: "400px" });

function chart(traces, shape, label) {
  const node = make("div", { class: "chart", role: "img", "aria-label": label });
  node.style.minHeight = `${shape.height || 300}px`;
  DRAW.set(node, () => Plotly.newPlot(node, traces, shape, CONFIG));
  SEEN.observe(node);
  return node;
}

function forget(root) {
  for (const node of root.querySelectorAll(".chart")) {
    SEEN.unobserve(node);
    if (node.data) Plotly.purge(node);
  }
}

// A chart, what it shows, and its table; in a grid of many the table waits to be opened.
function panel(title, traces, shape, twin, open = false, note = "") {
  return make(
    "figure",
    { class: "panel" },
    make("figcaption", {}, title),
    note ? make("p", { class: "quiet" }, note) : null,
    chart(traces, shape, `Chart: ${title instanceof Node ? title.textContent : title}. Its numbers are in the table below it.`),
    make("details", { open }, make("summary", {}, "Table"), twin),
  );
}

// One line with what its rounds spanned, from points {x, y, low, high, text}.
function curve(side, points) {
  const { color, dash, symbol } = look(side);
  const xs = points.map((point) => point.x);
  const edge = { x: xs, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  const band = points.every((point) => point.low !== undefined && point.low > 0)
    ? [
        { ...edge, y: points.map((point) => point.low) },
        { ...edge, y: points.map((point) => point.high), fill: "tonexty", fillcolor: `${color}2b` },
      ]
    : [];
  return [
    ...band,
    {
      x: xs,
      y: points.map((point) => point.y),
      name: side,
      mode: "lines+markers",
      line: { color, dash, width: 2.5 },
      marker: { color, symbol, size: 8 },
      text: points.map((point) => point.text),
      hovertemplate: "%{text}",
    },
  ];
}
