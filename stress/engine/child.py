"""The child process that runs batches, one after the other: started by the supervisor only.

    python -m stress.engine.child FOLDER PARENT

A line on standard input names the folder of a batch, or asks for all stacks (``stacks``). It reads
``batch.json`` in there and writes ``result.json``, every second and at the batch's end. A finding
is on the disk before anything else happens. Where a batch has found something, or has left
something behind, the process ends after it, and a new one takes the next. When the supervisor goes
away, the end of standard input is the end of this process.
"""

from __future__ import annotations

import _thread
import faulthandler
import json
import os
import queue
import select
import sys
import traceback
from pathlib import Path

from ..processes.heartbeat import Heartbeat
from ..processes.kernel import die_with
from ..records.batch import BatchResult, batch_from_json, write_atomically
from .rounds import Rounds

REFEREE = tuple(
    f"{Path(__file__).parents[1]}/{part}"
    for part in ("engine/child.py", "engine/rounds.py", "engine/team.py", "nemeses/")
)
"""Files whose frames tell nothing about a hang."""
TELL_SECONDS = 1.0


def answer(
    heartbeat: Heartbeat, batches: queue.SimpleQueue[Path], tid: queue.SimpleQueue[int]
) -> None:
    """Do what the supervisor wishes on standard input, until its end.

    Meanwhile tell how many operations were done, for the sake of rounds that take long.
    """
    tid.put(_thread.get_native_id())
    pending = b""
    while True:
        if (running := rounds) is not None:
            heartbeat.ops = sum(actor.ops for actor in running.actors)
        if not select.select([0], [], [], TELL_SECONDS)[0]:
            continue
        if not (read := os.read(0, 4096)):
            break
        *lines, pending = (pending + read).split(b"\n")
        for line in lines:
            if line != b"stacks":
                batches.put(Path(os.fsdecode(line)))
            elif (running := rounds) is not None:
                tell_stacks(running)
    os._exit(3)


def tell_stacks(rounds: Rounds) -> None:
    """Write all threads' stacks, and the state of the scenario, into the batch's folder."""
    with open(rounds.folder / "stacks.txt", "w", encoding="utf-8") as file:
        # Looking at other threads' frames stops them all first. Should that hang too, a
        # watchdog that asks nobody writes what it can.
        faulthandler.dump_traceback_later(2, file=file)
        mine = _thread.get_ident()
        for ident, frame in sys._current_frames().items():
            stack = traceback.extract_stack(frame)
            calls = [call for call in stack if not call.filename.startswith(REFEREE)]
            if ident != mine and calls:
                text = "".join(traceback.format_list(calls))
                print(f"thread {ident:#x}, the newest call last:\n{text}", file=file)
        faulthandler.cancel_dump_traceback_later()
        file.flush()
        for stage in rounds.stages:
            print(f"state of {stage.name()}:", file=file)
            for name, value in list(vars(stage).items()):
                print(f"  {name} = {value!r}", file=file)
        print("(end)", file=file, flush=True)


rounds: Rounds | None = None
"""What runs in this process, for `answer`."""


def main(folder: Path, parent: int) -> None:
    """Run batches, and leave without any cleaning up: threads may be stuck."""
    global rounds
    die_with(parent)
    faulthandler.enable()
    heartbeat = Heartbeat(folder / "heartbeat")
    batches: queue.SimpleQueue[Path] = queue.SimpleQueue()
    answering: queue.SimpleQueue[int] = queue.SimpleQueue()
    _thread.start_new_thread(answer, (heartbeat, batches, answering))
    extra = answering.get()
    clean = True
    while clean:
        work = batches.get()
        wish = json.loads((work / "batch.json").read_text(encoding="utf-8"))
        batch = batch_from_json(wish)
        heartbeat.begin()
        heartbeat.add_extra(extra)
        try:
            rounds = Rounds(batch, work, heartbeat)
            clean = rounds.go()
        except BaseException:
            result = BatchResult(batch, error=traceback.format_exc())
            write_atomically(work / "result.json", result.to_json())
            os._exit(70)
        rounds = None
        heartbeat.end(stays=clean)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
