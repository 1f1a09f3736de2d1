"use strict";
// What is shown is the address: "#threads?primitive=lock&log=0". Every control changes the address,
// and the page follows it, so that each view can be linked to, and "back" works.

const THEME_KEY = "ftthreading-perf-theme";

function address() {
  const [view, query] = location.hash.slice(1).split("?");
  return { view: view || "overview", query: new URLSearchParams(query || "") };
}

function get(name, otherwise = "") {
  const value = address().query.get(name);
  return value === null ? otherwise : value;
}

// The address of a view with changes; null takes a parameter away.
function link(view, changes = {}) {
  const { query } = address();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return `#${view}${text ? `?${text}` : ""}`;
}

function change(changes) {
  location.hash = link(address().view, changes);
}

function wantedResults() {
  const tag = get("tag");
  return RESULTS.filter((result) => !tag || result.tag === tag);
}

// The result that the address names, or the newest of the chosen interpreter.
function chosenResult() {
  const named = RESULT_OF.get(get("result"));
  const wanted = wantedResults();
  return named && wanted.includes(named) ? named : wanted[0];
}

function chosenSides(result) {
  const hidden = get("hide").split(",");
  return sidesOf(result).filter((side) => !hidden.includes(side));
}

// The implementation that is held against the base.
function rival(result) {
  const rivals = rivalsOf(result);
  return rivals.includes(get("rival")) ? get("rival") : rivals[0];
}

function chosenCases(result) {
  const primitive = get("primitive");
  return casesOf(result).filter((index) => !primitive || CASES[index].primitive === primitive);
}

// A file's storage can be shut to scripts; the choice then lasts as long as the page.
let theme = "";
try {
  theme = localStorage.getItem(THEME_KEY) || "";
} catch {
  theme = "";
}

function dark() {
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function showTheme() {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const button = document.getElementById("theme");
  button.textContent = dark() ? "☀ Light" : "☾ Dark";
}

function turnTheme() {
  theme = dark() ? "light" : "dark";
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // see above
  }
  showTheme();
}
