"""What a reader is told is in the catalogue, in both languages, and said as it stands there."""

import ast
import re

import pytest

from evaluation.errors import ReportError
from evaluation.language import (
    choose,
    commas,
    listing,
    say,
    say_count,
    sentences,
    speaking,
    spoken,
    use_language,
)
from tests import catalogue
from tests.conftest import REPO

CHINESE = catalogue.read_catalogue()
FOUND = catalogue.find_messages()
MODULES = sorted((REPO / "evaluation").rglob("*.py"))

HAN = "[㐀-鿿]"
# Half-width marks between two Chinese characters, but for the comma of a decimal or thousand.
HALF_WIDTH = re.compile(rf"{HAN}[,.:;?!]\s?{HAN}")

# Terms that a study's own texts may hold, and no message does.
UNUSED = {"dose-response", "effective clusters", "leverage", "posterior", "pre-trend"}

# Between "Table 1" and its caption, where English has a full stop.
WIDE_BLANK = "\u3000"


def name_of(path):
    return path.relative_to(REPO).as_posix()


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


# -- the catalogue -------------------------------------------------------------------------


def test_every_message_has_chinese():
    missing = [f"{FOUND[m]}: {m}" for m in FOUND if not CHINESE.get(catalogue.first(m))]
    assert not missing, "run make messages, and give the Chinese in evaluation.po"


def test_no_chinese_is_left_of_a_message_that_nothing_says():
    assert not {*CHINESE} - {catalogue.first(m) for m in FOUND}, "run make messages"


def test_gettext_reads_what_the_catalogue_says():
    assert catalogue.MO.read_bytes() == catalogue.to_mo(catalogue.PO.read_bytes())


def test_the_catalogue_is_as_make_messages_writes_it():
    written = catalogue.to_po(catalogue.make_catalogue(FOUND, CHINESE))
    assert catalogue.PO.read_bytes() == written


def test_fields_are_the_same_in_both_languages():
    for message in FOUND:
        one, *many = [message] if isinstance(message, str) else message
        told = catalogue.fields(CHINESE.get(one) or one)
        known = catalogue.fields(one).union(*map(catalogue.fields, many))
        assert told <= known, f"{one!r}: unknown in Chinese: {told - known}"
        if not many:
            assert told == known, f"{one!r}: not in Chinese: {known - told}"


def test_chinese_has_no_blanks_at_its_ends_that_english_has_not():
    for english, chinese in CHINESE.items():
        for end in (r"^\s*", r"\s*$"):
            blank = re.search(end, chinese)[0].strip(WIDE_BLANK)
            assert not blank or blank == re.search(end, english)[0], (english, chinese)


def test_marks_between_chinese_characters_are_full_width():
    assert HALF_WIDTH.search("村,县") and not HALF_WIDTH.search("1,234 个村，3.5%")
    assert not {e: c for e, c in CHINESE.items() if HALF_WIDTH.search(c)}


# -- how it is said ------------------------------------------------------------------------


