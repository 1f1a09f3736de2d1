"""Bugs of ThreadPoolExecutor."""

from __future__ import annotations

from .bug import Bug, Edit

THREAD = "concurrent.futures.thread"

BUGS = (
    Bug(
        "pool_starts_threads_it_has",
        "futures",
        "bpo-24882",
        "each submit() starts one more thread, though others have nothing to do",
        THREAD,
        (
            Edit(
                "        if self._idle_semaphore.acquire(timeout=0):\n            return\n",
                "        self._idle_semaphore.acquire(timeout=0)\n",
            ),
        ),
    ),
    Bug(
        "pool_broken_with_work_waiting",
        "futures",
        "bpo-21423 (under review)",
        "when a thread's initializer fails, the futures that wait are never done",
        THREAD,
        (
            Edit(
                "            # Drain work queue and mark pending futures failed\n"
                "            while True:\n",
                "            while False:\n",
            ),
        ),
    ),
    Bug(
        "pool_cancels_without_notice",
        "futures",
        "gh-87893 (open)",
        "as_completed() and wait() do not hear of what shutdown(cancel_futures=True) cancels",
        THREAD,
        (),
        repair=(
            Edit(
                "                        work_item.future.cancel()\n",
                "                        work_item.future.cancel()\n"
                "                        work_item.future.set_running_or_notify_cancel()\n",
            ),
        ),
    ),
    Bug(
        "pool_shutdown_ends_one_thread",
        "futures",
        "agronholm/pythonfutures#21, ftpsolutions/collapsing-thread-pool-executor#3",
        "a thread that ends does not tell the others: shutdown() waits for ever if there are two",
        THREAD,
        (
            Edit(
                "                work_queue.put(None)\n                return\n",
                "                return\n",
            ),
        ),
    ),
)
