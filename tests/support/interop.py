"""Run a program that uses a library, under plain python and under the launcher.

Both have to print the same. And the program shows objects, those that the library made for itself
among them: none is ftthreading's under plain python, each is under the launcher. Without that, a
library that went past us would look as if it worked with us.
"""

import re
from pathlib import Path

from tests.support.launching import LAUNCHER, place, run

PRELUDE = """\
import _thread, sys, threading
SECONDS = 60
whole_lines = _thread.allocate_lock()
def show(**objects):
    ours = sys.modules.get("ftthreading")
    types = {value for value in vars(ours).values() if isinstance(value, type)} if ours else set()
    with whole_lines:
        for name, value in objects.items():
            sys.stdout.write(f"SHOWN {name} {not types.isdisjoint(type(value).__mro__)}\\n")
def in_threads(count, function, *arguments):
    threads = [threading.Thread(target=function, args=(i, *arguments)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
if __name__ == "__main__":
    show(lock=threading.Lock(), thread=threading.current_thread())
"""
"""What each program begins with.

show(name=object, ...) shows objects, from any thread, by their real types, for isinstance() takes
an interpreter's lock for one of ours under the launcher. print() would let the words of others get
between its own. in_threads() runs a function in threads, and gives each its number.
"""


def check_both(
    cwd: Path, source: str, *arguments: str, options: tuple[str, ...] = (), input: str = ""
) -> str:
    """Run a script, after PRELUDE, both ways; return what it printed but for the objects."""
    operands, _ = place(cwd, "script", PRELUDE + source)
    answers = []
    for launcher, shown in (([], "False"), (LAUNCHER, "True")):
        code, output, errors = run(cwd, *options, *launcher, *operands, *arguments, input=input)
        assert (code, errors) == (0, ""), output + errors
        objects = re.findall(r"^SHOWN (\w+) (\w+)$", output, re.MULTILINE)
        assert len(objects) > 2, "the program shows no object of the library"
        assert [name for name, ours in objects if ours != shown] == []
        answers.append(re.sub(r"^SHOWN .*\n", "", output, flags=re.MULTILINE))
    plain, ours = answers
    assert ours == plain
    return ours
