"use strict";
// Any two results or implementations, case by case, with intervals.

function showCompare(result) {
  const options = wantedResults().map((one) => [one.key, resultName(one)]);
  const left = RESULT_OF.get(get("a")) || result;
  const right = RESULT_OF.get(get("b")) || result;
  const leftSides = sidesOf(left);
  const rightSides = sidesOf(right);
  const leftSide = leftSides.includes(get("as")) ? get("as") : leftSides[0];
  const rightSide = rightSides.includes(get("bs")) ? get("bs") : rival(right) || rightSides[0];
  const cells = chosenCases(left)
    .map((index) => ({ index, found: ratioOf(index, left, leftSide, right, rightSide) }))
    .filter(({ found }) => found)
    .sort((a, b) => a.found.ratio - b.found.ratio);
  const warnings = [];
  if (left.machine !== right.machine) warnings.push("Two machines: the ratios are of the machines as much as of the code.");
  if (left.tag !== right.tag) warnings.push("Two interpreters: the ratios are of the interpreters too.");
  if (left !== right) warnings.push("The two were not measured by turns: what the machine did meanwhile is in the ratios. `python -m perf ab` measures two commits by turns.");
  const known = new Set(options.map(([key]) => key));
  for (const one of [left, right]) if (!known.has(one.key)) options.push([one.key, resultName(one)]) && known.add(one.key);
  return [
    heading("Comparison", "How many times as good the second is as the first, with the 95 % bootstrap interval of the ratio of medians. "
      + "Right of the line is better; the worst stands first."),
    make("div", { class: "controls" },
      choice("a", "First (base)", options, left.key), choice("as", "its implementation", leftSides.map((side) => [side, side]), leftSide),
      choice("b", "Second", options, right.key), choice("bs", "its implementation", rightSides.map((side) => [side, side]), rightSide)),
    warnings.length ? make("ul", { class: "cautions" }, warnings.map((text) => make("li", {}, text))) : null,
    cells.length
      ? forest(cells, `${rightSide} against ${leftSide}`, left, leftSide, right, rightSide)
      : nothing("The two have no case in common."),
  ];
}

function forest(cells, title, left, leftSide, right, rightSide) {
  const small = narrow();
  const step = small ? 38 : 24;
  const colors = { slower: style("--bad"), faster: style("--good"), unclear: style("--quiet"), few: style("--quiet") };
  const symbols = { slower: "triangle-left", faster: "triangle-right", unclear: "circle", few: "circle-open" };
  const names = { slower: "worse", faster: "better", unclear: "no clear difference", few: "too few rounds to say" };
  const traces = Object.keys(names).map((kind) => {
    const own = cells.map((cell, place) => ({ ...cell, y: place })).filter(({ found }) => judge(found) === kind);
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
  const value = (result, side, index) => amount(median(measured(result, side, index).m), CASES[index].unit);
  const twin = table([["case", false], [leftSide, true], [left === right ? rightSide : `${rightSide}, second`, true], ["ratio", true], ["95 % interval", true], ["rounds", true]],
    cells.map(({ index, found }) => [caseLink(index), value(left, leftSide, index), value(right, rightSide, index), { text: badge(found) }, interval(found), found.rounds]), title);
  return panel(title, traces, shape, twin, false);
}
