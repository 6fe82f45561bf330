"""Read comma and tab separated text, in UTF-8 or in the encodings that Chinese files have."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import charset_normalizer

from evaluation.errors import DataError, raise_problems
from evaluation.language import mark, say

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")

_PLAUSIBLE_SHARE = 0.9  # of GB2312 among the characters: Chinese text has all, misread text few
_SAMPLE = 65_536  # bytes from which a foreign encoding is guessed
_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon"}
_SEPARATED = {
    "\t": mark("cells separated by tabs, not commas"),
    ";": mark("cells separated by semicolons, not commas"),
}
_MAGIC = {
    b"PK\x03\x04": "a workbook (.xlsx or .ods) or another zip file",
    b"\xd0\xcf\x11\xe0": "an old or password-protected workbook (.xls)",
    b"PAR1": "a Parquet file",
    b"ARROW1": "a Feather file",
    b"<stata_dta>": "a Stata file (.dta)",
    b"$FL2": "an SPSS file (.sav)",
    b"$FL3": "a compressed SPSS file (.zsav)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
}
_WEB = ("<html", "<!doctype", "<table", "<?xml", "<meta", "<style")
_CODE_PAGE = re.compile("cp(125|437|8)|iso8859|latin|mac_|hp")
TOTALS = {"合计", "总计", "小计", "共计", "total", "sum", "subtotal"}
_TOTALS_END = re.compile(rf"[{''.join({word[-1] for word in TOTALS})}]\s*(?:\0|$)", re.I)
# A name such as 注沟镇 is no note: the word must end in a colon, a bracket, or the cell.
_NOTE = re.compile(
    r"(注|备注|说明|来源|资料来源|数据来源|单位|notes?|sources?)\s*\d*\s*([:：.．、(（]|$)",
    re.I,
)
_NUMBER = re.compile(r"[-+\d.,，%％]+[、年]?")
_VILLAGE_CODE = re.compile(r"\d{12}")
# Under such a name 合计 is what a ledger calls the sum of a village's sources.
_KIND = re.compile("来源|资金|类|指标|性质|阶段|source|fund|kind|type|indicator|stage", re.I)
_FIRST = 3  # a totals word stands where others have their county, town and village


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The header and the rows of a text file or sheet, every cell as text.

    Attributes
    ----------
    name
        The file, and the sheet if it has any.
    header, rows
        The columns' names, and the cells under them; all rows are as long as the header.
    places
        The line or row of the file that each row stands on.
    titles, asides
        The titles above the header, and those of ``places`` that hold totals or notes: what
        each is.
    broken
        By column from 0: what is wrong with cells of it, which counts if the column is used.
    encoding, notes
        As in :class:`evaluation.data.tables.Table`.
    """

    name: str
    header: list[str]
    rows: list[list[str]]
    places: list[int]
    titles: Mapping[int, str] = field(default_factory=dict)
    asides: Mapping[int, str] = field(default_factory=dict)
    broken: Mapping[int, Sequence[str]] = field(default_factory=dict)
    encoding: str = ""
    notes: tuple[str, ...] = ()


def read_text_file(path: Path, *, encoding: str | None = None) -> Cells:
    """Read a text file whose first row names the columns.

    Raises
    ------
    DataError
        If the file is binary or in no known encoding, a quote is not closed, or rows have
        more or fewer cells than the header.
    """
    text, encoding, notes = _decode(path, encoding)
    header_line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = _find_delimiter(path.suffix.lower(), header_line)
    if path.suffix.lower() == ".csv" and delimiter != ",":
        notes.append(say(_SEPARATED[delimiter]))
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    header: list[str] = []
    rows: list[list[str]] = []
    places: list[int] = []
    asides: dict[int, str] = {}
    problems: list[str] = []
    since = 0
    try:
        for line in lines:
            since = lines.line_num
            cells = [cell.strip() for cell in line]
            if not any(cells):
                continue
            if not header:
                header = cells
                continue
            if reason := why_aside(cells, header):
                asides[lines.line_num] = reason
                cells += [""] * (len(header) - len(cells))
            if len(cells) != len(header):
                problems.append(
                    f"line {lines.line_num}: {len(cells)} cells under {len(header)} columns; "
                    f"quote a cell that holds a {_DELIMITERS[delimiter]}."
                )
            else:
                rows.append(cells)
                places.append(lines.line_num)
    except csv.Error as error:
        said = str(error)
        if "end of data" in said:
            said = "a quotation mark opened here or below is never closed; mend or delete it"
        raise DataError(f"{path.name}: line {since + 1}: {said}.") from error
    raise_problems(path.name, problems)
    return Cells(
        name=path.name,
        header=header,
        rows=rows,
        places=places,
        encoding=encoding,
        asides=asides,
        notes=tuple(notes),
    )


