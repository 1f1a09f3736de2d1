"use strict";
// Throughput over threads and over the critical section's length, and latencies.

function ofRates(result) {
  return chosenCases(result).filter((index) => CASES[index].unit === "second" && TIMED.includes(CASES[index].kind));
}

function showThreads(result) {
  const indexes = ofRates(result).filter((index) => CASES[index].kind !== "latency" && CASES[index].threads);
  const section = sectionChoice(indexes);
  const log = get("log", "0") === "1";
  const panels = [...groups(indexes.filter(section.keeps), "threads")]
    .filter(([, members]) => unique(members.map((index) => CASES[index].threads)).length > 1)
    .map(([title, members]) => threadsPanel(result, title, members, rateOf, "operations a second, all threads",
      log ? { type: "log" } : { rangemode: "tozero" }));
  return [
    heading("Contention cost", "Operations a second of all threads together, over the number of threads. A lock makes work "
      + "serial, so one thread alone is the fastest: what falls off to the right is the cost of contention. The band spans all rounds."),
    make("div", { class: "controls" }, section.control, tick("log", "logarithmic scale", false)),
    grid(panels, "This result has no case that was measured with two numbers of threads. Another result, or no filter, may."),
  ];
}

function showSections(result) {
  const indexes = ofRates(result).filter((index) => CASES[index].section !== null);
  const counts = unique(indexes.map((index) => CASES[index].threads)).sort((a, b) => a - b);
  const chosen = get("threads", String(counts.find((count) => count > 1) || counts[0] || "all"));
  const log = get("log", "1") === "1";
  const panels = [...groups(indexes.filter((index) => chosen === "all" || String(CASES[index].threads) === chosen), "section")]
    .filter(([, members]) => members.length > 1)
    .map(([title, members]) => sectionPanel(result, title, members, log));
  return [
    heading("Critical section", "Operations a second over the time that a thread works inside the lock. With long sections "
      + "the lock itself hardly counts, and the curves meet."),
    make("div", { class: "controls" },
      counts.length ? choice("threads", "Threads", [["all", "all"], ...counts.map((count) => [String(count), String(count)])], chosen) : null,
      tick("log", "logarithmic scale", true)),
    grid(panels, "This result has no case that was measured with two lengths of the critical section."),
  ];
}

function sectionPanel(result, title, members, log) {
  const lengths = unique(members.map((index) => CASES[index].section)).sort((a, b) => a - b);
  const traces = [];
  const columns = [];
  for (const side of chosenSides(result)) {
    const found = new Map();
    for (const index of members) {
      const one = measured(result, side, index);
      if (one) found.set(CASES[index].section, rateOf(one));
    }
    if (!found.size) continue;
    const points = lengths.filter((ns) => found.has(ns)).map((ns) => ({ x: lengths.indexOf(ns), ...found.get(ns) }));
    traces.push(...curve(side, points));
    columns.push([side, found]);
  }
  if (!traces.length) return null;
  const shape = layout({
    xaxis: axis("critical section (steps, not to scale)", { tickvals: lengths.map((_, place) => place), ticktext: lengths.map(sectionName) }),
    yaxis: axis("operations a second, all threads", log ? { type: "log" } : { rangemode: "tozero" }),
  });
  const twin = table(
    [["section", true], ...columns.map(([side]) => [side, true])],
    lengths.map((ns) => [
      { text: sectionName(ns), href: link("case", { case: CASES[members.find((index) => CASES[index].section === ns)].id }) },
      ...columns.map(([, found]) => (found.has(ns) ? found.get(ns).text : "")),
    ]), title);
  return panel(title, traces, shape, twin);
}

const PERCENTILES = [["p50", "50 %"], ["p99", "99 %"], ["p999", "99.9 %"], ["max", "longest"]];

function showLatency(result) {
  const indexes = chosenCases(result).filter((index) =>
    chosenSides(result).some((side) => measured(result, side, index)?.x.p50 !== undefined));
  const log = get("log", "1") === "1";
  const panels = indexes.map((index) => latencyPanel(result, index, log));
  return [
    heading("Latency", "How long one operation takes: half of all are below the first point, 99 % below the second. Medians of the "
      + "rounds. Closed loop: the next operation starts when the last one is over. Open loop: they start at set times, "
      + "late or not, so that one stall is felt by all that queue behind it."),
    make("div", { class: "controls" }, tick("log", "logarithmic scale", true)),
    grid(panels, "This result has no case with latencies. They come with a tier that has cases of the kind “latency”."),
  ];
}

function latencyPanel(result, index, log) {
  const traces = [];
  const rows = [];
  for (const side of chosenSides(result)) {
    const one = measured(result, side, index);
    if (!one || one.x.p50 === undefined) continue;
    const points = PERCENTILES.filter(([key]) => one.x[key] !== undefined)
      .map(([key], place) => ({ x: place, y: one.x[key], text: seconds(one.x[key]) }));
    traces.push(...curve(side, points));
    rows.push([side, ...PERCENTILES.map(([key]) => (one.x[key] === undefined ? "" : seconds(one.x[key]))), one.loop || "not noted"]);
  }
  if (!traces.length) return null;
  const shape = layout({
    xaxis: axis("share of operations that took at most", { tickvals: [0, 1, 2, 3], ticktext: PERCENTILES.map(([, text]) => text), range: [-0.2, 3.2] }),
    yaxis: axis("seconds", { ...(log ? { type: "log" } : { rangemode: "tozero" }), exponentformat: "SI", minexponent: 1, ticksuffix: "s" }),
  });
  const title = make("a", { href: link("case", { case: CASES[index].id }) }, CASES[index].id);
  const twin = table([["implementation", false], ...PERCENTILES.map(([, text]) => [text, true]), ["loop", false]], rows, CASES[index].id);
  return panel(title, traces, shape, twin);
}
