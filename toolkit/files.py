"""Files that are there whole, or as they were before."""

import _thread
import os
import pathlib


def write_atomically(path: pathlib.Path, text: str) -> None:
    """Write so that whoever reads, whenever we are killed, finds all of it or what was before.

    Its folders are made where there are none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{_thread.get_ident()}")
    try:
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
