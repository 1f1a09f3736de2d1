"""`install` takes threading's place in a running program, `uninstall` gives it back."""

import importlib.util
import pickle
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ftthreading
from ftthreading._install import Installation
from tests.support.installing import DIFFERING, PLAIN, plain_threading  # noqa: F401

pytestmark = [
    pytest.mark.thread_unsafe(reason="changes the threading module"),
    pytest.mark.usefixtures("plain_threading"),
]


@pytest.fixture
def module(request: pytest.FixtureRequest) -> Iterator[types.ModuleType]:
    """A loaded module of our own."""
    name = f"module_of_{request.node.name}"
    module = sys.modules[name] = types.ModuleType(name)
    yield module
    sys.modules.pop(name, None)


class TestNames:
    def test_every_public_name_is_ours(self) -> None:
        assert "Lock" in DIFFERING
        assert "RLock" in DIFFERING
        ftthreading.install()
        for name in threading.__all__:
            assert getattr(threading, name) is getattr(ftthreading, name), name

    def test_record_holds_what_was_there(self) -> None:
        record = ftthreading.install()
        assert set(DIFFERING) <= set(record.replaced)
        for name, old in record.replaced.items():
            if name.startswith("_thread."):
                assert old in (type(PLAIN["_allocate_lock"]()), PLAIN["_CRLock"])
            else:
                assert old is PLAIN[name]
                assert getattr(threading, name) is not old

    def test_nothing_else_changes(self) -> None:
        record = ftthreading.install()
        assert set(vars(threading)) == set(PLAIN)
        for name, value in vars(threading).items():
            assert (value is PLAIN[name]) == (name not in record.replaced), name

    def test_alias_of_a_public_name_follows(self) -> None:
        alias = "_LockType"
        if PLAIN.get(alias) is not PLAIN["Lock"]:
            pytest.skip("in this interpreter threading has no private alias of Lock")
        record = ftthreading.install()
        assert record.replaced[alias] is PLAIN["Lock"]
        assert isinstance(threading.Lock(), getattr(threading, alias))

    def test_old_rlock_factory_makes_our_rlocks(self) -> None:
        if not isinstance(PLAIN["RLock"], types.FunctionType):
            pytest.skip("in this interpreter RLock is no function that looks anything up")
        ftthreading.install()
        assert isinstance(PLAIN["RLock"](), ftthreading.RLock)

    @pytest.mark.parametrize(
        "name", ["_allocate_lock", "_RLock", "_PyRLock", "_active_limbo_lock", "_active", "_limbo"]
    )
    def test_name_stays(self, name: str) -> None:
        ftthreading.install()
        assert getattr(threading, name) is PLAIN[name]

    def test_module_stays_itself(self) -> None:
        ftthreading.install()
        assert sys.modules["threading"] is threading
        assert (threading.__name__, threading.__file__) == ("threading", PLAIN["__file__"])

    def test_they_say_where_they_are(self) -> None:
        """CPython's tests compare it, and a class pickled by reference is looked up there."""
        ours = [getattr(ftthreading, name) for name in DIFFERING]
        for _ in range(2):
            assert {each.__module__ for each in ours} == {"ftthreading"}
            assert repr(ftthreading.Lock()).startswith("<unlocked ftthreading.Lock object at")
            assert all(pickle.loads(pickle.dumps(each)) is each for each in ours)
            ftthreading.install()
            for name in DIFFERING:
                mine = getattr(threading, name)
                assert mine.__module__ == ("_thread" if name in ("Lock", "RLock") else "threading")
                assert pickle.loads(pickle.dumps(mine)) is mine
            assert repr(threading.Event()).startswith("<threading.Event at")
            ftthreading.uninstall()

    @pytest.mark.parametrize("theirs", [None, types.SimpleNamespace(__module__=None), pytest.fail])
    def test_what_stood_there_does_not_matter(self, theirs: object) -> None:
        vars(threading)["Event"] = theirs
        ftthreading.install()
        assert ftthreading.Event.__module__ == "threading"
        assert repr(threading.Event()).startswith("<threading.Event at")

    def test_special_threads(self) -> None:
        ftthreading.install()
        assert type(threading.main_thread()) is threading._MainThread  # type: ignore[attr-defined]
        assert issubclass(threading._DummyThread, threading.Thread)
        assert threading.Thread is ftthreading.Thread


class TestAgain:
    def test_second_call_changes_nothing(self) -> None:
        first = ftthreading.install()
        names = vars(threading).copy()
        second = ftthreading.install()
        assert first == second
        assert vars(threading) == names

    def test_second_call_looks_again(self, module: types.ModuleType) -> None:
        assert module.__name__ not in ftthreading.install().stale
        module.Late = PLAIN["Event"]  # type: ignore[attr-defined]
        assert ftthreading.install().stale[module.__name__] == ("Late",)

    def test_name_set_back_meanwhile_is_set_again(self) -> None:
        """A test tool that undoes its own patch can put an old object back."""
        ftthreading.install()
        vars(threading)["Event"] = PLAIN["Event"]
        ftthreading.install()
        assert vars(threading)["Event"] is ftthreading.Event

    def test_name_that_somebody_else_set_is_left(self) -> None:
        ftthreading.install()
        vars(threading)["Event"] = theirs = object()
        ftthreading.install()
        assert vars(threading)["Event"] is theirs

    def test_what_somebody_else_set_before_is_put_back(self) -> None:
        vars(threading)["Event"] = theirs = object()
        assert ftthreading.install().replaced["Event"] is theirs
        assert ftthreading.uninstall() == {}
        assert vars(threading)["Event"] is theirs


