"use strict";
// Elements of the page. Texts are set as text, never parsed: names in results stay names.

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

// heads: [text, isNumber]; rows: arrays of text, elements, or {text, kind, href}.
function table(heads, rows, caption) {
  const cell = (value, column) => {
    const it = value !== null && typeof value === "object" && !(value instanceof Node) ? value : { text: value };
    const inner = it.href ? make("a", { href: it.href }, String(it.text)) : it.text;
    const kinds = [heads[column][1] ? "number" : "", it.kind || ""].join(" ").trim();
    return make("td", { class: kinds || null }, inner instanceof Node ? inner : String(inner ?? ""));
  };
  return make(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    make(
      "table",
      {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, heads.map(([text, number]) =>
        make("th", { scope: "col", class: number ? "number" : null }, text)))),
      make("tbody", {}, rows.map((row) => make("tr", {}, row.map(cell)))),
    ),
  );
}

function choice(name, label, options, current) {
  const select = make("select", { name, onchange: (event) => change({ [name]: event.target.value }) },
    options.map(([value, text]) => make("option", { value, selected: value === current }, text)));
  return make("label", { class: "field" }, make("span", {}, label), select);
}

// A box that is ticked unless the address says otherwise (on) or only if it does (off).
function tick(name, label, on) {
  const ticked = get(name, on ? "1" : "0") === "1";
  const box = make("input", { type: "checkbox", name, checked: ticked,
    onchange: (event) => change({ [name]: event.target.checked === on ? null : on ? "0" : "1" }) });
  return make("label", { class: "tick" }, box, label);
}

function heading(text, about) {
  return [make("h1", {}, text), make("p", { class: "lead" }, about)];
}

function card(title, ...children) {
  return make("section", { class: "card" }, make("h2", {}, title), ...children);
}

function nothing(text) {
  return make("p", { class: "nothing" }, text);
}

function badge(found) {
  const kind = found.verdict;
  return make("span", { class: `badge ${kind}` }, `${SIGNS[kind]} ${times(found.ratio)}`);
}

function caseLink(index) {
  return { text: CASES[index].id, href: link("case", { case: CASES[index].id }), kind: "id" };
}
