"""The numbers in a table's files for LaTeX and Word, in their order."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from lxml import etree

from evaluation.report.numbers.tokens import read_tokens

_SPANNED = re.compile(r"\\multicolumn\{\d+\}\{(?:[^{}]|\{[^{}]*\})*\}|\\makecell\[\w+\]")
_REPEATED = re.compile(r"\\endfirsthead.*?\\endhead", re.DOTALL)
_PRINTED = {
    r"\allowbreak{}": "", "$-$": "-", "{}": "", r"\_": "_", "~": " ", r"\textless": "<",
    r"\textgreater": ">", "{[}": "[", "{]}": "]", r"\%": "%", r"\newline": "\n", r"\\": "\n",
}  # fmt: skip
_LARGEST = 100_000_000  # bytes; a table of a thousand rows has some millions
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_BREAKS = {f"{_WORD}br": "\n", f"{_WORD}tab": " "}


def read_latex(path: Path) -> list[str]:
    """Give the numbers in the rows of a table in LaTeX; none if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    rows = [
        row
        for row in _REPEATED.sub("", text).splitlines()
        if row.rstrip().endswith(r"\\") and not row.startswith(r"\caption")
    ]
    lines: list[str] = []
    for row in rows:
        plain = _SPANNED.sub(" ", row)
        for typed, printed in _PRINTED.items():
            plain = plain.replace(typed, printed)
        lines += [line for cell in plain.split(" & ") for line in cell.split("\n")]
    return _numbers(lines)


def read_word(path: Path) -> list[str]:
    """Give the numbers in the cells of the tables of a Word file; none if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as file:
            if file.getinfo("word/document.xml").file_size > _LARGEST:
                return []
            root = etree.fromstring(file.read("word/document.xml"))
    except (OSError, KeyError, zipfile.BadZipFile, etree.XMLSyntaxError):
        return []
    lines: list[str] = []
    for cell in root.iter(f"{_WORD}tc"):
        for paragraph in cell.iter(f"{_WORD}p"):
            parts = (
                part.text or "" if part.tag == f"{_WORD}t" else _BREAKS.get(part.tag, "")
                for part in paragraph.iter()
            )
            lines += "".join(parts).split("\n")
    return _numbers(lines)


def _numbers(lines: list[str]) -> list[str]:
    return [token.plain for line in lines for token in read_tokens(line)[1]]
