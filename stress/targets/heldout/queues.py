"""Bugs of the queues."""

from __future__ import annotations

from .bug import Bug, Edit

COUNTS = "            self._put(item)\n            self.unfinished_tasks += 1\n"

BUGS = (
    Bug(
        "queue_shutdown_leaves_getters",
        "queue",
        "gh-117531",
        "shutdown() that is not immediate does not wake who waits in get()",
        "queue",
        (
            Edit(
                "            self.not_empty.notify_all()\n",
                "            if immediate:\n                self.not_empty.notify_all()\n",
            ),
        ),
    ),
    Bug(
        "queue_shutdown_leaves_putters",
        "queue",
        "gh-96471 (under review)",
        "shutdown() does not wake who waits in put()",
        "queue",
        (Edit("            self.not_full.notify_all()\n", ""),),
    ),
    Bug(
        "queue_shutdown_keeps_the_count",
        "queue",
        "gh-96471 (GH-96474, under review)",
        "shutdown(immediate=True) drops the items but not their count: join() waits for ever",
        "queue",
        (
            Edit(
                "                        self.unfinished_tasks -= 1\n",
                "                        pass\n",
            ),
        ),
    ),
    Bug(
        "queue_shutdown_forgets_tasks_at_work",
        "queue",
        "gh-96471 (GH-102499, under review)",
        "shutdown(immediate=True) sets the count to zero: task_done() of who works raises",
        "queue",
        (
            Edit(
                "                self.all_tasks_done.notify_all()\n            #",
                "                self.unfinished_tasks = 0\n"
                "                self.all_tasks_done.notify_all()\n            #",
            ),
        ),
    ),
    Bug(
        "queue_counts_after_the_item_is_seen",
        "queue",
        "bpo-4660 (multiprocessing.JoinableQueue)",
        "an item can be got before it is counted: task_done() raises, or join() ends too early",
        "queue",
        (
            Edit(
                COUNTS + "            self.not_empty.notify()\n",
                "            self._put(item)\n"
                "            self.not_empty.notify()\n"
                "        with self.mutex:\n"
                "            self.unfinished_tasks += 1\n",
            ),
        ),
    ),
    Bug(
        "queue_counts_a_refused_item",
        "queue",
        "bpo-544473",
        "an item that the queue refuses, as it cannot be compared, is counted: join() never ends",
        "queue",
        (Edit(COUNTS, "            self.unfinished_tasks += 1\n            self._put(item)\n"),),
    ),
    Bug(
        "simple_queue_not_reentrant",
        "queue",
        "bpo-14976",
        "put() from a signal handler or destructor that comes in the midst of put() waits for"
        " ever (rare)",
        "queue",
        (Edit("if SimpleQueue is None:\n", "if True:\n"),),
    ),
)
