"""``python -m stress``."""

from __future__ import annotations

import sys

from toolkit.exits import Exit

from .cli.command_line import main

if __name__ == "__main__":
    try:
        code = main()
    except BrokenPipeError:
        code = 0
    except Exception:
        import traceback

        traceback.print_exc()
        print("VERDICT: THE HARNESS FAILED", file=sys.stderr)
        code = Exit.BROKEN
    sys.exit(code)
