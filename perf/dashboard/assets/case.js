"use strict";
// One case: how its values lie, round by round, what is known of it, and how to see it again.

function showCase(result) {
  const indexes = chosenCases(result);
  const named = CASE_OF.get(get("case"));
  const index = casesOf(result).includes(named) ? named : indexes[0];
  if (index === undefined) return [heading("Case", ""), nothing("This result has no case of that name.")];
  const listed = indexes.includes(index) ? indexes : [index, ...indexes];
  const sides = chosenSides(result).filter((side) => measured(result, side, index));
  return [
    heading(CASES[index].id, `${caseName(CASES[index])}. Kind: ${CASES[index].kind}. Result: ${resultName(result)}.`),
    make("div", { class: "controls" }, choice("case", "Case", listed.map((one) => [CASES[one].id, CASES[one].id]), CASES[index].id),
      make("a", { class: "button", href: link("history", { case: CASES[index].id }) }, "Its history")),
    summary(result, index, sides),
    make("div", { class: "grid" }, distribution(result, index, sides), byRound(result, index, sides)),
    reproduction(result, index),
    details(result, index, sides),
  ];
}

function summary(result, index, sides) {
  const unit = CASES[index].unit;
  const names = unique(sides.flatMap((side) => Object.keys(measured(result, side, index).x))).filter((name) => name !== "canary");
  const asText = (name, value) => {
    if (value === undefined) return "";
    return ["cpu", "p50", "p99", "p999", "max"].includes(name) ? seconds(value) : digits(value);
  };
  const words = { cpu: "CPU, one operation", switches: "switches, one operation", jain: "fairness", overlap: "overlap", rejected: "rejected windows", p50: "50 %", p99: "99 %", p999: "99.9 %", max: "longest" };
  const title = unit === "second" ? "Seconds for one operation, and what it cost" : `${unit}, medians of rounds`;
  return card(title, table(
    [["implementation", false], ["median", true], ["rounds' range", true], [`against ${BASE}`, true], ["95 % interval", true], ...names.map((name) => [words[name] || name, true])],
    sides.map((side) => {
      const one = measured(result, side, index);
      const found = side === BASE ? undefined : ratioOf(index, result, BASE, result, side);
      return [
        side,
        amount(one.y, unit),
        `${amount(Math.min(...one.m), unit)} to ${amount(Math.max(...one.m), unit)}`,
        found ? { text: badge(found) } : "",
        interval(found),
        ...names.map((name) => asText(name, one.x[name])),
      ];
    }), title));
}

function distribution(result, index, sides) {
  const unit = CASES[index].unit;
  const traces = sides.map((side) => {
    const one = measured(result, side, index);
    const { color } = look(side);
    return { type: "box", name: side, y: (one.w || one.m.map((value) => [value])).flat(), boxpoints: "all", jitter: 0.5, pointpos: 0,
      marker: { color, size: 4, opacity: 0.6 }, line: { color, width: 1.5 }, fillcolor: `${color}22`, hoverinfo: "y" };
  });
  const shape = layout({ showlegend: false, hovermode: "closest", xaxis: axis(""),
    yaxis: axis(unit === "second" ? "seconds for one operation" : unit, { exponentformat: "SI", minexponent: 1, ticksuffix: unit === "second" ? "s" : "", rangemode: "tozero" }) });
  const full = sides.some((side) => measured(result, side, index).w);
  const rows = sides.flatMap((side) => (measured(result, side, index).w || []).map((values, place) => [side, place + 1, values.map((value) => amount(value, unit)).join(", ")]));
  const twin = table([["implementation", false], ["round", true], [full ? "windows" : "only medians are kept of older results", false]], rows, "All windows");
  return panel(full ? "Distribution of all windows" : "Distribution of the rounds", traces, shape, twin);
}

function byRound(result, index, sides) {
  const unit = CASES[index].unit;
  const traces = [];
  const rows = [];
  for (const side of sides) {
    const one = measured(result, side, index);
    const points = one.m.map((y, place) => ({ x: place + 1, y, text: amount(y, unit) }));
    traces.push(...curve(side, points));
    one.m.forEach((value, place) => {
      const own = one.r ? one.r[place] : {};
      rows.push([side, place + 1, amount(value, unit), own.cpu === undefined ? "" : seconds(own.cpu), own.switches === undefined ? "" : digits(own.switches), own.jain === undefined ? "" : own.jain.toFixed(3), own.canary === undefined ? "" : seconds(own.canary)]);
    });
  }
  const shape = layout({ xaxis: axis("round", { dtick: 1 }), yaxis: axis(unit === "second" ? "seconds for one operation" : unit, { exponentformat: "SI", minexponent: 1, ticksuffix: unit === "second" ? "s" : "", rangemode: "tozero" }) });
  const twin = table([["implementation", false], ["round", true], ["value", true], ["CPU", true], ["switches", true], ["fairness", true], ["calibration loop", true]], rows, "Values of each round");
  return panel("Round by round", traces, shape, twin);
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function reproduction(result, index) {
  const own = SIDES.map((side) => measured(result, side, index)).find((one) => one && one.command);
  const installed = /^0+$/.test(result.commit); // else measured in a checkout
  const python = installed ? "python" : `.venv/${result.tag}/bin/python`;
  const perf = installed ? "ftthreading.perf" : "perf";
  const tier = result.metadata.ftt_tier ? ` --tier ${result.metadata.ftt_tier}` : "";
  const run = own ? `${python} ${own.command}` : `${python} -m ${perf} run${tier} --only ${quoted(CASES[index].id)}`;
  const text = installed ? run : [`git checkout ${result.commit}`, `ci/env ${result.tag}`, run].join("\n");
  const code = make("pre", { id: "command", tabindex: 0 }, text);
  const button = make("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // a file may not write to the clipboard everywhere
      button.textContent = "Selected";
    }
  } }, "Copy");
  return card("To measure it again", make("div", { class: "command" }, code, button),
    result.dirty ? make("p", { class: "quiet" }, "The work tree had changes then that the commit does not have.") : null);
}

function details(result, index, sides) {
  const rows = Object.entries(result.metadata).map(([name, value]) => [{ text: name, kind: "id" }, String(value)]);
  const files = sides.map((side) => [{ text: `${side}.json.gz`, kind: "id" }, `python -m pyperf show ${result.key}/${side}.json.gz`]);
  return card("What is known of the result",
    table([["metadata", false], ["value", false]], [...rows, ...files], "Metadata that all of its runs have in common, and where its raw values lie below the folder of results"));
}
