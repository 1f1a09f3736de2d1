"""Files that are there whole, or as they were before."""

import os
import pathlib


def write(path: pathlib.Path, text: str) -> None:
    """Write the file at once, so that an interrupted call leaves the one before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
