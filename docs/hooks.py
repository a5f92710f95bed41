"""What mkdocs does to a page besides: it takes text from files outside of docs/, and names what the theme does not.

A page asks by a comment for a section of the README, or for a whole file, and gets it with links that hold on the site:

    <!-- section README.md what-it-promises -->
    <!-- section CHANGELOG.md -->
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_ASKED = re.compile(r"^<!-- section (\S+\.md)(?: (\S+))? -->$", re.MULTILINE)
_OTHERS = re.compile(r"^<!-- .* -->\n", re.MULTILINE)
_NAME = re.compile(r"(?<!</span>)(<code>)([^<\s]+)(?=</code>)")
_LONG = 20
"""What has fewer characters is not broken."""
_LINK = re.compile(r"(?<=\]\()docs/")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Fill in the sections that a page asks for."""
    return _ASKED.sub(lambda found: section(found[1], found[2]), markdown)


def on_post_page(output: str, **_: object) -> str:
    """Give the search, which is a dialog, its name; an empty corner of a table is no header.

    A long name, such as that of a test, may be broken between its words; in a table it is broken nowhere else.
    """
    named = output.replace('role="dialog">', 'role="dialog" aria-label="Search">')
    return _NAME.sub(_broken, re.sub(r"<th( [^>]*)?></th>", r"<td\1></td>", named))


def _broken(name: re.Match[str]) -> str:
    return name[0] if len(name[2]) < _LONG else name[1] + re.sub(r"(::|[/_]|\.(?!py\b))(?=[^\W_])", r"\1<wbr>", name[2])


def section(file: str, slug: str | None) -> str:
    """A section without its heading, or all of a file without its title.

    Raises:
        ValueError: there is no such section.
    """
    text = _LINK.sub("", _OTHERS.sub("", (ROOT / file).read_text(encoding="utf-8")))
    if slug is None:
        return text.partition("\n")[2].strip()
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        if re.sub(r"\W+", "-", title.lower()).strip("-") == slug:
            return body.strip()
    raise ValueError(f"{file} has no section {slug!r}")
