"""Whatever happens to a file: a DataError, or every number is the one that stands in its cell.

The oracle below reads cells as a person would, and knows nothing of the code under test.
"""

import csv
import io
import math
import re
import unicodedata
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.data.load import check_data
from evaluation.data.study import Study
from evaluation.errors import DataError
from tests.conftest import edit

BASE = Path(__file__).parent / "broken" / "base"
YUAN = 10_000  # the study gives its money in 万元
EXACT = 1e-9  # 12.3 * 10,000 is not 123,000 to the last bit

# Words that stand for a number, and what they stand for in a column of 万元 or 户.
WORDS = {"十二": 12.0, "一百二十": 120.0, "三": 3.0, "１２": 12.0, "1,132": 1132.0, "5 ": 5.0}
JUNK = [
    "—", "-", "/", "无", "10余", "约35", "12 34", "1.132,5", "1,13", "3..5", "+", ".", "0x10",
    "1_000", "nan", "inf", "None", "#N/A", "TRUE", "²", "①", "½", "٣", "三十来", "3.5€",
    "(3.5)", "-3.5", "1e3", "1e400", "9" * 40, "", " ", "\u3000", "\u200b", "\ufeff", "\x07",
    "3\x005",
    "\x1f", "\x85", '"', "'", "=1+1", "合计", "小计", "注：", "2016-01-01", "2016年", "16", "0",
    "3.7083E+11", "370830100201", "370830100202 ", "３７０８３０１００２０１", "东村", "a,b",
    "\n", "\r", "\ud7ff", "😀", "，", "〇",
]  # fmt: skip

NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:e[+-]?\d+)?|[+-]?\.\d+", re.I)


def read_number(cell):
    """Read a cell as a person would: its number, NaN if it is empty, None if it is neither."""
    text = cell.translate({0x3000: " "}).strip()
    if not text:
        return math.nan
    if text in WORDS:
        return WORDS[text]
    wide = {ord(c): unicodedata.normalize("NFKC", c) for c in "０１２３４５６７８９．，＋－"}
    text = text.translate(wide)
    return float(text.replace(",", "")) if NUMBER.fullmatch(text) else None


def key_of(cell):
    return unicodedata.normalize("NFKC", cell).strip()


class Sheet:
    """What a person sees in a table: cells under the names in its first row."""

    def __init__(self, grid):
        rows = [[cell.strip() for cell in row] for row in grid if any(c.strip() for c in row)]
        self.header, self.rows = (rows[0], rows[1:]) if rows else ([], [])

    def cells(self, column, *keys):
        """Give the cells of a column by what the key columns say."""
        places = [self.header.index(key) for key in keys]
        place = self.header.index(column)
        found = {}
        for row in self.rows:
            row = row + [""] * (len(self.header) - len(row))
            found.setdefault(tuple(key_of(row[p]) for p in places), []).append(row[place])
        return found


def find_cells(sheet, column):
    """Give the cells of a column of the panel by village and year."""
    found = {}
    for (code, year), cells in sheet.cells(column, "行政区划代码", "年份").items():
        year = re.fullmatch(r"(\d{4})(?:\.0*)?年?度?", year)
        found.setdefault((code, year and int(year[1])), []).extend(cells)
    return found


def check_panel(folder, sheet):
    """Hold every number of a panel to the cell that it comes from."""
    try:
        data, problems = check_data(Study.load(folder))
    except DataError as error:
        assert str(error).startswith(("study.yml: ", "no study"))
        return
    for problem in problems:
        assert str(problem).startswith(problem.file + ": ")
    if data is None:
        assert problems.errors
        return
    said = " ".join(cell for p in problems for _, cell in p.places)
    left_out = any("left out" in p.message for p in problems)
    panel = data.panel
    for name, variable in panel.variables.items():
        if name == "income":
            continue
        factor = YUAN if variable.unit == "yuan" else 1
        cells = find_cells(sheet, variable.column)
        for i, key in enumerate(panel.villages.index):
            for j, year in enumerate(panel.years):
                value = panel.matrices[name][i, j] / factor
                texts = cells.pop((key, int(year)), [])
                if not panel.rows[i, j]:
                    assert math.isnan(value)
                    assert not texts or left_out
                elif len(texts) == 1:
                    (text,) = texts
                    number = read_number(text)
                    if number is None:
                        assert text in said or text.translate({0x3000: ""}).strip() in said
                    else:
                        assert (math.isnan(value) and math.isnan(number)) or (
                            value == pytest.approx(number, rel=EXACT)
                        )
                else:
                    assert left_out, f"{name} {key} {year}: {texts}"
        lost = [key for key, texts in cells.items() if any(texts)]
        assert not lost or left_out


