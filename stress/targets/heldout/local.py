"""Bugs of local: the module in Python, whose values belong to Thread objects."""

from __future__ import annotations

from .bug import Bug, Edit

IMPORT = "from threading import current_thread, RLock\n"

BUGS = (
    Bug(
        "local_values_of_a_dead_thread",
        "local",
        "bpo-6990, ruby-concurrency/concurrent-ruby#163",
        "a thread that has the ident of a dead one sees that one's values",
        "_threading_local",
        (
            Edit(
                "        return self.dicts[id(thread)][1]\n",
                "        return self.dicts[get_ident()][1]\n",
            ),
            Edit("        idt = id(thread)\n", "        idt = get_ident()\n"),
            Edit("local.dicts.pop(idt)\n", "local.dicts.pop(idt, None)\n"),
            Edit(IMPORT, "from threading import current_thread, get_ident, RLock\n"),
        ),
    ),
    Bug(
        "local_values_outlive_the_thread",
        "local",
        "bpo-1868",
        "values live as long as the Thread object, and not as long as the thread",
        "_threading_local",
        (),
    ),
)
