"""What a reader is told, out of code, notebooks and templates into a catalogue: make messages.

Babel's own reader of Python overlooks a call within a call, so that the tree is walked here.
"""

import ast
import io
import json
import re
import sys
from datetime import UTC, datetime

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from evaluation.report.notebook_words import split_blocks
from tests.conftest import REPO

PO = REPO / "evaluation" / "locale" / "zh" / "LC_MESSAGES" / "evaluation.po"
MO = PO.with_suffix(".mo")
WORDS = {"say": 1, "say_count": 2, "mark": 1, "inscribe": 1}
"""The functions that say, and how many of their arguments are messages."""


def find_messages():
    """Give every message, (one, many) for a counted one, and the file that says it."""
    found = {}
    for path in sorted((REPO / "evaluation").rglob("*.py")):
        for message in python_messages(path.read_text(encoding="utf-8")):
            found.setdefault(message, path.relative_to(REPO).as_posix())
    for path in sorted((REPO / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for _, text in split_blocks("".join(cell["source"])):
                    found.setdefault(text, path.relative_to(REPO).as_posix())
    for path in sorted((REPO / "evaluation").rglob("*.j2")):
        with path.open("rb") as file:
            for _, _, given, _ in babel_extract(file, list(WORDS), [], {}):
                texts = [given] if isinstance(given, str) else [t for t in given if t]
                message = texts[0] if len(texts) == 1 else tuple(texts[:2])
                found.setdefault(message, path.relative_to(REPO).as_posix())
    found.pop("", None)
    return found


def python_messages(source):
    """Give the literals that a module says."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = node.args[: WORDS.get(name, 0)]
            texts = [a.value for a in given if isinstance(a, ast.Constant)]
            if given and len(texts) == WORDS[name]:
                yield texts[0] if len(texts) == 1 else tuple(texts)


def read_catalogue(path=PO):
    """Give the Chinese of every message, by the message or the first of a counted one."""
    with path.open("rb") as file:
        messages = [message for message in read_po(file, locale="zh") if message.id]
    return {first(message.id): first(message.string) or "" for message in messages}


def first(texts):
    """Give a message's key: a counted one goes by the form for one thing."""
    return texts if isinstance(texts, str) else texts[0]


def fields(text):
    """Give the fields of a message."""
    return set(re.findall(r"\{(\w*)", text))


def make_catalogue(found, chinese):
    """Make the catalogue of the messages, with the Chinese that is known."""
    catalogue = Catalog(locale="zh", project="village-evaluation", fuzzy=False)
    for message in found:
        text = chinese.get(first(message), "")
        catalogue.add(message, string=text if isinstance(message, str) else (text,))
    return catalogue


def to_po(catalogue):
    """Give a catalogue as text; its head holds no date, so that equal ones are equal."""
    file = io.BytesIO()
    write_po(file, catalogue, no_location=True, sort_output=True, omit_header=True, width=96)
    head = (
        'msgid ""\nmsgstr ""\n"Language: zh\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    )
    forms = '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    return (head + forms).encode() + file.getvalue()


def to_mo(po):
    """Compile a catalogue for gettext; the date in its head is always the same."""
    file = io.BytesIO()
    catalogue = read_po(io.BytesIO(po), locale="zh")
    catalogue.creation_date = datetime(2000, 1, 1, tzinfo=UTC)
    write_mo(file, catalogue)
    return file.getvalue()


def main():
    """Write the catalogue, and say which messages have no Chinese."""
    found, chinese = find_messages(), read_catalogue() if PO.exists() else {}
    po = to_po(make_catalogue(found, chinese))
    PO.write_bytes(po)
    MO.write_bytes(to_mo(po))
    missing = [message for message in found if not chinese.get(first(message))]
    for message in missing:
        print(f"{found[message]}: {first(message)!r}")
    print(f"{len(found)} messages, {len(missing)} without Chinese: give it in {PO.name}")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
