"""The core's protocols, every interleaving of them: models for Spin.

A model is to be read beside the functions that its blocks name, and knows no memory orders: each
step sees all those before it. Each planted bug, a text in place of one that stands in the model
once, must be found, which shows that the model can fail.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODELS = Path(__file__).resolve().parent

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="compiles and loads a processor by itself"),
    pytest.mark.skipif(
        shutil.which("spin") is None or shutil.which("gcc") is None,
        reason="needs spin and gcc",
    ),
]

Patch = list[tuple[str, str]]

CROWD = ("-DSTRAY", "-DTHREADS=4", "-DROUNDS=1", "-DPATIENT")
PROGRESS = ("-DROUNDS=1",)
"""To be searched for runs without an end, which those without a bound on their rounds have."""

ASSERTION = "assertion violated"
STUCK = "invalid end state"
ENDLESS = "non-progress cycle"

CORRECT = [
    ("lock", ()),
    ("lock", ("-DSTRAY",)),
    ("lock", CROWD),
    ("lock", PROGRESS),
    ("raw_lock", ()),
    ("sleeper", ()),
    ("condition", ()),
]


def one_run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def search(model: str, variant: tuple[str, ...], folder: Path, patch: Patch, *find: str) -> str:
    """Search all states of a model; return what Spin's program has found and how many there were.

    find: what to look for, all by default. The program stops at the first error.
    """
    text = (MODELS / f"{model}.pml").read_text(encoding="utf-8")
    for old, new in patch:
        assert text.count(old) == 1, f"{model} has {text.count(old)} places like {old!r}, not one"
        text = text.replace(old, new)
    (folder / "model.pml").write_text(text, encoding="utf-8")
    one_run(["spin", "-a", *variant, "model.pml"], folder)
    endless = variant == PROGRESS
    flags = ["-DNP" if endless else "-DSAFETY", "-DMEMLIM=2000", "-w"]
    flags += ["-O0" if patch else "-O1"]  # to the first error it is not far
    one_run(["gcc", *flags, "-o", "pan", "pan.c"], folder)
    # A hash table of 2**20 places; a stack deep enough for the longest run.
    options = ["-w20", "-m1000000", *(["-l"] if endless else [])]
    options += ["-A"] if find and ASSERTION not in find else []
    options += ["-E"] if find and STUCK not in find else []
    return one_run(["./pan", *options], folder)


@pytest.mark.parametrize(("model", "variant"), CORRECT, ids=lambda each: "".join(each) or "plain")
def test_correct_model_holds(model: str, variant: tuple[str, ...], tmp_path: Path) -> None:
    found = search(model, variant, tmp_path, [])
    if "errors: 0" not in found:
        pytest.fail(found + one_run(["spin", "-t", "-p", *variant, "model.pml"], tmp_path))
    # Not only a part: neither the stack nor the memory was too small.
    assert "Full statespace search" in found, found
    assert not re.search(r"Search not completed|max search depth too small", found), found


PLANTED: dict[str, tuple[str, tuple[str, ...], Patch, str]] = {
    # Parks without looking at the word again under the bucket lock.
    "NO_RECHECK": ("lock", (), [("            locked; /* re-check */\n", "")], STUCK),
    # Lets go of the bucket lock between the word and the queue.
    "JOIN_LATE": (
        "lock",
        (),
        [("        link();\n", "        bucket = 0; lock_bucket(); link();\n")],
        STUCK,
    ),
    # Releases without looking whether somebody waits.
    "IGNORE_PARKED": ("lock", (), [("locked && (awake || !parked)", "locked")], STUCK),
    # Believes that nobody waits any more when one is woken.
    "CLEAR_PARKED": (
        "lock",
        (),
        [("awake = 1;\n                parked = nempty(queue)", "awake = 1;\n        parked = 0")],
        STUCK,
    ),
    # Goes back to sleep still holding the AWAKE bit, or takes the lock with it.
    "KEEP_AWAKE": ("lock", (), [("parked = 1;\n            clear_mine()", "parked = 1")], STUCK),
    "TAKE_AWAKE": ("lock", (), [("take();\n            clear_mine()", "take()")], STUCK),
    # Lets a timeout win over a verdict that was already decided.
    "TIMEOUT_WINS": ("lock", (), [("posted[me];\n        goto woken\n", "goto start\n")], STUCK),
    # Is gone, and still in the queue.
    "STAY_QUEUED": (
        "lock",
        (),
        [("queue??eval(me); unlock_bucket() } /* ftt_unlink() */", "unlock_bucket() }")],
        STUCK,
    ),
    # Takes the post of an earlier sleep for its own.
    "STALE_POST": ("lock", (), [(" posted[me] = 0;", "")], ASSERTION),
    # Hands over a lock that it has let go.
    "FREE_HANDOFF": ("lock", (), [("hand_over();\n", "hand_over(); locked = 0;\n")], ASSERTION),
    # Releases what another release has freed meanwhile; or hands it on.
    "RELEASE_FREE": (
        "lock",
        ("-DSTRAY",),
        [("locked && empty(queue)", "empty(queue)")],
        ASSERTION,
    ),
    "HAND_ON_FREE": (
        "lock",
        CROWD,
        [("locked && nempty(queue) && !awake; /* due */", "nempty(queue);")],
        ASSERTION,
    ),
    # Believes that nobody waits, as one is awake.
    "CLEAR_CROWD": (
        "lock",
        CROWD,
        [("nempty(queue) && awake -> ", "nempty(queue) && awake -> parked = 0; ")],
        STUCK,
    ),
    # Sets AWAKE for a waiter without its claim: after a fork nobody would take it back.
    "NO_CLAIM": ("lock", (), [("claims = claims | (1 << oldest)", "true")], ASSERTION),
    # Does not queue because somebody else is awake.
    "REFUSE_AWAKE": (
        "lock",
        PROGRESS,
        [
            (
                "!locked -> unlock_bucket(); goto contend",
                "!locked || awake -> bucket = 0; goto contend",
            )
        ],
        ENDLESS,
    ),
    # Takes a contended raw lock as if nobody else slept on it.
    "FORGET_SLEEPERS": (
        "raw_lock",
        (),
        [("seen = word; word = 2", "seen = word; word = (seen == 0 -> 1 : 2)")],
        STUCK,
    ),
    # Sleeps after a look, not in one step with it.
    "SLEEP_BLINDLY": (
        "raw_lock",
        (),
        [("atomic { word == 2 -> in_kernel[me] = 1 };", "word == 2 -> in_kernel[me] = 1;")],
        STUCK,
    ),
    # Looks whether the raw lock is free, and then takes it.
    "TWO_STEPS": (
        "raw_lock",
        (),
        [("atomic { word == 0 -> word = 1; goto", "word == 0; atomic { word = 1; goto")],
        ASSERTION,
    ),
    # Believes that nobody sleeps whom it posts.
    "POST_UNWOKEN": ("sleeper", (), [("asleep = (state == ASLEEP)", "asleep = 0")], STUCK),
    # Falls asleep although it has been posted.
    "SLEEP_OVER": ("sleeper", (), [("assert(state == POSTED)", "state = ASLEEP")], STUCK),
    # Interrupts who has been posted.
    "INTERRUPT_POSTED": (
        "sleeper",
        (),
        [("state == ASLEEP -> state = INTERRUPTED", "state != AWAKE -> state = INTERRUPTED")],
        ASSERTION,
    ),
    # Ends a call that another thread has thrown into, and is still looking at.
    "END_UNREAD": ("sleeper", (), [("    !reader;\n", "")], ASSERTION),
    # Says that it has not thrown what has been raised.
    "DENY_THROW": ("sleeper", (), [("!thrown -> balance--", "!thrown")], ASSERTION),
    # Goes without waiting for the post that is on its way.
    "LEAVE_POST": ("sleeper", (), [("!queued -> decided = 1; goto sleep", "!queued")], ASSERTION),
    # Has timed out, although it was told.
    "LOSE_NOTIFIED": (
        "condition",
        (),
        [
            (
                "goto await_post\n    :: atomic { queue??[eval(me)] -> queue",
                "goto take_back\n    :: atomic { queue??[eval(me)] -> queue",
            )
        ],
        ASSERTION,
    ),
    # Raises, and keeps the notification that others wait for.
    "KEEP_NOTIFIED": (
        "condition",
        (),
        [("raised && notified -> count = 1; notify();", "raised && notified ->")],
        ASSERTION,
    ),
    # Queues after it has released the lock.
    "QUEUE_LATE": (
        "condition",
        (),
        [
            ("lock_bucket(); /* park.c: ftt_park_join()", "lock = 0; lock_bucket(); /*"),
            ("    lock = 0;\n\nsleep", "sleep"),
        ],
        ASSERTION,
    ),
    # Counts nobody, although some still wait.
    "MISCOUNT": ("condition", (), [("waiters = len(queue);", "waiters = 0;")], ASSERTION),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bug_is_found(bug: str, tmp_path: Path) -> None:
    model, variant, patch, error = PLANTED[bug]
    found = search(model, variant, tmp_path, patch, error)
    assert error in found, found