def why_aside(cells: Sequence[str], header: Sequence[str] = ()) -> str:
    """Say why a row is no record: it holds totals or a note; '' for a record.

    A totals word counts among the first three cells that are no numbers, unless the row has a
    village's code, or other words come first and it stands under the name of a kind.

    Examples
    --------
    >>> why_aside(["3", "合 计", "120"])
    "totals row '合 计'"
    >>> why_aside(["汶上县", "小计", "120"])
    "totals row '小计'"
    >>> why_aside(["370831100201", "合计", "120"])
    ''
    >>> why_aside(["汶上县", "一村", "合计", "120"], ["县", "村", "资金来源", "金额"])
    ''
    >>> why_aside(["注：单位为万元", "", ""])
    "note '注：单位为万元'"
    >>> why_aside(["注沟镇", "12", "120"])
    ''
    """
    words: list[int] = []
    if _TOTALS_END.search("\0".join(cells)):  # as in few records
        words = [n for n, cell in enumerate(cells) if cell and not _NUMBER.fullmatch(cell)]
    for number in words[:_FIRST]:
        named = header[number] if number < len(header) else ""
        is_kind = number != words[0] and _KIND.search(named)
        if re.sub(r"\s", "", cells[number]).lower() in TOTALS and not is_kind:
            if any(map(_VILLAGE_CODE.fullmatch, cells)):
                break
            return say("totals row {cell!r}", cell=cells[number])
    first = next(filter(None, cells), "")
    if first and list(cells) == list(header):
        return say("the header again")
    if first and _NOTE.match(first):
        return say("note {cell!r}", cell=shorten(first))
    return ""


def shorten(text: str, width: int = 20) -> str:
    """Cut a text for a message, on one line.

    Examples
    --------
    >>> shorten("Income of villages, 2019 (in 万元)", 19)
    'Income of villages…'
    """
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def name_content(head: bytes) -> str:
    """Say what kind of binary file begins with these bytes; '' if it is none that is known."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")


def is_plausible_chinese(text: str) -> bool:
    """Tell whether text decoded as GB18030, which takes almost any bytes, is Chinese."""
    counts = Counter(text)
    total = common = 0
    for character, count in counts.items():
        if character > "\x7f":
            total += count
            common += count * _encodes(character, "gb2312")
    return common >= _PLAUSIBLE_SHARE * total


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _decode(path: Path, encoding: str | None) -> tuple[str, str, list[str]]:
    """Give the text, its encoding and what to note about it."""
    content = path.read_bytes()
    kind = name_content(content)
    if kind:
        raise DataError(
            f"{path.name}: not text but {kind}; give it its own suffix, or save it as CSV "
            "(UTF-8)."
        )
    if encoding:
        text = _decode_as_told(path.name, content, encoding)
    else:
        text, encoding = _decode_as_found(path.name, content)
    if text.lstrip("\ufeff \t\r\n")[:9].lower().startswith(_WEB):
        raise DataError(
            f"{path.name}: a web page under the suffix {path.suffix}; open it in Excel or WPS "
            "and save it as CSV (UTF-8) or .xlsx."
        )
    if "\0" in text:
        raise DataError(f"{path.name}: binary, not text; save the table as CSV (UTF-8).")
    notes = []
    if not encoding.lower().startswith("utf"):
        notes.append(say("read as {encoding}, not UTF-8", encoding=encoding))
    return text.removeprefix("\ufeff"), encoding, notes


def _decode_as_told(name: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}: line {line} is not {encoding}; mend encoding in study.yml "
            "(panel.encoding), or leave it out to have it found."
        ) from error
    except (LookupError, ValueError) as error:
        raise DataError(
            f"{name}: encoding {encoding!r} is not known; write utf-8, gb18030 or big5, say."
        ) from error


def _decode_as_found(name: str, content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decode_as_told(name, content, "utf-16"), "utf-16"
    # UTF-8 first: GB18030 would read almost any UTF-8 file, wrongly.
    try:
        text = content.decode("utf-8-sig")
        broken = 0
    except UnicodeDecodeError as error:
        text = ""
        broken = content.count(b"\n", 0, error.start) + 1
    if not broken and "\0" not in text:
        return text, "utf-8"
    guess = _guess_encoding(content)
    if b"\0" in content:
        if not guess.startswith("utf_16"):
            raise DataError(f"{name}: binary, not text; save the table as CSV (UTF-8).")
        guess = guess.replace("_", "-")
        return _decode_as_told(name, content, guess), guess
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    if text and is_plausible_chinese(text):
        return text, "gb18030"
    # The code pages of Western languages are told apart by luck only.
    guess = f"{guess} or another of its kind" if _CODE_PAGE.match(guess) else guess
    taken_for = f"; it may be {guess}" if guess else ""
    raise DataError(
        f"{name}: not UTF-8 (line {broken}) and hardly GB18030{taken_for}. Set its encoding in "
        "study.yml (panel.encoding), or save it as UTF-8."
    )


def _guess_encoding(content: bytes) -> str:
    match = charset_normalizer.from_bytes(content[:_SAMPLE]).best()
    return match.encoding if match else ""


def _find_delimiter(suffix: str, header_line: str) -> str:
    if suffix in (".tsv", ".tab"):
        return "\t"
    order = "\t,;" if suffix == ".txt" else ",;\t"
    return next((mark for mark in order if mark in header_line), ",")
