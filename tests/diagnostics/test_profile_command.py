"""`python -m ftthreading --profile`: what is written when the program ends, however it ends."""

import html.parser
import json
import re
import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = [pytest.mark.once, pytest.mark.thread_unsafe(reason="starts interpreters")]

HOT = """\
import sys
import threading
import time
lock = threading.Lock()
inside = threading.Event()
def refresh():
    with lock:
        time.sleep(0.1)
        inside.set()
        time.sleep(0.3)
def look_up():
    with lock:
        pass
def main():
    threads = [threading.Thread(target=refresh)]
    threads[0].start()
    inside.wait()
    threads += [threading.Thread(target=look_up) for _ in range(3)]
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
main()
"""


def profiled(folder, program, *options, arguments=()):
    """Run the program in a folder of its own; what it wrote, and how it ended."""
    (folder / "app.py").write_text(textwrap.dedent(program))
    command = [sys.executable, "-m", "ftthreading", *options, "app.py", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_report_says_at_once_which_lines_cost_the_time(tmp_path):
    done = profiled(tmp_path, HOT, "--profile")
    assert done.returncode == 0, done.stderr
    report = done.stderr
    assert re.search(r"Threads waited .*s for locks, in .* waits: \d+ % of all thread", report)
    assert re.search(r"This line costs \d+ % of all thread time:", report)
    waiting = next(line for line in report.splitlines() if "app.py:12 in look_up()" in line)
    assert "Lock made at app.py:4" in waiting
    _, _, holders = report.partition("Who made them wait")
    first = holders.splitlines()[3]
    assert "app.py:7 in refresh()" in first
    assert re.search(r"app.py:17 in main\(\) +Event.wait\(\)", report.partition("no contention")[2])


def test_times_have_units(tmp_path):
    report = profiled(tmp_path, HOT, "--profile").stderr
    waiting = next(line for line in report.splitlines() if "app.py:12 in look_up()" in line)
    share, total, count, average, longest, awake = re.split(r"\s{2,}", waiting.strip())[:6]
    assert all(re.fullmatch(r"[\d.]+ %", text) for text in (share, awake))
    assert int(count) == 3
    for time in (total, average, longest):
        assert re.fullmatch(r"[\d.]+ (s|ms|µs|ns)", time)


def test_idle_program_says_so(tmp_path):
    done = profiled(tmp_path, "print('idle')", "--profile")
    assert done.stdout == "idle\n"
    assert "No thread waited for a lock." in done.stderr


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("sys.exit(3)", 3),
        ("raise SystemExit", 0),
        ("1 / 0", 1),
        ("signal.raise_signal(signal.SIGINT)", -signal.SIGINT),
        ("threading.Thread(target=lambda: time.sleep(0.1)).start()", 0),
        ("threading.Thread(target=lambda: threading.Event().wait(), daemon=True).start()", 0),
        ("sys.stderr.flush(); threading.Lock = None", 0),
    ],
)
def test_report_is_written_however_the_program_ends(tmp_path, end, code):
    done = profiled(tmp_path, f"import signal\n{HOT}{end}\n", "--profile")
    assert done.returncode == code, done.stderr
    assert "app.py:13 in look_up()" in done.stderr


def test_report_counts_threads_that_are_waited_for_at_the_end(tmp_path):
    program = HOT.rpartition("main()")[0] + "threading.Thread(target=main).start()\n"
    assert "app.py:12 in look_up()" in profiled(tmp_path, program, "--profile").stderr


def test_child_of_a_fork_writes_no_report(tmp_path):
    program = HOT + "import os\nchild = os.fork()\nif child:\n    os.waitpid(child, 0)\n"
    done = profiled(tmp_path, program, "--profile=profile.txt")
    assert done.stderr.count("Profile: ") == 1
    assert "app.py:12 in look_up()" in (tmp_path / "profile.txt").read_text()


