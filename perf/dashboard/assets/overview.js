"use strict";
// The overview: the verdict, the machine and what spoils it, what loses first, then all ratios.

function compared(result, side) {
  return chosenCases(result)
    .map((index) => ({ index, found: ratioOf(index, result, BASE, result, side) }))
    .filter(({ found }) => found);
}

function verdict(result, side, cells) {
  if (!side || !cells.length) {
    return make("section", { class: "verdict unclear" }, make("strong", {}, "Nothing to compare: "),
      `this result has no case under both ${BASE} and another implementation.`);
  }
  const kinds = cells.map(({ found }) => found.verdict);
  const count = (kind) => kinds.filter((one) => one === kind).length;
  const told = cells.length - count("few");
  const worst = cells.reduce((a, b) => (a.found.ratio < b.found.ratio ? a : b));
  const tile = (kind, text) => make("div", { class: `tile ${kind}` },
    make("b", {}, `${count(kind)}`), make("span", {}, `${SIGNS[kind]} ${text}`));
  return make("section", { class: `verdict ${count("worse") ? "worse" : count("better") ? "better" : "unclear"}` },
    make("div", { class: "tiles" }, tile("better", "better"), tile("unclear", "no clear difference"), tile("worse", "worse"),
      count("few") ? tile("few", "too few rounds to say") : null),
    make("p", {},
      make("strong", {}, `${side} against ${BASE}: `),
      told ? `worse in ${count("worse") || "none"} of ${told} cells. ` : "no cell has enough rounds to say more than its ratio. ",
      "Its lowest ratio is ", make("a", { href: link("case", { case: CASES[worst.index].id }) }, CASES[worst.index].id),
      ` at ${times(worst.found.ratio)} (${interval(worst.found)}).`),
    make("p", { class: "quiet" },
      `A cell counts as better or worse only where it has at least ${DATA.enough_rounds} rounds and the whole 95 % interval of its ratio says so. The intervals are `
      + "not corrected for their number: of a hundred equal cells about five would be counted by chance."));
}

function machineCard(result) {
  const known = result.metadata;
  const facts = [
    ["CPU", known.cpu_model_name || "not noted"],
    ["usable CPUs", result.cpus ?? "not noted"],
    ["system", known.platform],
    ["virtual machine", known.ftt_virtualised || "no sign of one"],
    ["load average, highest", result.load ?? "not noted"],
    ["calibration loop's spread", result.canary === null ? "not noted" : `${digits(result.canary * 100)} %`],
    ["interpreter", `${result.tag}${known.python_version ? `: ${known.python_version}` : ""}`],
    ["GIL", result.gil === null ? "not noted" : result.gil ? "on" : "off"],
    ["commit", `${result.commit}${result.dirty ? " with changes" : ""} ${result.subject}`],
    ["measured", `${result.when}${known.ftt_tier ? `, tier ${known.ftt_tier}` : ""}`],
  ].filter(([, value]) => value !== undefined);
  return card("The machine",
    make("ul", { class: "cautions" }, result.cautions.map((text) => make("li", {}, text))),
    make("dl", {}, facts.map(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))])));
}

function losing(cells, side) {
  const lost = cells.filter(({ found }) => found.verdict === "worse").sort((a, b) => a.found.ratio - b.found.ratio);
  if (!lost.length) return card("Losing cells", nothing("None: no cell with enough rounds has its whole interval below 1."));
  const rows = lost.map(({ index, found }) => [
    caseLink(index),
    { text: badge(found) },
    interval(found),
  ]);
  const shown = 12;
  const twin = (part) => table([["case", false], [`${side}`, true], ["95 % interval", true]], part, `Cells where ${side} is worse, the worst first`);
  return card(`Losing cells: ${lost.length}`, twin(rows.slice(0, shown)),
    rows.length > shown ? make("details", {}, make("summary", {}, `${rows.length - shown} more`), twin(rows.slice(shown))) : null);
}

// Blue is better, orange worse, grey within 5 %; five strengths on a logarithmic scale. The sign says it without colour.
function heat(ratio) {
  const size = Math.abs(Math.log2(ratio));
  const strength = Math.min(5, Math.ceil(size / 0.4));
  return size < 0.07 ? "h0" : `${ratio < 1 ? "bad" : "good"}${strength}`;
}