def said_in(tree):
    """Give each argument that is a message, and the names of f-strings in its function."""
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module):
            nodes = [*ast.walk(scope)] if not isinstance(scope, ast.Module) else []
            composed = {
                target.id
                for node in nodes
                if isinstance(node, ast.Assign) and is_composed(node.value)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in nodes or ast.walk(scope):
                if isinstance(node, ast.Call):
                    function = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    for message in node.args[: catalogue.WORDS.get(function, 0)]:
                        yield message, composed


def is_composed(node):
    """Whether a text is put together, so that the catalogue cannot have it."""
    if isinstance(node, ast.IfExp):
        return is_composed(node.body) or is_composed(node.orelse)
    if isinstance(node, ast.BoolOp):
        return any(map(is_composed, node.values))
    method = getattr(getattr(node, "func", None), "attr", "")
    return isinstance(node, ast.JoinedStr | ast.BinOp) or method in ("format", "join")


def composed_messages(tree):
    return [
        ast.unparse(message)
        for message, composed in said_in(tree)
        if is_composed(message) or (isinstance(message, ast.Name) and message.id in composed)
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_said_that_is_put_together(path):
    assert not composed_messages(parse(path)), "say a literal with {fields}"


@pytest.mark.parametrize(
    "source",
    [
        "say(f'{n} villages')",
        "say('a ' + 'b')",
        "say('%d villages' % n)",
        "say('{n}'.format(n=1))",
        "say('a' if x else f'{b}')",
        "say_count('one', f'{n} villages', n)",
        "inscribe(axes, 'title') or inscribe(f'{n}')",
        "def tell(n):\n    told = f'{n} villages'\n    return say(told)",
    ],
)
def test_what_is_put_together_is_found(source):
    assert composed_messages(ast.parse(source))


def constants_said(tree):
    """Give the texts of a module's constants that it says, on their own or out of a table."""
    names = set()
    for message, _ in said_in(tree):
        node = message
        while isinstance(node, ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name) and node.id.isupper():
            names.add(node.id)
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if names & {getattr(target, "id", "") for target in targets}:
                yield from texts_of(node.value)


def texts_of(node):
    """Give the texts in a literal; of a table, those in its values."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Dict(values=nodes) | ast.Tuple(elts=nodes) | ast.List(elts=nodes):
            for part in nodes:
                yield from texts_of(part)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_constants_that_are_said_are_marked(path):
    known = {text for m in FOUND for text in ([m] if isinstance(m, str) else m)}
    assert not {*constants_said(parse(path))} - known - {""}, "mark them"


def test_a_constant_that_is_not_marked_is_found():
    tree = ast.parse("_A = {'x': 'text'}\n_B = mark('other')\nsay(_A['x'])\nsay(_B)")
    assert [*constants_said(tree)] == ["text"]


# -- the glossary --------------------------------------------------------------------------


def glossary():
    """Give the pairs of terms of docs/glossary.md."""
    text = (REPO / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ")][1:]
    for english, chinese in rows:
        yield from pair_terms(english.strip(), chinese.strip())


def pair_terms(english, chinese):
    """Part a row's terms: "treated, comparison village", "处理村, 对照村"."""
    english, chinese = (re.sub(r"[(（].*?[)）]", "", text) for text in (english, chinese))
    ones, others = re.split("[,;]", english), re.split("[,;、]", chinese)
    yield from zip(map(str.strip, ones), map(str.strip, others), strict=True)


TERMS = dict(glossary())


def holding(term):
    """Give the Chinese of the messages that hold a term."""
    pattern = re.compile(rf"\b{re.escape(term)}s?\b", re.IGNORECASE)
    return [chinese for english, chinese in CHINESE.items() if pattern.search(english)]


def test_the_glossary_is_read():
    assert TERMS["comparison village"] == "对照村"
    assert len(TERMS) > 80


@pytest.mark.parametrize("term", TERMS)
def test_terms_are_those_of_the_glossary(term):
    texts = holding(term)
    assert bool(texts) != (term in UNUSED), "name it among UNUSED, or no longer"
    assert not texts or any(TERMS[term] in text for text in texts), texts[:3]


# -- speaking ------------------------------------------------------------------------------


def test_a_language_that_nobody_has_written_is_refused():
    with pytest.raises(ReportError, match="language is 'fr'; give 'en' or 'zh'"):
        use_language("fr")
    assert spoken() == "en"


def test_what_was_spoken_before_is_spoken_after():
    with speaking("zh"):
        with speaking("en"):
            assert spoken() == "en"
        assert spoken() == "zh"
    with pytest.raises(ZeroDivisionError), speaking("zh"):
        _ = 1 / 0
    assert spoken() == "en"


def test_a_message_is_said_in_the_language_spoken():
    english = "Village"
    assert say(english) == english
    with speaking("zh"):
        assert say(english) == CHINESE[english] == "村"
        assert say("no message {of} any") == "no message {of} any"
        assert say("") == ""  # which gettext takes for the catalogue's head


def test_things_are_counted_in_both_languages():
    message = next(m for m in FOUND if not isinstance(m, str) and "{n}" in CHINESE[m[0]])
    extra = {field: "x" for text in message for field in catalogue.fields(text) - {"n"}}
    one, many = (say_count(*message, n, **extra) for n in (1, 2))
    assert one != many and "2" in many
    with speaking("zh"):
        told = [say_count(*message, n, **extra) for n in (1, 2)]
    assert told[0].replace("1", "2") == told[1] and re.search(HAN, told[0])


def test_lists_and_sentences_have_the_marks_of_their_language():
    def told():
        return (
            listing("abc"),
            listing("a"),
            listing(()),
            commas("ab"),
            sentences("A.", "", "B."),
        )

    assert told() == ("a, b and c", "a", "", "a, b", "A. B.")
    assert choose("village", "村") == "village"
    with speaking("zh"):
        assert told() == ("a、b和c", "a", "", "a、b", "A.B.")
        assert (choose("village", "村"), choose("village", "")) == ("村", "village")
