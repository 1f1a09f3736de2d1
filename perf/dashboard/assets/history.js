"use strict";
// A case over commits: one panel for each machine and interpreter, which are never on one line.

function showHistory(result) {
  const indexes = CASES.map((_, index) => index).filter((index) => {
    const primitive = get("primitive");
    return (!primitive || CASES[index].primitive === primitive) && wantedResults().some((one) => SIDES.some((side) => measured(one, side, index)));
  });
  const named = CASE_OF.get(get("case"));
  const most = (index) => RESULTS.filter((one) => measured(one, BASE, index)).length;
  const current = indexes.includes(named) ? named : indexes.reduce((a, b) => (most(b) > most(a) ? b : a), indexes[0]);
  const lines = new Map();
  for (const one of [...wantedResults()].reverse().filter((each) => each.lasting)) {
    const key = `${one.machine}|${one.tag}`;
    if (!lines.has(key)) lines.set(key, []);
    if (SIDES.some((side) => measured(one, side, current))) lines.get(key).push(one);
  }
  const panels = [...lines.values()].filter((line) => line.length).map((line) => historyPanel(line, current));
  return [
    heading("History", "The value of one case by commit, the oldest left. Lower is better. Each machine and each interpreter has a "
      + "chart of its own. A dashed line marks a step: a lasting change of level. Results of the smoke tier are left out: "
      + "its windows are too short for their numbers to mean anything."),
    make("div", { class: "controls" }, current === undefined ? null : choice("case", "Case", indexes.map((index) => [CASES[index].id, CASES[index].id]), CASES[current].id)),
    panels.length ? make("div", { class: "wide" }, panels) : nothing("No result above the smoke tier has this case."),
  ];
}

function historyPanel(line, index) {
  const unit = CASES[index].unit;
  const labels = line.map((one) => `${one.when.slice(5, 10)} ${one.commit.slice(0, 7)}${one.dirty ? "+" : ""}`);
  const traces = [];
  const steps = [];
  const sides = sidesOf({ impls: Object.assign({}, ...line.map((one) => one.impls)) }).filter((side) => !get("hide").split(",").includes(side));
  for (const side of sides) {
    const points = line.flatMap((one, x) => {
      const found = measured(one, side, index);
      if (!found) return [];
      const y = found.y;
      return [{ x, y, low: Math.min(...found.m), high: Math.max(...found.m), text: `${amount(y, unit)} ${one.subject}` }];
    });
    if (points.length) traces.push(...curve(side, points));
    for (const step of DATA.steps.filter((one) => one.side === side && one.case === index)) {
      const at = line.findIndex((one) => one.key === step.key);
      if (at >= 0) steps.push({ at, step });
    }
  }
  const shape = layout({
    height: 340,
    xaxis: axis("", { tickvals: labels.map((_, place) => place), ticktext: labels, tickangle: -40, range: [-0.5, line.length - 0.5] }),
    yaxis: axis(unit === "second" ? "seconds for one operation" : unit, { rangemode: "tozero", exponentformat: "SI", minexponent: 1, ticksuffix: unit === "second" ? "s" : "" }),
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, traceorder: "normal" },
    margin: { l: 54, r: 12, t: 24, b: 70 },
    shapes: steps.map(({ at, step }) => ({ type: "line", x0: at - 0.5, x1: at - 0.5, y0: 0, y1: 1, yref: "paper", line: { color: look(step.side).color, dash: "dash", width: 1.5 } })),
    annotations: steps.map(({ at, step }) => ({ x: at - 0.5, y: 1, yref: "paper", xanchor: "left", yanchor: "top", showarrow: false, text: ` ${step.side} ${times(step.ratio)}`, font: { size: 11, color: look(step.side).color } })),
  });
  const twin = table(
    [["commit", false], ["subject", false], ...sides.map((side) => [side, true])],
    [...line].reverse().map((one) => [
      { text: `${one.when.slice(0, 10)} ${one.commit.slice(0, 7)}${one.dirty ? "+" : ""}`, href: link("overview", { result: one.key }), kind: "id" },
      one.subject,
      ...sides.map((side) => {
        const found = measured(one, side, index);
        return found ? amount(found.y, unit) : "";
      }),
    ]), CASES[index].id);
  const note = line.length < 2 ? "One result so far: there is nothing to follow yet." : "";
  return panel(`${line[0].tag} on ${machineName(line[0])} (${line[0].machine})`, traces, shape, twin, false, note);
}
