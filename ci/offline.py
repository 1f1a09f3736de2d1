"""Names what a folder of web pages would load from a network: pages here are read without one.

python -m ci.offline FOLDER

Links that a reader may follow are no loading. Exit code 1 if there is any.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ELSEWHERE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
STYLE = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
SCRIPT = re.compile(r"(?:fetch|import|importScripts|Worker)\(\s*['\"]((?:https?:)?//[^'\"]+)")
LOADING = {"src", "srcset", "data", "poster", "href", "xlink:href", "action"}


class Page(HTMLParser):
    """Collects what one page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        for name, value in attributes:
            if name == "style":
                self.found += STYLE.findall(value or "")
            elif name in LOADING and tag not in ("a", "form") and ELSEWHERE.match(value or ""):
                self.found.append(f"<{tag} {name}={value}>")


def loads(path: Path) -> list[str]:
    """Return what a page, a style sheet or a script would load from elsewhere."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".html":
        page = Page()
        page.feed(text)
        styles = "".join(re.findall(r"(?s)<style.*?</style>", text))
        return page.found + STYLE.findall(styles)
    if path.suffix == ".js":
        return SCRIPT.findall(text)
    return STYLE.findall(text)


def look(folder: Path) -> Iterator[str]:
    """Name each such thing, and where it is."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".html", ".css", ".js", ".svg"):
            yield from (f"{path.relative_to(folder)}: {what}" for what in loads(path))


def main(arguments: list[str]) -> int:
    """Print what is found; return the exit code."""
    (folder,) = arguments
    found = list(look(Path(folder)))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