function heatCell(members, href) {
  if (!members.length) return { text: "" };
  const mean = geometricMean(members.map(({ found }) => found.ratio));
  const lost = members.filter(({ found }) => found.verdict === "worse").length;
  const low = Math.min(...members.map(({ found }) => found.ratio));
  const label = members.length > 1 ? `geometric mean of ${members.length} cells, lowest ${times(low)}, ${lost} worse` : interval(members[0].found);
  return {
    kind: `heat ${heat(mean)}`,
    text: make("a", { href, title: label },
      make("b", {}, times(mean)),
      make("small", {}, lost ? `▼ ${members.length > 1 ? `${lost} of ${members.length}` : "worse"}` : members.length > 1 ? `low ${times(low)}` : "")),
  };
}

function heatTable(cells) {
  const timed = cells.filter(({ index }) => TIMED.includes(CASES[index].kind));
  if (!timed.length) return null;
  const counts = unique(timed.map(({ index }) => CASES[index].threads)).sort((a, b) => a - b);
  const one = get("primitive");
  const rowOf = (index) => {
    const item = CASES[index];
    return one ? groupName(item) + (item.section === null ? "" : `, ${sectionName(item.section)}`) : item.primitive;
  };
  const rows = unique(timed.map(({ index }) => rowOf(index))).map((name) => {
    const members = timed.filter(({ index }) => rowOf(index) === name);
    const lowest = Math.min(...members.map(({ found }) => found.ratio));
    return { name, members, lowest };
  }).sort((a, b) => a.lowest - b.lowest);
  return card("Ratios by primitive and threads",
    make("p", { class: "quiet" }, one
      ? "Each cell is one case. "
      : "Each cell is the geometric mean of its cases; below it the lowest one, or how many are worse. A primitive's name opens its cases. ",
      "Above 1× is better. The row with the lowest ratio stands first."),
    table([[one ? "case" : "primitive", false], ...counts.map((count) => [threadsName(count), false])],
      rows.map(({ name, members }) => [
        one ? { text: name, kind: "id" } : { text: name, href: link("overview", { primitive: name }), kind: "id" },
        ...counts.map((count) => {
          const here = members.filter(({ index }) => CASES[index].threads === count);
          return heatCell(here, one && here.length ? link("case", { case: CASES[here[0].index].id }) : link("threads", { primitive: one || name, section: "all" }));
        }),
      ]), "Ratios by primitive and threads"));
}

function exactTable(result, cells, side) {
  const exact = cells.filter(({ index }) => ["memory", "instructions"].includes(CASES[index].kind));
  if (!exact.length) return null;
  return card("Bytes and instructions",
    make("p", { class: "quiet" }, "They hardly vary from run to run, so that even a noisy machine can be believed."),
    table([["case", false], [BASE, true], [side, true], ["ratio", true]], exact.map(({ index, found }) => [
      caseLink(index),
      amount(measured(result, BASE, index).y, CASES[index].unit),
      amount(measured(result, side, index).y, CASES[index].unit),
      { text: badge(found) },
    ]), "Bytes and instructions"));
}

function programs(result, cells, side) {
  const found = cells.filter(({ index }) => CASES[index].kind === "program").sort((a, b) => a.found.ratio - b.found.ratio);
  if (!found.length) return null;
  return card("Whole programs",
    make("p", { class: "quiet" }, `How many times as fast an unmodified program runs under ${side}; the bar is the 95 % interval.`),
    forest(found, `${side} against ${BASE}`, result, BASE, result, side));
}

function showOverview(result) {
  const side = rival(result);
  const cells = side ? compared(result, side) : [];
  return [
    heading("Overview", `Everything here comes from one result, ${resultName(result)}.`),
    verdict(result, side, cells),
    make("div", { class: "columns" }, side && cells.length ? losing(cells, side) : null, machineCard(result)),
    side ? heatTable(cells) : null,
    side ? programs(result, cells, side) : null,
    side ? exactTable(result, cells, side) : null,
  ];
}