def test_file_is_where_the_program_began(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    done = profiled(tmp_path, f"import os\nos.chdir('elsewhere')\n{HOT}", "--profile=p.txt")
    assert done.returncode == 0
    assert "look_up()" in (tmp_path / "p.txt").read_text()


def test_file_that_cannot_be_written(tmp_path):
    done = profiled(tmp_path, "print(1)", "--profile=no/such/folder.txt")
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert "the profile cannot be written" in done.stderr


def test_file_of_no_known_format(tmp_path):
    done = profiled(tmp_path, "print(1)", "--profile=profile.pdf")
    assert (done.returncode, done.stdout) == (2, "")
    assert ".speedscope.json" in done.stderr


def test_program_gets_its_own_arguments(tmp_path):
    done = profiled(tmp_path, "import sys; print(sys.argv)", "--profile", arguments=["--profile"])
    assert done.stdout == "['app.py', '--profile']\n"


# What other tools read.


@pytest.fixture(scope="module", params=["hot", "idle"])
def text_of(request, tmp_path_factory):
    """Gives the text of a profile in a format."""
    folder = tmp_path_factory.mktemp("formats")
    program = f"""
import runpy
import ftthreading
ftthreading.install()
from ftthreading.diagnostics import profile
with profile() as p:
    if {request.param == "hot"}:
        runpy.run_path("hot.py")
for ending in ("txt", "collapsed", "speedscope.json", "firefox.json", "html"):
    p.write(f"profile.{{ending}}")
"""
    (folder / "hot.py").write_text(HOT)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr

    def text(ending):
        return (folder / f"profile.{ending}").read_text(encoding="utf-8")

    text.hot = request.param == "hot"
    return text


def test_collapsed(text_of):
    lines = text_of("collapsed").splitlines()
    assert bool(lines) == text_of.hot
    for line in lines:
        assert re.fullmatch(r"\S[^;]*(;[^;]+)* [1-9]\d*", line)
    if text_of.hot:
        (line,) = (line for line in lines if "look_up" in line)
        frames, _, microseconds = line.rpartition(" ")
        assert frames.split(";")[-2:] == ["hot.py:12 in look_up()", "[Lock made at hot.py:4]"]
        assert int(microseconds) > 100_000


def test_speedscope(text_of):
    """What its schema requires, and what speedscope asks beyond that when it loads the file."""
    file = json.loads(text_of("speedscope.json"))
    assert file["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert {"$schema", "shared", "profiles"} <= set(file)
    assert set(file) <= {"$schema", "shared", "profiles", "name", "activeProfileIndex", "exporter"}
    assert all(isinstance(file[name], str) for name in ("name", "exporter"))
    frames = file["shared"]["frames"]
    assert set(file["shared"]) == {"frames"}
    for frame in frames:
        assert {"name"} <= set(frame) <= {"name", "file", "line", "col"}
        assert isinstance(frame["name"], str)
        assert isinstance(frame.get("file", ""), str)
        assert frame.get("line", 1) >= 1
    for profile in file["profiles"]:
        assert set(profile) == {
            *("type", "name", "unit", "startValue", "endValue", "samples", "weights")
        }
        assert (profile["type"], profile["unit"]) == ("sampled", "seconds")
        assert isinstance(profile["name"], str)
        assert profile["startValue"] == 0
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(sample for sample in profile["samples"])
        assert all(weight >= 0 for weight in profile["weights"])
        assert all(0 <= i < len(frames) for sample in profile["samples"] for i in sample)
        assert profile["endValue"] == pytest.approx(sum(profile["weights"]))
    waits = file["profiles"][file["activeProfileIndex"]]
    names = [[frames[i]["name"] for i in sample] for sample in waits["samples"]]
    assert any(name[-2] == "look_up" for name in names) == text_of.hot


def test_speedscope_opens_with_what_there_is(tmp_path):
    """Not with an empty picture, if there was no contention."""
    program = """
        import threading
        threading.Event().wait(0.01)
    """
    profiled(tmp_path, program, "--profile=p.speedscope.json")
    file = json.loads((tmp_path / "p.speedscope.json").read_text())
    shown = file["profiles"][file["activeProfileIndex"]]
    assert shown["name"] == "Waits for something to happen"
    assert len(shown["samples"]) == 1


# Of a thread in version 48 of the Firefox profiler's processed format: what its types require of
# each table, but for "length".
FIREFOX_TABLES = {
    "samples": "stack time weight weightType",
    "markers": "data name startTime endTime phase category",
    "stackTable": "frame prefix category subcategory",
    "frameTable": "address inlineDepth category subcategory func nativeSymbol innerWindowID"
    " implementation line column",
    "funcTable": "name isJS relevantForJS resource fileName lineNumber columnNumber",
    "resourceTable": "lib name host type",
    "nativeSymbols": "libIndex address name functionSize",
}


def test_firefox(text_of):
    """Tables of equal columns, and indices that lead somewhere."""
    file = json.loads(text_of("firefox.json"))
    assert {"meta", "libs", "threads"} <= set(file)
    meta = file["meta"]
    assert meta["preprocessedProfileVersion"] == 48
    assert {"interval", "startTime", "processType", "product", "stackwalk", "version"} <= set(meta)
    assert meta["markerSchema"] == []
    (category,) = meta["categories"]
    assert (category["color"], category["subcategories"]) == ("grey", ["Other"])
    for thread in file["threads"]:
        assert isinstance(thread["pid"], str)
        assert isinstance(thread["isMainThread"], bool)
        assert {"processType", "processStartupTime", "processShutdownTime"} <= set(thread)
        assert {"registerTime", "unregisterTime", "pausedRanges", "name", "tid"} <= set(thread)
        for name, columns in FIREFOX_TABLES.items():
            table = thread[name]
            assert set(table) == {"length", *columns.split()}, name
            lengths = {len(value) for value in table.values() if isinstance(value, list)}
            assert lengths == {table["length"]}, name
        for i, prefix in enumerate(thread["stackTable"]["prefix"]):
            assert prefix is None or prefix < i
        for table, column, target in (
            ("samples", "stack", thread["stackTable"]["length"]),
            ("stackTable", "frame", thread["frameTable"]["length"]),
            ("frameTable", "func", thread["funcTable"]["length"]),
            ("funcTable", "name", len(thread["stringArray"])),
            ("funcTable", "fileName", len(thread["stringArray"])),
        ):
            assert all(i is None or 0 <= i < target for i in thread[table][column])
        samples = thread["samples"]
        assert samples["weightType"] == "tracing-ms"
        assert samples["time"] == sorted(samples["time"])
        # An end without a stack: else the last wait, and a profile without any, has no extent.
        assert (samples["stack"][-1], samples["weight"][-1]) == (None, 0)
        assert None not in samples["stack"][:-1]
        assert samples["time"][-1] == pytest.approx(sum(samples["weight"]))
    count = len(file["threads"])
    assert meta["initialVisibleThreads"] == [*range(count)]
    (selected,) = meta["initialSelectedThreads"]
    waits = file["threads"][0]
    assert ("look_up" in waits["stringArray"]) == text_of.hot
    if text_of.hot:
        assert selected == 0
        assert sum(waits["samples"]["weight"]) > 100


class Page(html.parser.HTMLParser):
    """Which elements are open, and what would be fetched."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.fetched = [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_needs_nothing_else(text_of):
    text = text_of("html")
    page = Page(text)
    assert page.open == []
    assert page.fetched == []
    assert "script" not in page.tags
    assert "url(" not in text
    assert "@import" not in text
    assert ("hot.py:12 in look_up()" in text) == text_of.hot
    assert ("No thread waited for a lock." in text) != text_of.hot


def test_page_shows_names_as_text(tmp_path):
    name = "<b>&.py"
    (tmp_path / name).write_text(HOT)
    subprocess.run(
        [sys.executable, "-m", "ftthreading", "--profile=p.html", name],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert Page(text).open == []
    assert "&lt;b&gt;&amp;.py:12" in text
    assert "<b>&.py" not in text
