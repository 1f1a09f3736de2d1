"""toolkit.pages: what is put into a page stays what it is."""

import json
import pathlib

import jinja2
import pytest

from toolkit.pages import render

pytestmark = pytest.mark.once
HOSTILE = "</script><!-- <b> & \"quoted\" 'name'"


def test_texts_stay_texts_and_json_stays_json(tmp_path: pathlib.Path) -> None:
    template = tmp_path / "page.html"
    (tmp_path / "part.css").write_text("a { color: red }")
    template.write_text("{% include 'part.css' %}|{{ text }}|{{ data | tojson }}")
    part, text, data = render(template, text=HOSTILE, data={"name": HOSTILE}).split("|")
    assert part == "a { color: red }"
    assert not set("<>'\"") & set(text)
    assert "<" not in data
    assert json.loads(data) == {"name": HOSTILE}


def test_what_is_missing_is_an_error(tmp_path: pathlib.Path) -> None:
    template = tmp_path / "page.html"
    template.write_text("{{ absent }}{{ data | tojson }}")
    with pytest.raises(jinja2.UndefinedError):
        render(template, data={})
    with pytest.raises(ValueError, match="JSON compliant"):
        render(template, absent="", data=float("nan"))
