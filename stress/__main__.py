"""``python -m stress``."""

from __future__ import annotations

import sys

from toolkit.address import lacks
from toolkit.exits import Exit, call

if __name__ == "__main__":
    try:
        from .cli.command_line import main
    except ModuleNotFoundError as error:
        print(lacks("stress", error), file=sys.stderr)
        sys.exit(Exit.TOO_LITTLE)
    try:
        code = call(main)
    except Exception:
        import traceback

        traceback.print_exc()
        print("VERDICT: THE HARNESS FAILED", file=sys.stderr)
        code = Exit.BROKEN
    sys.exit(code)
