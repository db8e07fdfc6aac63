"""Turns a page of a lesson into HTML.

The pages are Markdown, because that is how they are read where the source is. They are all ours and keep to a few forms
of it, which a test holds them to; so this is a page of code and no library: headings, paragraphs, lists, tables, fenced
blocks, and within a line code, emphasis and links.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from markupsafe import Markup, escape

from ..inspector.explaining.notes import section_url

FENCE: Final = re.compile(r"^```(\w*)(?: ([\w. ]+))?$")
INLINE: Final = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\*(?P<emphasis>[^*\s][^*]*)\*"
    r"|\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)"
)
SECTION: Final = re.compile(r"(?<!\[)\bRFC \d{4} §[\d.]*\d")
CODE: Final = re.compile(r"(^```.*?^```\n|`[^`\n]+`)", re.MULTILINE | re.DOTALL)

Block = Callable[[str, str, str], Markup]
"""Makes HTML of a fenced block: of its first word, the other words, and its text."""


def link_sections(source: str) -> str:
    """Have each section of an RFC that the text of a page names be a link to it."""
    parts = CODE.split(source)
    # What `CODE` has found is at odd places.
    parts[::2] = [
        SECTION.sub(lambda match: f"[{match[0]}]({section_url(match[0])})", part)
        for part in parts[::2]
    ]
    return "".join(parts)


def as_html(source: str, block: Block) -> Markup:
    """Return a page as HTML.

    Args:
        source: the page.
        block: makes the fenced blocks.
    """
    html: list[Markup] = []
    lines = link_sections(source).split("\n")
    while lines:
        line = lines.pop(0)
        fence = FENCE.match(line)
        if fence is not None:
            end = lines.index("```")
            html.append(block(fence[1], fence[2] or "", "\n".join(lines[:end])))
            del lines[: end + 1]
        elif line.startswith("#"):
            html.append(_heading(line))
        elif line.startswith("* "):
            items = [line[2:], *(each[2:] for each in _take(lines, "* "))]
            html.append(_element("ul", (_element("li", [inline(item)]) for item in items)))
        elif line.startswith("|"):
            html.append(_table([line, *_take(lines, "|")]))
        elif line.strip():
            paragraph = [line]
            while lines and lines[0].strip() and not lines[0].startswith(("#", "* ", "|", "```")):
                paragraph.append(lines.pop(0))
            html.append(_element("p", [inline("\n".join(paragraph))]))
    return Markup("\n").join(html)


def inline(text: str) -> Markup:
    """Return a line of text as HTML: code, emphasis and links in it."""
    parts: list[Markup] = []
    end = 0
    for match in INLINE.finditer(text):
        parts.append(escape(text[end : match.start()]))
        end = match.end()
        if match["code"] is not None:
            parts.append(Markup("<code>{}</code>").format(match["code"]))
        elif match["emphasis"] is not None:
            parts.append(Markup("<em>{}</em>").format(inline(match["emphasis"])))
        else:
            rel = Markup(' rel="noreferrer"') if match["target"].startswith("https:") else ""
            link = Markup('<a href="{}"{}>{}</a>')
            parts.append(link.format(match["target"], rel, inline(match["text"])))
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def _heading(line: str) -> Markup:
    signs, _, text = line.partition(" ")
    return _element(f"h{len(signs)}", [inline(text)])


def _table(rows: list[str]) -> Markup:
    """Make a table; its second row says that the first is its head."""
    head, _, *body = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    header = _element("tr", (_element("th", [inline(cell)]) for cell in head))
    content = [_element("tr", (_element("td", [inline(cell)]) for cell in row)) for row in body]
    return _element("table", [_element("thead", [header]), _element("tbody", content)])


def _element(name: str, children: Iterable[Markup]) -> Markup:
    tag = Markup(name)
    return Markup("<{}>{}</{}>").format(tag, Markup("").join(children), tag)


def _take(lines: list[str], beginning: str) -> list[str]:
    """Take the lines off the front that begin so."""
    count = next((i for i, line in enumerate(lines) if not line.startswith(beginning)), len(lines))
    taken = lines[:count]
    del lines[:count]
    return taken
