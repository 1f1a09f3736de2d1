"""`Installation.stale` finds who holds an old object, wherever it lies, and says it in words."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import types
from collections.abc import Callable, Iterator

import pytest

import ftthreading
from tests.support import run_python
from tests.support.installing import PLAIN, plain_threading  # noqa: F401

pytestmark = [
    pytest.mark.thread_unsafe(reason="changes the threading module"),
    pytest.mark.usefixtures("plain_threading"),
]

Load = Callable[[str], types.ModuleType]


@pytest.fixture
def load(request: pytest.FixtureRequest) -> Iterator[Load]:
    """Load a module that came before install(), from its source."""
    name = f"module_of_{request.node.name}"

    def make(source: str) -> types.ModuleType:
        module = sys.modules[name] = types.ModuleType(name)
        exec(f"import threading\n{source}", vars(module))
        return module

    yield make
    sys.modules.pop(name, None)
    gc.collect()


SOURCES = {
    "class Mine(threading.Event): pass\nclass Further(Mine): pass": ("Mine (base class)",),
    "class Own:\n    class Gate(threading.Barrier): pass": ("Own.Gate (base class)",),
    "def work(lock=threading.Lock): pass": ("work (default argument)",),
    "def work(*, make=threading.RLock): pass": ("work (default argument)",),
    "class Safe:\n    def use(self, x=threading.Lock): pass": ("Safe.use (default argument)",),
    "class Safe:\n    make_lock = threading.Lock": ("Safe.make_lock (class attribute)",),
    """
from dataclasses import dataclass, field
@dataclass
class Safe:
    name: str = ""
    lock: object = field(default_factory=threading.Lock)
""": ("Safe.lock (dataclass field)",),
    """
from dataclasses import dataclass
@dataclass
class Safe:
    make: object = threading.Semaphore
""": (
        "Safe.__init__ (default argument)",
        "Safe.make (class attribute)",
        "Safe.make (dataclass field)",
    ),
    """
def outer(make):
    def inner(): return make()
    return inner
kept = outer(threading.Condition)
""": ("outer.<locals>.inner (closure)",),
    "class Factory: pass\nfactory = Factory()\nfactory.make = threading.Event": (
        "Factory (an object of it)",
    ),
    "class Factory: __slots__ = 'make'\nfactory = Factory()\nfactory.make = threading.Event": (
        "Factory (an object of it)",
    ),
    "from threading import Lock as L\ndef work(lock=L): pass": ("L", "work (default argument)"),
    "lock = threading.Lock()\nevent = threading.Event()\nget = threading.local": (),
    "class Late(Exception): pass\ndef late(x=None, *, y=()): return threading.Lock()": (),
}


@pytest.mark.parametrize("source", SOURCES)
def test_holder(load: Load, source: str) -> None:
    module = load(source)
    assert ftthreading.install().stale.get(module.__name__, ()) == SOURCES[source]


def test_partial() -> None:
    make = functools.partial(PLAIN["Event"])
    assert "partial (an object of it)" in ftthreading.install().stale["functools"]
    del make


def test_looked_up_when_it_is_read(load: Load) -> None:
    record = ftthreading.install()
    module = load("")
    module.Event = PLAIN["Event"]  # type: ignore[attr-defined]
    assert record.stale[module.__name__] == ("Event",)
    del module.Event
    assert record.stale[module.__name__] == ("Event",)  # the record is a record
    assert module.__name__ not in ftthreading.install().stale


def test_what_was_made_later_is_not_stale(load: Load) -> None:
    ftthreading.install()
    module = load("class Mine(threading.Event): pass\ndef work(lock=threading.Lock): pass")
    assert module.__name__ not in ftthreading.install().stale


def test_the_odd_ones_are_not_asked(load: Load) -> None:
    """No code of the program runs."""
    module = load("""
class Trap:
    def __getattribute__(self, name): raise SystemExit(name)
    def __eq__(self, other): raise SystemExit("==")
    __hash__ = None
class Meta(type):
    def __getattribute__(cls, name): raise SystemExit(name)
    def __instancecheck__(cls, x): raise SystemExit("isinstance")
class Made(metaclass=Meta):
    __dataclass_fields__ = {"x": Trap()}
class Odd:
    __module__ = 3
    lock = threading.Lock
def empty():
    if 0:
        x = 1
    return lambda: x
traps = Trap(), Trap.__new__(Trap), empty()
""")
    assert module.__name__ not in ftthreading.install().stale
    assert vars(threading)["Lock"] is ftthreading.Lock


def test_what_was_there_before_the_first_thread() -> None:
    """3.13t's collector no longer tells of it."""
    program = """if True:
        import threading
        class Mine(threading.Event):
            make = threading.Lock
            def use(self, x=threading.Lock): pass
            @staticmethod
            def make_one(x=threading.Lock): pass
            @property
            def one(self, x=threading.Lock): pass
        def work(x=threading.Lock): pass
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        import ftthreading
        print(*ftthreading.install().stale["__main__"], sep=", ")
    """
    assert run_python(program).stdout == (
        "Mine (base class), Mine.make (class attribute), Mine.make_one (default argument),"
        " Mine.one (default argument), Mine.use (default argument), work (default argument)\n"
    )
