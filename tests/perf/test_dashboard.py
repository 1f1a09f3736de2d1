"""perf/dashboard: what is on the page and in the picture is what the results say, and no more."""

import dataclasses
import html.parser
import json
import pathlib
import re
import statistics
import subprocess
import sys
import xml.etree.ElementTree
from typing import Any

import pytest

from perf.cli import programs_page
from perf.cli.commands import compare, dash
from perf.dashboard import cautions, data, page, picture
from perf.results import store
from perf.results.measurement import Measurement, Result, ratio
from perf.runner.programs import ProgramRun as Ran
from tests.support import synthetic

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Elements(html.parser.HTMLParser):
    """Collects a page's elements, and the texts of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    root = tmp_path_factory.mktemp("dashboard") / "results"
    return sorted(map(store.read, synthetic.populate(root)), key=lambda result: result.when)


@pytest.fixture(scope="module")
def built(results: list[Result]) -> dict[str, Any]:
    return data.build(results)


@pytest.fixture(scope="module")
def parsed(built: dict[str, Any]) -> Elements:
    pytest.importorskip("plotly")
    elements = Elements()
    elements.feed(page.page(built))
    elements.close()
    return elements


def test_page_needs_nothing_from_elsewhere(parsed: Elements) -> None:
    outside = [
        (tag, name, value)
        for tag, attributes in parsed.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action")
        and not (value or "").startswith(("#", "data:"))
    ]
    assert outside == []
    policy = [one.get("content") for tag, one in parsed.elements if tag == "meta"]
    assert any("default-src 'none'" in (content or "") for content in policy)
    style = (page.ASSETS / "page.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_data_come_through_whatever_strings_they_hold(
    parsed: Elements, built: dict[str, Any]
) -> None:
    # One more would be a name in the results that was taken for an element.
    assert len(parsed.scripts) == 2 + len(page.SCRIPTS)
    found = json.loads(parsed.scripts[0])
    assert {name: found[name] for name in built} == json.loads(json.dumps(built))
    assert synthetic.HOSTILE in found["results"][0]["metadata"]["cpu_model_name"]


def test_values_are_those_of_the_results(results: list[Result], built: dict[str, Any]) -> None:
    assert [one["key"] for one in built["results"]] == [data.key(one) for one in reversed(results)]
    for shown, result in zip(built["results"], reversed(results), strict=True):
        for side, cases in result.measurements.items():
            for index, measurement in enumerate(built["cases"]):
                if measurement["id"] not in cases:
                    assert str(index) not in shown["impls"][side]
                    continue
                own = shown["impls"][side][str(index)]
                assert own["m"] == pytest.approx(cases[measurement["id"]].medians, rel=1e-5)
                assert list(map(statistics.median, own["w"])) == pytest.approx(own["m"], rel=1e-4)
        assert not set(data.PRIVATE) & set(shown["metadata"])


def test_comparisons_are_those_of_the_command_line(
    results: list[Result], built: dict[str, Any]
) -> None:
    by_key = {data.key(result): result for result in results}
    for shown in built["comparisons"]:
        (left, side), (right, other) = shown["base"], shown["own"]
        base, own = by_key[left].measurements[side], by_key[right].measurements[other]
        said = {pair.base.case.id: pair for pair in compare.pairs(base, own)}
        assert set(said) == {built["cases"][int(index)]["id"] for index in shown["cells"]}
        for index, (estimate, low, high, rounds, verdict) in shown["cells"].items():
            pair = said[built["cases"][int(index)]["id"]]
            exact = (pair.ratio.estimate, pair.ratio.low, pair.ratio.high)
            assert (estimate, low, high) == pytest.approx(exact, rel=1e-5)
            assert (rounds, verdict) == (6, pair.verdict.name.lower())


def test_what_is_compared_are_neighbours_and_the_newest_with_all(
    results: list[Result], built: dict[str, Any]
) -> None:
    found = [(one["base"], one["own"]) for one in built["comparisons"]]
    within = [(base, own) for base, own in found if base[0] == own[0]]
    assert {base[1] for base, _ in within} == {"threading"}
    assert len(within) == 6 + 2  # of one result two more sides
    line = [data.key(result) for result in results[:4]]
    pairs = [(line[0], line[1]), (line[1], line[2])]
    pairs += [(one, line[3]) for one in line[:3]]
    between = {(base[0], own[0]) for base, own in found if base[0] != own[0]}
    assert between == set(pairs)
    assert all(base[1] == own[1] == "ftthreading" for base, own in found if base[0] != own[0])


def test_of_old_results_only_a_value_a_round_is_kept(results: list[Result]) -> None:
    many = results * (data.FULL // len(results) + 1)
    shown = data.build(many)["results"]
    windows = ["w" in one["impls"]["threading"]["0"] for one in shown]
    assert windows == [True] * data.FULL + [False] * (len(many) - data.FULL)


def test_a_step_stands_on_the_line_of_one_machine(results: list[Result]) -> None:
    line = [result for result in results if (result.machine, result.tag) == ("m" * 12, "3.13t")]
    other = [result for result in results if result.machine == "n" * 12]
    # The first two results are slower than the later ones.
    long = [*line[:2] * 3, *line[2:] * 3]
    assert data.stepping([*line[:2] * 3, *other * 6], dict.fromkeys(ids(line), 0)) == []
    found = data.stepping([*long, *other], {id: place for place, id in enumerate(ids(line))})
    assert {step["key"] for step in found} == {data.key(line[2])}
    assert all(1.1 < step["ratio"] < 1.4 for step in found)


def test_the_smoke_tier_is_no_history(results: list[Result]) -> None:
    line = [result for result in results if (result.machine, result.tag) == ("m" * 12, "3.13t")]
    index = {id: place for place, id in enumerate(ids(line))}
    smoke = [
        dataclasses.replace(one, metadata={**one.metadata, "ftt_tier": "smoke"})
        for one in [*line[:2] * 3, *line[2:] * 3]
    ]
    assert data.stepping(smoke, index) == []
    assert data.build(smoke)["results"][0]["lasting"] is False


def ids(results: list[Result]) -> list[str]:
    return sorted({id for one in results for cases in one.measurements.values() for id in cases})


def test_cautions_name_what_spoils_a_result(results: list[Result]) -> None:
    said = " ".join(cautions.cautions(results[0]))
    for words in ("Only 2 CPUs", "virtual machine (Example)", "load average reached 5.5"):
        assert words in said
    assert "changes that the commit does not have" not in said
    dirty = next(result for result in results if result.dirty)
    assert "changes that the commit does not have" in " ".join(cautions.cautions(dirty))


def test_picture_names_every_losing_cell(results: list[Result]) -> None:
    drawn = picture.draw(picture.choose(results, []))
    root = xml.etree.ElementTree.fromstring(drawn)
    texts = ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    said = " ".join(texts)
    lost, cells = picture.losses(results[-1])
    assert any(name.startswith("barrier.with T4 S0 attribute") for name in lost)
    assert f"Slower than threading in {len(lost)} of {cells} cells" in said
    assert all(name.split()[0] in said for name in lost)
    assert {"lock", "rlock", "condition", "semaphore", "event", "barrier"} <= set(texts)
    assert "Only 2 CPUs" in said
    assert not re.search(r"(src|href)=", drawn)


def test_too_few_rounds_are_no_verdict(results: list[Result]) -> None:
    def halved(measurement: Measurement) -> Measurement:
        return dataclasses.replace(measurement, rounds=measurement.rounds[:4])

    few = {
        side: {name: halved(one) for name, one in cases.items()}
        for side, cases in results[-1].measurements.items()
    }
    assert picture.losses(results[-1])[0]
    short = dataclasses.replace(results[-1], measurements=few)
    assert picture.losses(short)[0] == []
    assert "As few as 4 rounds" in " ".join(cautions.cautions(short))


def test_picture_needs_curves(results: list[Result]) -> None:
    with pytest.raises(picture.NothingToDraw):
        picture.choose(results, [pathlib.Path("elsewhere")])


def test_newest_are_taken_of_each_machine_and_interpreter(results: list[Result]) -> None:
    paths = [result.path for result in results]
    assert dash.newest(paths, 1) == paths[3:]
    assert dash.newest(paths, 9) == paths


def test_command_without_results_says_how_to_get_one(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-m", "perf", "dash", "--output", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 3
    assert "VERDICT: FAILED: no result below" in done.stderr
    assert "python -m perf run" in done.stderr


def test_command_writes_page_and_picture(results: list[Result], tmp_path: pathlib.Path) -> None:
    pytest.importorskip("plotly")
    command = [sys.executable, "-m", "perf", "dash", str(results[0].path)]
    for option, name in (("--page", "page.html"), ("--picture", "picture.svg")):
        done = subprocess.run(
            [*command, option, str(tmp_path / name)],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].startswith("VERDICT: wrote ")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["page.html", "picture.svg"]


@pytest.mark.parametrize(
    ("loaded", "case"), [(False, "program.pool"), (True, "program.pool loaded")]
)
def test_side_by_side_keeps_its_runs_as_a_result(
    loaded: bool, case: str, tmp_path: pathlib.Path
) -> None:
    pytest.importorskip("plotly")
    runs = {
        "threading": [Ran("12", 2.0, 2.0), Ran("12", 4.0, 4.0)],
        "ftthreading": [Ran("12", 1.0, 1.0), Ran("12", 2.0, 2.0)],
    }
    output = tmp_path / "page.html"
    said = programs_page.keep({"pool": runs}, 0.5, loaded, tmp_path / "results", output)
    assert output.resolve().as_uri() in said
    (path,) = store.find(tmp_path / "results")
    assert str(path) in said
    result = store.read(path)
    base = result.measurements["threading"][case]
    assert base.medians == (4.0, 8.0)  # seconds for the whole work
    assert base.rounds[0].metrics["ftt_cpu"] == 4.0
    assert ratio(base, result.measurements["ftthreading"][case]) == 2
    command = base.rounds[0].metadata["ftt_command"]
    assert command == "-m perf programs pool --rounds 2 --scale 0.5" + " --beside-load" * loaded
