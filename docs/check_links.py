#!/usr/bin/env python3
"""Checks the rendered book: every link and image leads to a file, and every fragment to an anchor in it.

Usage: check_links.py FOLDER

Links to other hosts are not followed.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors of a page, and what it links to."""

    def __init__(self, path):
        super().__init__()
        self.anchors = {"", "top"}
        self.links = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name in ("href", "src") and value is not None:
                self.links.append((self.getpos()[0], value))


def main(root):
    # What the print page holds is checked where it comes from. The page for missing files has links from the root.
    pages = {path: Page(path) for path in sorted(root.rglob("*.html")) if path.name not in ("print.html", "404.html")}
    if not pages:
        sys.exit(f"{root} holds no pages")

    checked, dead = 0, []
    for path, page in pages.items():
        for line, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            checked += 1
            where = f"{path.relative_to(root)}:{line}: {link}"

            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_relative_to(root):
                dead.append(f"{where} leaves the book")
            elif not target.is_file():
                dead.append(f"{where} leads to no file")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                dead.append(f"{where} leads to no anchor of the page")

    for line in dead:
        print(line)
    print(f"{len(pages)} pages, {checked} links, {len(dead)} dead")
    return 1 if dead or checked == 0 else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).resolve()))