class TestUninstall:
    def test_restores_exactly(self) -> None:
        ftthreading.install()
        assert ftthreading.uninstall() == {}
        assert list(vars(threading).items()) == list(PLAIN.items())

    def test_without_install(self) -> None:
        assert ftthreading.uninstall() == {}
        assert vars(threading) == PLAIN

    def test_leaves_and_reports_what_somebody_else_set(self) -> None:
        ftthreading.install()
        vars(threading)["Event"] = theirs = object()
        del threading.Barrier
        assert ftthreading.uninstall() == {"Event": theirs, "Barrier": None}
        assert vars(threading)["Event"] is theirs
        assert not hasattr(threading, "Barrier")
        assert threading.Lock is PLAIN["Lock"]

    def test_name_set_back_by_somebody_else_is_no_conflict(self) -> None:
        ftthreading.install()
        vars(threading)["Event"] = PLAIN["Event"]
        assert ftthreading.uninstall() == {}

    def test_install_after_uninstall(self) -> None:
        first = ftthreading.install()
        ftthreading.uninstall()
        assert ftthreading.install() == first
        assert vars(threading)["Lock"] is ftthreading.Lock


class TestStale:
    def test_names_the_modules_and_the_names(self, module: types.ModuleType) -> None:
        vars(module).update(Mine=PLAIN["Lock"], Event=PLAIN["Event"], sem=PLAIN["Semaphore"])
        vars(module).update(threading=threading, local=threading.local, lock=PLAIN["Lock"]())
        assert ftthreading.install().stale[module.__name__] == ("Event", "Mine", "sem")

    def test_leaves_out_where_the_objects_come_from(self) -> None:
        stale = ftthreading.install().stale
        assert not {"threading", "_thread", "ftthreading", "ftthreading._install"} & set(stale)
        assert not [name for name in stale if name.startswith("ftthreading.")]

    def test_this_module_is_not_stale(self) -> None:
        """It holds the module, and old objects in a dictionary only."""
        assert __name__ not in ftthreading.install().stale

    def test_module_getattr_is_not_called(self, module: types.ModuleType) -> None:
        calls: list[str] = []
        vars(module)["__getattr__"] = calls.append
        ftthreading.install()
        assert calls == []

    def test_lazy_module_is_not_loaded(self, tmp_path: Path) -> None:
        (tmp_path / "lazy.py").write_text("from threading import Event\n")
        spec = importlib.util.spec_from_file_location("lazy", tmp_path / "lazy.py")
        assert spec is not None
        assert spec.loader is not None
        spec.loader = importlib.util.LazyLoader(spec.loader)
        lazy = sys.modules["lazy"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(lazy)
        try:
            assert "lazy" not in ftthreading.install().stale
            assert "Event" not in object.__getattribute__(lazy, "__dict__")
            assert lazy.Event is ftthreading.Event  # now it is loaded, and gets ours
        finally:
            del sys.modules["lazy"]

    def test_odd_things_in_sys_modules(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Trap:
            def __getattribute__(self, name: str) -> object:
                raise AssertionError(f"looked up {name}")

            def __eq__(self, other: object) -> bool:
                raise AssertionError("compared")

            __hash__ = None  # type: ignore[assignment]

        class Slots:
            __slots__ = ()

        class Lying:
            @property
            def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
                raise RuntimeError("no namespace today")

        class Holder:
            pass

        odd = {
            "odd.none": None,
            "odd.trap": Trap(),
            "odd.slots": Slots(),
            "odd.lying": Lying(),
            "odd.text": "text",
            7: types.ModuleType("seven"),
        }
        holder = Holder()
        vars(holder).update({"Event": PLAIN["Event"], "trap": Trap(), "": PLAIN["Lock"]})
        vars(holder)[3] = PLAIN["Lock"]  # type: ignore[index]
        for name, value in {**odd, "odd.holder": holder}.items():
            monkeypatch.setitem(sys.modules, name, value)  # type: ignore[misc]
        stale = ftthreading.install().stale
        assert stale["odd.holder"] == ("", "Event")
        assert not set(stale) & set(odd)

    def test_modules_come_and_go_meanwhile(self) -> None:
        stop = PLAIN["Event"]()

        def import_modules(number: int) -> None:
            while not stop.is_set():
                for i in range(50):
                    module = types.ModuleType(f"passing_{number}_{i}")
                    sys.modules[module.__name__] = module
                    vars(module).update({f"name_{j}": PLAIN["Lock"] for j in range(i)})
                for i in range(50):
                    del sys.modules[f"passing_{number}_{i}"]

        threads = [threading.Thread(target=import_modules, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                for name, names in ftthreading.install().stale.items():
                    assert not name.startswith("passing_") or names[0].startswith("name_")
        finally:
            stop.set()
            for thread in threads:
                thread.join()


class TestRecord:
    def test_is_immutable(self) -> None:
        record = ftthreading.install()
        with pytest.raises(AttributeError):
            record.replaced = {}
        with pytest.raises(AttributeError):
            del record.stale
        with pytest.raises(AttributeError):
            record.more = 1
        with pytest.raises(TypeError):
            record.replaced["Lock"] = None  # type: ignore[index]
        with pytest.raises(TypeError):
            record.stale["module"] = ()  # type: ignore[index]

    def test_compares_and_shows_by_value(self) -> None:
        record = Installation({"Lock": int}, {"module": ("Lock",)})
        assert record == Installation({"Lock": int}, {"module": ("Lock",)})
        assert record != Installation({"Lock": int}, {})
        assert record != ()
        assert repr(record) == (
            "Installation(replaced={'Lock': <class 'int'>}, stale={'module': ('Lock',)})"
        )
