"use strict";
// One result against its base, or against an earlier result of its machine and interpreter.

function showCompare(result) {
  const side = rival(result);
  const known = DATA.comparisons.filter(({ own }) => own[0] === result.key && own[1] === side).reverse();
  const options = known.map(({ base: [key, baseSide] }) => [`${key} ${baseSide}`, key === result.key ? `${baseSide}, same result` : resultName(RESULT_OF.get(key))]);
  const place = Math.max(0, options.findIndex(([value]) => value === get("against")));
  if (!known.length) return [heading("Comparison", ""), nothing("This result has nothing to be compared with.")];
  const [key, baseSide] = known[place].base;
  const left = RESULT_OF.get(key);
  const cells = chosenCases(result)
    .map((index) => ({ index, found: ratioOf(index, left, baseSide, result, side) }))
    .filter(({ found }) => found)
    .sort((a, b) => a.found.ratio - b.found.ratio);
  return [
    heading("Comparison", "How many times as good this result is as another, with the 95 % bootstrap interval of the ratio of medians. "
      + "Right of the line is better; the worst stands first. Every result can be held against the one before it of its machine "
      + "and interpreter, and the newest one against all; `python -m perf compare` compares any two."),
    make("div", { class: "controls" }, choice("against", `${side} of this result, against`, options, options[place][0])),
    left === result ? null : make("ul", { class: "cautions" }, make("li", {},
      "The two were not measured by turns: what the machine did meanwhile is in the ratios. `python -m perf ab` measures two commits by turns.")),
    cells.length
      ? forest(cells, `${side} against ${baseSide}${left === result ? "" : ` of ${left.when}`}`, left, baseSide, result, side)
      : nothing("The two have no case in common."),
  ];
}

function forest(cells, title, left, leftSide, right, rightSide) {
  const small = narrow();
  const step = small ? 38 : 24;
  const colors = { worse: style("--bad"), better: style("--good"), unclear: style("--quiet"), few: style("--quiet") };
  const symbols = { worse: "triangle-left", better: "triangle-right", unclear: "circle", few: "circle-open" };
  const names = { worse: "worse", better: "better", unclear: "no clear difference", few: "too few rounds to say" };
  const traces = Object.keys(names).map((kind) => {
    const own = cells.map((cell, place) => ({ ...cell, y: place })).filter(({ found }) => found.verdict === kind);
    return {
      x: own.map(({ found }) => found.ratio),
      y: own.map(({ y }) => y),
      error_x: {
        type: "data", symmetric: false, thickness: 2, width: 4, color: colors[kind],
        array: own.map(({ found }) => found.high - found.ratio),
        arrayminus: own.map(({ found }) => found.ratio - found.low),
      },
      name: `${names[kind]} (${own.length})`,
      mode: "markers",
      marker: { color: colors[kind], symbol: symbols[kind], size: 10 },
      text: own.map(({ index, found }) => `${CASES[index].id}: ${times(found.ratio)} (${interval(found)})`),
      hovertemplate: "%{text}<extra></extra>",
    };
  }).filter((trace) => trace.x.length);
  const labels = cells.map(({ index }) => CASES[index].id);
  const shape = layout({
    height: cells.length * step + 110,
    hovermode: "closest",
    margin: { l: small ? 12 : 60, r: 16, t: 30, b: 48 },
    legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0 },
    xaxis: axis("times as good (above 1: the second is better)", { type: "log" }),
    yaxis: { autorange: false, range: [cells.length - 0.4, -0.8], tickvals: small ? [] : labels.map((_, place) => place), ticktext: labels, automargin: true, gridcolor: style("--grid"), zeroline: false, fixedrange: true, tickfont: { size: 12 } },
    shapes: [{ type: "line", x0: 1, x1: 1, y0: 0, y1: 1, yref: "paper", line: { color: style("--text"), width: 1, dash: "dot" } }],
    annotations: small ? labels.map((text, y) => ({ x: 0, xref: "paper", xanchor: "left", y, yshift: 14, text, showarrow: false, font: { size: 11, color: style("--quiet") } })) : [],
  });
  const value = (result, side, index) => amount(measured(result, side, index).y, CASES[index].unit);
  const twin = table([["case", false], [leftSide, true], [left === right ? rightSide : `${rightSide}, second`, true], ["ratio", true], ["95 % interval", true], ["rounds", true]],
    cells.map(({ index, found }) => [caseLink(index), value(left, leftSide, index), value(right, rightSide, index), { text: badge(found) }, interval(found), found.rounds]), title);
  return panel(title, traces, shape, twin, false);
}
