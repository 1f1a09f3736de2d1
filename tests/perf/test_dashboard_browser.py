"""The page in headless Chromium: charts, tables, filters, addresses, dark mode, phone, keyboard."""

import json
import re
from collections.abc import Iterator

import pytest

from perf.dashboard import data, page
from perf.results import store
from perf.results.measurement import Result
from tests.support import synthetic
from tests.support.browser import Browser, browser

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="all tests look at one page, by turns"),
]

VIEWS = ("overview", "threads", "sections", "latency", "costs", "history", "compare", "case")
# Scrolls to the next chart that is not drawn yet; true when there is none.
DRAWN = """(() => {
  const rest = [...document.querySelectorAll(".chart")].filter(
    (one) => !one.querySelector(".point, .js-line, .boxlayer path"));
  if (rest.length) rest[0].scrollIntoView();
  return rest.length === 0;
})()"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    root = tmp_path_factory.mktemp("dashboard") / "results"
    return sorted(map(store.read, synthetic.populate(root)), key=lambda result: result.when)


@pytest.fixture(scope="module")
def file(results: list[Result], tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("plotly")
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page.page(data.build(results)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def shared(file: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as one:
        one.open(file)
        yield one


@pytest.fixture
def looking(shared: Browser) -> Browser:
    """Return the page as a new reader at a desk has it."""
    shared.size(1280)
    shared.wait("innerWidth === 1280 && !NARROW.matches")
    shared.prefer("light")
    shared.wait("!matchMedia('(prefers-color-scheme: dark)').matches")
    shared.evaluate("localStorage.clear(), theme = '', showTheme()")
    go(shared, "overview")
    return shared


def act(page: Browser, action: str) -> None:
    """Do what changes the address, and wait until the page has followed it."""
    page.evaluate(
        "new Promise((resolve) => {"
        f" addEventListener('hashchange', () => resolve(true), {{ once: true }}); {action}; }})"
    )


def go(page: Browser, address: str) -> None:
    """Go to an address on the page, as a click on a link does."""
    if page.evaluate("location.hash") == f"#{address}":
        page.evaluate("render()")
    else:
        act(page, f"location.hash = {address!r}")
    assert (
        page.evaluate("document.getElementById('view').dataset.view") == address.partition("?")[0]
    )


def texts(page: Browser, selector: str) -> list[str]:
    found = page.evaluate(
        f"[...document.querySelectorAll({selector!r})].map((one) => one.textContent)"
    )
    assert isinstance(found, list)
    return found


def pick(page: Browser, name: str, value: str) -> None:
    """Choose an option as a reader does: the control says that it changed."""
    act(
        page,
        f"const one = document.querySelector('select[name={name}]');"
        f" one.value = {value!r}; one.dispatchEvent(new Event('change'))",
    )
    assert page.evaluate(f"document.querySelector('select[name={name}]').value") == value


def test_every_view_draws_its_charts_with_a_table_each(looking: Browser) -> None:
    for view in VIEWS:
        go(looking, view)
        looking.wait(DRAWN)
        charts = looking.evaluate("document.querySelectorAll('.chart').length")
        assert charts >= 1, view
        rows = looking.evaluate(
            "[...document.querySelectorAll('figure')]"
            ".map((one) => one.querySelectorAll('tbody tr').length)"
        )
        assert len(rows) == charts, view
        assert all(rows), view


def test_no_error_and_no_request(looking: Browser, file: str) -> None:
    asked = {
        one["request"]["url"].partition("#")[0]
        for one in looking.heard("Network.requestWillBeSent")
    }
    # The address in the page's head stands for "no icon".
    assert asked <= {file, "data:,"}
    assert file in asked
    assert looking.heard("Runtime.exceptionThrown") == []
    assert looking.heard("Runtime.consoleAPICalled") == []
    assert looking.heard("Log.entryAdded") == []


def test_names_in_results_stay_names(looking: Browser) -> None:
    assert looking.evaluate("document.querySelectorAll('main script').length") == 0
    assert any(synthetic.HOSTILE in text for text in texts(looking, "dd"))


def test_verdict_and_losing_cells(looking: Browser) -> None:
    (verdict,) = texts(looking, ".verdict p:not(.quiet)")
    assert "barrier.with T4 S0 attribute" in verdict
    worse = [text for text in texts(looking, ".badge") if text.startswith("▼")]
    assert worse
    heads = texts(looking, "table:has(.heat) th")
    assert heads == ["primitive", "1 thread", "2 threads", "4 threads", "8 threads"]
    assert texts(looking, "table:has(.heat) tbody td:first-child")[0] == "barrier"
    warned = " ".join(texts(looking, ".cautions li"))
    assert "Only 2 CPUs" in warned
    assert "virtual machine" in warned


def test_verdicts_and_intervals_are_those_of_the_data(looking: Browser) -> None:
    name = "barrier.with T4 S0 attribute"
    go(looking, f"case?case={name.replace(' ', '+')}")
    cell = looking.evaluate(
        f"ratioOf(CASE_OF.get({name!r}), RESULTS[0], 'threading', RESULTS[0], 'ftthreading')"
    )
    assert cell["verdict"] == "worse"
    (badge,) = texts(looking, ".badge")
    found = json.dumps(cell)
    assert badge == looking.evaluate(f"`▼ ${{times({cell['ratio']})}}`")
    assert looking.evaluate(f"interval({found})") in texts(looking, "td")
    few = json.dumps({**cell, "verdict": "few"})
    assert looking.evaluate(f"badge({few}).textContent")[0] == "?"
    assert looking.evaluate(f"interval({few})") == "too few rounds"


def test_filters(looking: Browser) -> None:
    go(looking, "threads")
    everything = texts(looking, "figcaption")
    pick(looking, "primitive", "lock")
    looking.wait(DRAWN)
    assert set(texts(looking, "figcaption")) < set(everything)
    assert all(text.startswith("lock.") for text in texts(looking, "figcaption"))
    assert "threading" in texts(looking, ".legendtext")
    act(looking, "document.querySelector('input[value=threading]').click()")
    assert "hide=threading" in looking.evaluate("location.hash")
    looking.wait(DRAWN)
    assert set(texts(looking, ".legendtext")) == {"ftthreading"}
    pick(looking, "tag", "3.14t")
    names = texts(looking, "select[name=result] option")
    assert len(names) == 1
    assert names[0].startswith("3.14t")


def test_logarithmic_scale_and_cpus(looking: Browser) -> None:
    go(looking, "threads?primitive=lock")
    looking.wait(DRAWN)
    chart = "document.querySelector('.chart').layout"
    assert looking.evaluate(f"{chart}.yaxis.type") == "linear"
    act(looking, "document.querySelector('input[name=log]').click()")
    assert "log=1" in looking.evaluate("location.hash")
    looking.wait(DRAWN)
    assert looking.evaluate(f"{chart}.yaxis.type") == "log"
    shapes = looking.evaluate(f"{chart}.shapes.map((one) => [one.type, one.x0])")
    assert shapes == [["line", 1], ["rect", 1]]  # two CPUs, on a scale of powers of two
    assert "over 2 CPUs: oversubscribed" in texts(looking, ".annotation-text")
    assert "speed-up" not in looking.evaluate("document.body.textContent.toLowerCase()")


def test_links_and_addresses(looking: Browser, file: str) -> None:
    act(looking, "document.querySelector('.verdict a').click()")
    assert texts(looking, "h1") == ["barrier.with T4 S0 attribute"]
    command = texts(looking, "#command")[0].splitlines()
    assert command[0] == "git checkout 123456789abc"
    assert command[-1].endswith("-m perf run --tier gate --only 'barrier.with T4 S0 attribute'")
    address = looking.evaluate("location.href")
    act(looking, "history.back()")
    assert texts(looking, "h1") == ["Overview"]
    (last, *_) = texts(looking, ".card td a")[::-1]
    act(looking, "[...document.querySelectorAll('.card td a')].at(-1).click()")
    assert texts(looking, "h1") == [last]
    looking.open("about:blank")
    looking.open(address)
    assert texts(looking, "h1") == ["barrier.with T4 S0 attribute"]
    for link in looking.evaluate("[...document.querySelectorAll('a')].map((one) => one.href)"):
        assert link.startswith((file, "about:blank")), link
    go(looking, "case?case=program.pool")
    assert re.search(r"-m perf programs pool", texts(looking, "#command")[0])


def test_unknown_addresses_show_what_there_is(looking: Browser) -> None:
    act(looking, "location.hash = 'nowhere'")
    assert texts(looking, "h1") == ["Overview"]
    for view in VIEWS:
        go(
            looking,
            f"{view}?result=none&case=none&metric=none&primitive=none&rival=none&against=none",
        )
        assert texts(looking, "h1")
    assert looking.heard("Runtime.exceptionThrown") == []


def test_history_never_joins_machines(looking: Browser) -> None:
    go(looking, "history")
    looking.wait(DRAWN)
    titles = texts(looking, "figcaption")
    assert len(titles) == len(set(titles)) == 3
    points = looking.evaluate(
        "[...document.querySelectorAll('.chart')].map((one) =>"
        " Math.max(...one.data.map((trace) => trace.x.length)))"
    )
    assert sorted(points) == [1, 1, 4]


def test_a_step_is_marked_where_the_level_changed(looking: Browser) -> None:
    # Of the line of four results, the newest first, the third.
    line = "RESULTS.filter((one) => one.machine === 'mmmmmmmmmmmm' && one.tag === '3.13t')"
    step = f"{{ key: {line}[1].key, side: 'ftthreading', case: 0, ratio: 1.25 }}"
    looking.evaluate(f"DATA.steps.push({step})")
    try:
        go(looking, f"history?case={looking.evaluate('CASES[0].id').replace(' ', '+')}")
        looking.wait(DRAWN)
        marks = looking.evaluate(
            "[...document.querySelectorAll('.chart')].map((one) =>"
            " (one.layout.shapes || []).map((mark) => mark.x0))"
        )
        assert sorted(marks) == [[], [], [1.5]]
        (mark,) = (text for text in texts(looking, ".annotation-text") if "1.25" in text)
        assert mark.strip().startswith("ftthreading")
    finally:
        looking.evaluate("DATA.steps.pop()")


def test_comparison_of_two_results(looking: Browser, results: list[Result]) -> None:
    # Of the line of four results the newest, and the first, which is slower.
    line = [result for result in results if (result.machine, result.tag) == ("m" * 12, "3.13t")]
    go(looking, "compare")
    pick(looking, "result", data.key(line[-1]))
    pick(looking, "against", f"{data.key(line[0])} ftthreading")
    looking.wait(DRAWN)
    assert any("not measured by turns" in text for text in texts(looking, ".cautions li"))
    rows = looking.evaluate("document.querySelectorAll('tbody tr').length")
    assert rows == len(line[0].measurements["ftthreading"])
    assert not any("worse" in text for text in texts(looking, ".legendtext"))
    assert any("better" in text for text in texts(looking, ".legendtext"))
    # Never another machine's or interpreter's, which `perf compare` refuses, too.
    known = looking.evaluate(
        "[...document.querySelectorAll('select[name=against] option')].map((one) => one.value)"
    )
    assert len(known) == len(line)
    pick(looking, "against", f"{data.key(line[-1])} threading")
    assert texts(looking, ".cautions li") == []


def test_dark_mode(looking: Browser) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = looking.evaluate(background)
    looking.prefer("dark")
    looking.wait("document.getElementById('theme').textContent.includes('Light')")
    dark = looking.evaluate(background)
    assert dark != light
    button = "document.getElementById('theme')"
    looking.evaluate(f"{button}.click()")
    assert looking.evaluate(background) == light
    assert "Dark" in looking.evaluate(f"{button}.textContent")
    looking.evaluate(f"{button}.click()")
    assert looking.evaluate(background) == dark
    go(looking, "threads")
    looking.wait(DRAWN)
    color = looking.evaluate("document.querySelector('.chart').layout.font.color")
    assert color == looking.evaluate("style('--text')")


def test_nothing_is_wider_than_a_phone(looking: Browser) -> None:
    looking.size(375, 800, phone=True)
    looking.wait("document.documentElement.clientWidth === 375 && NARROW.matches")
    for view in VIEWS:
        go(looking, view)
        looking.wait(DRAWN)
        looking.evaluate(
            "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
        )
        assert looking.evaluate("document.documentElement.scrollWidth") <= 375, view
        right = looking.evaluate(
            "Math.max(...[...document.querySelectorAll("
            "'.chart, .card, figure, select, h1, button')]"
            ".map((one) => one.getBoundingClientRect().right))"
        )
        assert right <= 375, view


def test_keyboard(looking: Browser, file: str) -> None:
    looking.open("about:blank")
    looking.open(file)
    looking.press("Tab")
    assert looking.evaluate("document.activeElement.id") == "skip"
    looking.press("Enter")
    looking.wait("document.activeElement.id === 'view'")
    looking.press("Tab")
    assert looking.evaluate("document.activeElement.matches('main *')")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert looking.evaluate(outline) == "solid"
    # A control that was used keeps the focus, though the page is drawn anew.
    looking.evaluate("document.querySelector('select[name=primitive]').focus()")
    pick(looking, "primitive", "lock")
    assert looking.evaluate("document.activeElement.name") == "primitive"
