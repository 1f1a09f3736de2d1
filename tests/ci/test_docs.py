"""The README, docs and papers: what they refer to is there."""

import re
import threading
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

import stress
from ci import offline
from stress.nemeses.catalogue import NEMESES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "perf" / "results.md"]

pytestmark = pytest.mark.once


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_ours_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"`((?:tests|ci|perf|stress|ftthreading|docs)/[\w./-]+)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


# What the harness alone uses: of Scenario, and of Actor.
HARNESS = {"cast", "name", "scales", "summary"}
HARNESS |= {"begin", "exposure", "latest", "ops", "pairs", "scale", "seen"}


def test_the_reference_has_each_name_of_a_scenario_author() -> None:
    text = (ROOT / "docs" / "scenario-reference.md").read_text(encoding="utf-8")
    scenario = stress.Scenario(stress.World(threading, Random(0), 2))
    names = {
        name
        for namespace in map(
            vars, (stress, stress.Scenario, scenario, stress.Actor, stress.Actor(0))
        )
        for name, value in namespace.items()
        if name[0] != "_" and not isinstance(value, ModuleType)
    }
    wanted = (names | NEMESES.keys()) - HARNESS - {"annotations"}
    assert [name for name in sorted(wanted) if not re.search(rf"`[^`\n]*\b{name}\b", text)] == []


@pytest.mark.parametrize(
    ("name", "text", "loads"),
    [
        ("a.html", '<script src="https://example.org/a.js"></script>', True),
        ("a.html", '<link rel="stylesheet" href="//example.org/a.css">', True),
        ("a.html", "<style>@import 'https://example.org/a.css';</style>", True),
        ("a.html", '<p style="background: url(https://example.org/a.png)">', True),
        ("a.css", "body { background: url('//example.org/a.png') }", True),
        ("a.js", 'fetch("https://example.org/a")', True),
        ("a.html", '<a href="https://example.org">followed</a> <img src="a.png">', False),
        ("a.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>', False),
    ],
)
def test_what_a_site_loads_from_elsewhere_is_seen(
    tmp_path: Path, name: str, text: str, loads: bool
) -> None:
    (tmp_path / name).write_text(text)
    assert bool(list(offline.look(tmp_path))) == loads
    assert offline.main([str(tmp_path)]) == int(loads)
