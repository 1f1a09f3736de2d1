"""Watches a batch that a child process runs: slow is not stuck, and no hang goes unseen.

Stuck means one of two. All threads that belong to the scenario sleep, and none was switched to,
for longer than any wait of the scenario lasts: then nothing can ever wake them. Or no operation
is done for BUSY_SECONDS though threads run, or no round ends for SLOW times as long.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import time
from pathlib import Path
from random import Random

from toolkit.child import INTERRUPTS

from ..nemeses.nemesis import PATIENCE
from ..processes import crashes
from ..processes.drift import Drift
from ..processes.kernel import native_stacks, threads
from ..records import findings
from ..records.batch import Batch, BatchResult, seed_of, write_atomically
from ..records.findings import Finding
from . import catalogue
from .process import Child

BUSY_SECONDS = 40.0
SLOW = 3
START_SECONDS = 90.0
STACK_SECONDS = 5.0
AFTERMATH_SECONDS = 1.0
MOST_OUTPUT = 16 * 2**20
"""Bytes that a batch may print."""


class Supervisor:
    """One batch in a child, from its start to its end."""

    def __init__(self, batch: Batch, folder: Path, child: Child) -> None:
        self.batch = batch
        self.folder = folder
        self.child = child
        self.scenario = catalogue.find(batch.scenario, batch.files)
        self.heartbeat = child.heartbeat
        self.drift = Drift()
        self.begin = time.monotonic()
        self._stop_rng = Random(seed_of(batch.seed, "stop"))
        self._next_stop = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "batch.json", dataclasses.asdict(batch))
        child.begin(folder)

    def watch(self, native: bool, limit: float = float("inf")) -> BatchResult:
        """Return what the child did when the batch has ended, or been ended.

        native: C stacks, too. limit: seconds after which it is ended without a judgement. The
        child has ended, too, unless it can take another batch. Raises Interrupted.
        """
        try:
            return self._watch(native, limit)
        finally:
            if not self.child.is_free():
                self.child.end()

    def _watch(self, native: bool, limit: float) -> BatchResult:
        progress, since = self.heartbeat.progress(), time.monotonic()
        asleep: dict[int, tuple[str, int]] = {}
        asleep_since = looked = worked = since
        ops = self.heartbeat.ops
        while not self.child.has_ended(0.01):
            INTERRUPTS.check()
            now = time.monotonic()
            if now - self.begin > limit:
                return self.result()
            if self.heartbeat.progress() != progress:
                progress, since = self.heartbeat.progress(), now
                asleep_since = now
            if now - since < PATIENCE:
                self.maybe_stop()
            if now - looked < 0.2:
                continue
            looked = now
            self.drift.look(self.child.pid)
            if self.child.printed() > MOST_OUTPUT:
                return self.too_much()
            if now - since < 0.4:
                continue
            if now - since > AFTERMATH_SECONDS and self.found():
                return self.stuck("", native)  # the finding's own aftermath
            current = self.scenario_threads()
            if current != asleep or any(state != "S" for state, _ in current.values()):
                asleep, asleep_since = current, now
            stuck = current and now - asleep_since >= self.scenario.quiet
            if self.heartbeat.ops != ops:
                ops, worked = self.heartbeat.ops, now
            patience = BUSY_SECONDS if self.ready() else START_SECONDS
            if now - worked < patience:
                patience *= SLOW
            if stuck and self.ready():
                return self.stuck("all threads sleep", native)
            if now - since > patience + self.scenario.quiet:
                return self.stuck(f"no round has ended for {patience:g} seconds", native)
        return self.ended()

    def ready(self) -> bool:
        """Return whether rounds have begun."""
        return (self.folder / "begun").exists()

    def scenario_threads(self) -> dict[int, tuple[str, int]]:
        """Return the state of the child's threads but those of nemeses."""
        extras = self.heartbeat.extras()
        return {t: s for t, s in threads(self.child.pid).items() if t not in extras}

    def maybe_stop(self) -> None:
        """Be the nemesis `stop`: freeze the child for a while, so that time passes at once."""
        if "stop" not in self.batch.nemeses or time.monotonic() < self._next_stop:
            return
        if self.ready():
            self.child.signal(signal.SIGSTOP)
            time.sleep(self._stop_rng.uniform(0.001, 0.02))
            self.child.signal(signal.SIGCONT)
        self._next_stop = time.monotonic() + self._stop_rng.uniform(0.02, 0.1)

    def stuck(self, message: str, native: bool) -> BatchResult:
        """Get all stacks of a child that hangs, and make a finding of it."""
        result = self.result()
        if self.scenario.expects_hang:
            result.outcomes["deadlock noticed"] += 1
            result.rounds += 1
            result.finished = True
            return result
        found = self.found()
        if found:  # who has failed may leave the others waiting
            result.findings = [finding.fingerprint for finding in found]
            return result
        stacks = self.stacks(native)
        return self.keep(
            kind="hang",
            oracle="progress",
            message=f"{message}; who waits can never be woken"
            if message.startswith("all")
            else f"{message}, though threads run",
            details=stacks,
            blame=crashes.blame_for_hang(stacks, self.batch.target),
        )

    def too_much(self) -> BatchResult:
        """Make a finding of a target that prints and prints."""
        return self.keep(
            kind="output",
            oracle="output",
            message=f"more than {MOST_OUTPUT // 2**20} MiB were printed in one batch",
            details=self.child.output(2000),
            blame="target",
        )

    def keep(self, **what: str) -> BatchResult:
        """Write a finding of the supervisor's own."""
        result = self.result()
        finding = Finding(
            batch=self.batch,
            round=self.heartbeat.current,
            ops=max(result.ops, self.heartbeat.ops),
            seconds=time.monotonic() - self.begin,
            **what,
        )
        finding.write(self.folder / "found")
        result.findings = [finding.fingerprint]
        return result

    def stacks(self, native: bool) -> str:
        """Return all stacks, the Python ones first; if the child cannot answer, abort it."""
        python = self.answer()
        below = "\nnative stacks:\n" + native_stacks(self.child.pid) if native else ""
        return (python or self.last_words()) + below

    def answer(self) -> str:
        """Ask the child for its Python stacks; return as much of them as it writes in time."""
        path = self.folder / "stacks.txt"
        self.child.send(b"stacks")
        deadline = time.monotonic() + STACK_SECONDS
        while time.monotonic() < deadline:
            INTERRUPTS.check()
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            if text.endswith("(end)\n"):
                return text
            time.sleep(0.02)
        return text

    def last_words(self) -> str:
        """Abort the child; return what faulthandler says then."""
        if self.child.abort():
            return self.child.output()
        return "the child answers neither a request for its stacks nor SIGABRT"

    def ended(self) -> BatchResult:
        """Judge how a batch has ended that nobody has ended."""
        result = self.result()
        code = self.child.exit_code()
        text = self.child.output()
        if (code is None or code == 0) and "WARNING: ThreadSanitizer" in text:
            code = 66
        if code is None or (code == 0 and result.finished):
            return result
        if code == 70 and result.error:
            return result
        if code in (1, 2, 3):
            result.error = f"the child process ended with {code}\n{text}"
            return result
        crash = crashes.judge(code, text, self.batch.target)
        return self.keep(
            kind="crash",
            oracle=crash.oracle,
            message=crash.message,
            details=text[-8000:],
            blame=crash.blame,
        )

    def result(self) -> BatchResult:
        """Read the child's own account of itself; an empty one, if it has not come that far."""
        try:
            text = (self.folder / "result.json").read_text(encoding="utf-8")
            result = BatchResult.from_json(json.loads(text))
        except OSError:
            result = BatchResult(self.batch)
        result.rounds = max(result.rounds, self.heartbeat.done)
        result.seconds = result.seconds or time.monotonic() - self.begin
        result.drift = self.drift.summary()
        return result

    def found(self) -> list[Finding]:
        """Return the child's findings."""
        return findings.read_all(self.folder / "found")
