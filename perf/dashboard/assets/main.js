"use strict";
// Puts the view that the address names on the page, with the filters above it.

const VIEWS = {
  overview: ["Overview", showOverview],
  threads: ["Threads", showThreads],
  sections: ["Critical section", showSections],
  latency: ["Latency", showLatency],
  costs: ["Fairness and CPU", showCosts],
  history: ["History", showHistory],
  compare: ["Compare", showCompare],
  case: ["Cases", showCase],
};

function navigation(current) {
  return Object.entries(VIEWS).map(([name, [title]]) =>
    make("a", { href: link(name), "aria-current": name === current ? "page" : null }, title));
}

function filters(result) {
  const tags = unique(RESULTS.map((one) => one.tag)).sort();
  const primitives = unique(casesOf(result).map((index) => CASES[index].primitive)).sort();
  const hidden = get("hide").split(",").filter(Boolean);
  const side = rival(result);
  return [
    choice("result", "Result", wantedResults().map((one) => [one.key, resultName(one)]), result.key),
    choice("tag", "Interpreter", [["", "all"], ...tags.map((tag) => [tag, tag])], get("tag")),
    choice("primitive", "Primitive", [["", "all"], ...primitives.map((name) => [name, name])], get("primitive")),
    rivalsOf(result).length > 1 ? choice("rival", `Against ${BASE}`, rivalsOf(result).map((name) => [name, name]), side) : null,
    make("fieldset", {}, make("legend", {}, "Implementations"),
      sidesOf(result).map((name) => {
        const box = make("input", { type: "checkbox", name: "side", value: name, checked: !hidden.includes(name),
          onchange: () => change({ hide: (hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name]).join(",") }) });
        const key = make("i", { class: `key ${look(name).dash}`, "aria-hidden": "true" });
        key.style.color = look(name).color;
        return make("label", { class: "tick" }, box, key, name);
      })),
  ];
}

function render() {
  const root = document.getElementById("view");
  const named = address().view;
  const view = VIEWS[named] ? named : "overview";
  const result = chosenResult() || RESULTS[0];
  const focus = document.activeElement?.name;
  forget(root);
  document.title = `${VIEWS[view][0]} · ftthreading lock throughput`;
  document.getElementById("views").replaceChildren(...navigation(view));
  document.getElementById("filters").replaceChildren(...filters(result).filter(Boolean));
  root.replaceChildren(...VIEWS[view][1](result).flat().filter(Boolean));
  root.dataset.view = view;
  // The control that was just used is a new element now; its user goes on from there.
  if (focus) document.querySelector(`[name="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
  // Not by scrollIntoView: in newer browsers Tab would begin there, past the link to the content.
  const nav = document.getElementById("views"), here = nav.querySelector("[aria-current]");
  if (!here) return;
  const [wide, its] = [nav, here].map((one) => one.getBoundingClientRect());
  nav.scrollLeft += its.left - wide.left - (wide.width - its.width) / 2;
}

function about() {
  const left = DATA.left_out ? ` ${DATA.left_out} older results were left out.` : "";
  return `Written ${DATA.written} from ${RESULTS.length} ${RESULTS.length === 1 ? "result" : "results"} by python -m perf dash.${left} `
    + `Ratios above 1 are better. Charts: Plotly ${DATA.plotly}. This page makes no request.`;
}

document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address is the state
  document.getElementById("view").focus();
});
document.getElementById("theme").addEventListener("click", () => {
  turnTheme();
  render();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  showTheme();
  render();
});
addEventListener("hashchange", () => {
  const before = document.getElementById("view").dataset.view;
  render();
  if (address().view !== before) scrollTo(0, 0);
});
NARROW.addEventListener("change", render);
document.getElementById("about").textContent = about();
showTheme();
render();