def read_base(name):
    with (BASE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


GRID = read_base("villages.csv")
N_ROWS, N_COLUMNS = len(GRID), len(GRID[0])
at_row, at_column = st.integers(0, N_ROWS - 1), st.integers(0, N_COLUMNS - 1)
junk = st.sampled_from([*JUNK, *WORDS]) | st.text(max_size=3)
# Numbers are where the harm is done: half of all mutations are of the columns read as such.
number_column = st.integers(4, N_COLUMNS - 1)
mutations = st.lists(
    st.one_of(
        st.tuples(st.just("put"), at_row, number_column, junk),
        st.tuples(st.just("put"), at_row, at_column, junk),
        st.tuples(st.just("insert"), at_row, number_column, junk),
        st.tuples(st.just("swap_cells"), at_row, at_row, at_column),
        st.tuples(st.just("swap_across"), at_row, at_column, at_column),
        st.tuples(st.just("swap_rows"), at_row, at_row),
        st.tuples(st.just("swap_columns"), at_column, at_column),
        st.tuples(st.just("swap_headers"), at_column, at_column),
        st.tuples(st.just("drop_row"), at_row),
        st.tuples(st.just("drop_column"), at_column),
        st.tuples(st.just("drop_cell"), at_row, at_column),
        st.tuples(st.just("double_row"), at_row, at_row),
        st.tuples(st.just("double_column"), at_column),
        st.tuples(st.just("blank_row"), at_row),
        st.tuples(
            st.just("total"), at_row, st.sampled_from(["合计", "小 计", "总计"]), at_column
        ),
    ),
    min_size=1,
    max_size=3,
)


def mutate(grid, mutation):
    """Do one harm to a table."""
    name, *where = mutation
    rows = [list(row) for row in grid]
    a = where[0] % len(rows)
    match name:
        case "put":
            rows[a][where[1] % len(rows[a])] = where[2]
        case "insert":
            cell = where[1] % len(rows[a])
            rows[a][cell] = rows[a][cell][:2] + where[2] + rows[a][cell][2:]
        case "swap_cells":
            b = where[1] % len(rows)
            c = where[2] % min(len(rows[a]), len(rows[b]))
            rows[a][c], rows[b][c] = rows[b][c], rows[a][c]
        case "swap_across":
            b, c = (number % len(rows[a]) for number in where[1:])
            rows[a][b], rows[a][c] = rows[a][c], rows[a][b]
        case "swap_rows":
            b = where[1] % len(rows)
            rows[a], rows[b] = rows[b], rows[a]
        case "swap_columns":
            for row in rows:
                b, c = (number % len(row) for number in where)
                row[b], row[c] = row[c], row[b]
        case "swap_headers":
            b, c = (number % len(rows[0]) for number in where)
            rows[0][b], rows[0][c] = rows[0][c], rows[0][b]
        case "drop_row":
            del rows[a]
        case "drop_column":
            for row in rows:
                del row[where[0] % len(row)]
        case "drop_cell":
            del rows[a][where[1] % len(rows[a])]
        case "double_row":
            rows.insert(where[1] % len(rows), list(rows[a]))
        case "double_column":
            for row in rows:
                row.append(row[where[0] % len(row)])
        case "blank_row":
            rows.insert(a, [""] * N_COLUMNS)
        case "total":
            rows[a][where[2] % len(rows[a])] = where[1]
    return [row or [""] for row in rows] or [[""]]


def mutate_all(grid, harms):
    for harm in harms:
        grid = mutate(grid, harm)
    return grid


def write_csv(grid):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(grid)
    return text.getvalue()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The base study without its ledger, its money in real prices, so that numbers stay."""
    folder = tmp_path_factory.mktemp("study")
    text = (BASE / "study.yml").read_text(encoding="utf-8")
    text = text.partition("ledger:")[0].replace("basis: nominal", "basis: real")
    # Without a total that its parts must add up to, a changed number is as good as any.
    text = text.replace("    total: {column: 总收入, unit: 万元}\n", "")
    text = text.replace(
        "户数, unit: 户}", "户数, unit: 户}\n    sum: {column: 总收入, unit: 万元}"
    )
    (folder / "study.yml").write_text(text, encoding="utf-8")
    (folder / "prices.csv").write_bytes((BASE / "prices.csv").read_bytes())
    (folder / "villages.csv").write_bytes((BASE / "villages.csv").read_bytes())
    return folder


@settings(max_examples=100)
@given(harms=mutations)
def test_text_files(study, harms):
    grid = mutate_all(GRID, harms)
    (study / "villages.csv").write_text(write_csv(grid), encoding="utf-8", newline="")
    check_panel(study, Sheet(grid))


@settings(max_examples=60)
@given(
    harms=mutations,
    encoding=st.sampled_from(
        ["utf-8-sig", "gb18030", "utf-16", "utf-16-le", "big5", "latin-1"]
    ),
    cut=st.none() | st.integers(0, 2000),
)
def test_encodings_and_cut_files(study, harms, encoding, cut):
    content = write_csv(mutate_all(GRID, harms)).encode(encoding, errors="replace")[:cut]
    (study / "villages.csv").write_bytes(content)
    text = content.decode(encoding, errors="replace")
    try:
        grid = list(csv.reader(io.StringIO(text.replace("\0", ""), newline="")))
    except csv.Error:
        grid = []
    check_panel(study, Sheet(grid))


@settings(max_examples=60)
@given(at=st.lists(st.tuples(st.integers(0, 1800), st.integers(0, 255)), max_size=4))
def test_any_bytes_changed(study, at):
    content = bytearray((BASE / "villages.csv").read_bytes())
    for place, byte in at:
        content[place] = byte
    (study / "villages.csv").write_bytes(content)
    try:
        grid = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    except (UnicodeDecodeError, csv.Error):  # then it is not UTF-8, or has an open quote
        grid = None
    if grid is not None:
        check_panel(study, Sheet(grid))
    else:
        check_data(Study.load(study))


def write_workbook(path, grid, merged=()):
    book = openpyxl.Workbook()
    for row in grid:
        cells = [openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row]
        book.active.append([to_cell(cell) for cell in cells])
    for cells in merged:
        book.active.merge_cells(**cells)
    book.save(path)


def to_cell(cell):
    """Write plain numbers as numbers, as Excel does on typing them."""
    plain = re.fullmatch(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?", cell)
    return float(cell) if plain else cell or None


@pytest.fixture(scope="module")
def book_study(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    for name in ("study.yml", "prices.csv"):
        (folder / name).write_bytes((study / name).read_bytes())
    edit(folder / "study.yml", "villages.csv", "villages.xlsx")
    return folder


@settings(max_examples=50)
@given(harms=mutations)
def test_workbooks(book_study, harms):
    grid = mutate_all(GRID, harms)
    grid = [[openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", c) for c in row] for row in grid]
    write_workbook(book_study / "villages.xlsx", grid)
    check_panel(book_study, Sheet(grid))


merges = st.builds(
    lambda row, column, down, right: {
        "start_row": row, "start_column": column,
        "end_row": row + down, "end_column": column + right,
    },
    st.integers(1, N_ROWS), st.integers(1, N_COLUMNS), st.integers(0, 4), st.integers(0, 2),
)  # fmt: skip


@settings(max_examples=30)
@given(harms=mutations, merged=st.lists(merges, min_size=1, max_size=2))
def test_merged_cells(book_study, harms, merged):
    grid = mutate_all(GRID, harms)
    try:
        write_workbook(book_study / "villages.xlsx", grid, merged)
    except (ValueError, AttributeError):  # merged cells that overlap, which Excel forbids
        return
    data, problems = check_data(Study.load(book_study))
    assert (data is None) == bool(problems.errors)
    if data is not None:  # an amount is never counted for several rows
        typed = [cell for row in grid for cell in row]
        for value in data.panel.matrices["income_operating"].ravel():
            assert math.isnan(value) or any(
                read_number(c) == pytest.approx(value / YUAN, rel=EXACT) for c in typed
            )


LEDGER = read_base("ledger.csv")


@settings(max_examples=30)
@given(harms=mutations)
def test_ledgers(study, tmp_path_factory, harms):
    folder = tmp_path_factory.getbasetemp() / "ledger"
    folder.mkdir(exist_ok=True)
    for name in ("study.yml", "villages.csv", "prices.csv"):
        (folder / name).write_bytes((BASE / name).read_bytes())
    edit(folder / "study.yml", "basis: nominal", "basis: real")
    grid = mutate_all(LEDGER, harms)
    (folder / "ledger.csv").write_text(write_csv(grid), encoding="utf-8", newline="")
    try:
        data, problems = check_data(Study.load(folder))
    except DataError:
        return
    if data is None:
        assert problems.errors
        return
    entries, sheet = data.ledger.entries, Sheet(grid)
    amounts = [
        row[sheet.header.index("金额")] for row in sheet.rows if len(row) == len(sheet.header)
    ]
    numbers = sorted(n for n in map(read_number, amounts) if n is not None and n == n)
    for amount in entries["amount"]:
        assert any(n == pytest.approx(amount / YUAN, rel=EXACT) for n in numbers)
    sources = [source for found in sheet.cells("资金来源").values() for source in found]
    n_totals = sum("".join(source.split()) in ("合计", "小计", "总计") for source in sources)
    said = [p for p in problems if p.level != "note" and "left out" in str(p)]
    assert len(entries) + n_totals == len(numbers) or said


keys = st.sampled_from(
    re.findall(r"\w+(?=:)|(?<=: )[\w.{}]+", (BASE / "study.yml").read_text(encoding="utf-8"))
)


@settings(max_examples=40)
@given(
    old=keys, new=keys | st.sampled_from(["", "null", "[]", "{}", "1", "-1", "on", "{year}"])
)
def test_study_files(tmp_path_factory, old, new):
    folder = tmp_path_factory.getbasetemp() / "studies"
    folder.mkdir(exist_ok=True)
    for name in ("villages.csv", "prices.csv", "ledger.csv"):
        (folder / name).write_bytes((BASE / name).read_bytes())
    text = (BASE / "study.yml").read_text(encoding="utf-8")
    (folder / "study.yml").write_text(re.sub(rf"\b{re.escape(old)}\b", new, text, count=1))
    try:
        check_data(Study.load(folder))
    except DataError as error:
        assert str(error)
