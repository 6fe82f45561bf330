"""A run's record becomes a Workflow Run RO-Crate, and is read back as it was written."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import ReportError
from evaluation.report.record.crate import to_crate
from evaluation.report.record.crate_reading import from_crate
from evaluation.report.record.store import (
    NAME,
    add_outputs,
    hash_outputs,
    is_whole,
    read_record,
    write_record,
)
from tests.report.crates import NAMES, RECORD, TEXT, VALUES, crate_of, make_files, record_of

WHOLE = to_crate(RECORD, {})


@pytest.fixture
def run(tmp_path):
    return make_files(tmp_path / "hills-12345678")


@pytest.fixture
def written(run):
    write_record(run, record_of(run))
    return run


# --- What is written is what is read ---------------------------------------------------------


def test_a_record_is_read_back_as_it_was_written(run):
    record = record_of(run)
    write_record(run, record)
    back = read_record(run)
    assert back["outputs"].pop("workflow.py") == hash_outputs(run)["workflow.py"]
    assert back == record
    assert repr(back["parameters"]) == repr(record["parameters"])  # 2.0 is not 2, True not 1
    assert is_whole(run, record["hash"])


FILES = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
SHA = st.text("0123456789abcdef", min_size=64, max_size=64)
SECONDS = st.dictionaries(NAMES, st.floats(0, 1e6), max_size=3)
LIBRARY = st.fixed_dictionaries(
    {"name": TEXT, "version": TEXT, "threads": st.integers(), "architecture": TEXT}
)


@st.composite
def records(draw):
    chapters = draw(st.lists(NAMES, unique=True, max_size=3))
    given = st.dictionaries(NAMES, VALUES, max_size=4)
    shas = st.dictionaries(FILES, SHA, max_size=3)
    optional = {
        "title": TEXT.filter(bool), "pseudonyms": SHA, "error": TEXT, "licence": NAMES,
    }  # fmt: skip
    return {
        "study": draw(TEXT), "parameters": {name: draw(given) for name in chapters},
        "notebooks": {name: draw(SHA) for name in chapters}, "code": draw(shas),
        "inputs": draw(st.dictionaries(
            FILES, st.fixed_dictionaries({"sha256": SHA, "bytes": st.integers(0, 10**12)}),
            max_size=3)),
        "python": draw(TEXT), "package": "0.1.0", "chinese_font": draw(TEXT),
        "packages": {**draw(st.dictionaries(NAMES, NAMES, max_size=3)),
                     "village-evaluation": "0.1.0"},
        "hash": draw(SHA), "lock": draw(st.none() | SHA),
        "git": draw(st.none() | st.fixed_dictionaries(
            {"commit": SHA.map(lambda sha: sha[:40]), "clean": st.booleans()})),
        "machine": {"system": draw(TEXT), "machine": draw(TEXT), "processors": 2,
                    "blas": draw(st.lists(LIBRARY, max_size=12)),
                    "environment": draw(st.dictionaries(NAMES, TEXT, max_size=2))},
        "chapters": draw(st.dictionaries(NAMES | FILES, SHA, max_size=3)),
        "reused": draw(st.lists(NAMES, max_size=12)), "seconds": draw(SECONDS),
        "start": "2026-01-02T03:04:05+00:00", "end": "2026-01-02T03:05:05+00:00",
        "author": draw(st.none() | st.fixed_dictionaries(
            {"name": TEXT}, optional={"orcid": st.just("https://orcid.org/0000-0002-1825-0097")}
        )),
        "outputs": {**draw(shas), "workflow.py": draw(SHA)},
        **{name: draw(kind) for name, kind in optional.items() if draw(st.booleans())},
    }  # fmt: skip


@settings(max_examples=150)
@given(records())
def test_any_record_survives_being_a_crate(record):
    crate = to_crate(record, dict.fromkeys(record["outputs"], 1))
    back = from_crate(json.loads(json.dumps(crate, ensure_ascii=False, allow_nan=False)))
    assert back == record
    assert repr(back["parameters"]) == repr(record["parameters"])
    assert [*back["outputs"]] == [*record["outputs"]]


# --- What is not as it was written is said to be so ------------------------------------------


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT
    | st.sampled_from(["./", "#study", "workflow.py", "../x", "C:/x", "@id", "CreateAction"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["@id", "@type", "@graph", "name"]) | TEXT, inner),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300)
@given(data=st.data(), document=st.just(WHOLE))
def test_a_changed_crate_is_refused_or_still_a_record(data, document):
    document = json.loads(json.dumps(document))
    graph = document["@graph"]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(graph) - 1))
        how = data.draw(st.sampled_from(["lose", "twice", "replace", "property", "empty"]))
        if how == "lose":
            del graph[place]
        elif how == "twice":
            graph.append(graph[place])
        elif how == "replace" or not isinstance(graph[place], dict) or not graph[place]:
            graph[place] = data.draw(JUNK)
        else:
            name = data.draw(st.sampled_from(sorted(graph[place])))
            if how == "empty":
                del graph[place][name]
            else:
                graph[place][name] = data.draw(JUNK)
    try:
        record = from_crate(document)
    except ReportError as error:
        assert "\n" not in str(error) and len(str(error)) < 400
    else:
        assert {*RECORD} - {"title"} <= {*record}


@given(JUNK)
def test_any_other_json_is_refused(document):
    with pytest.raises(ReportError, match="not an RO-Crate: "):
        from_crate(document)


def edit(folder, change):
    crate = crate_of(folder)
    change({entity["@id"]: entity for entity in crate["@graph"]})
    (folder / NAME).write_text(json.dumps(crate), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: (f / NAME).unlink(), "not there: .*hills-12345678 is no run"),
        (lambda f: (f / NAME).rename(f / "manifest.json"),
         "not there, but manifest.json: an earlier version made the run. Run the report again"),
        (lambda f: (f / NAME).write_bytes((f / NAME).read_bytes()[:900]),
         "not whole, or not JSON"),
        (lambda f: (f / NAME).write_bytes(b"\xff\xfe"), "not whole, or not JSON"),
        (lambda f: (f / NAME).write_text("[" * 100_000), "not whole, or not JSON"),
        (lambda f: (f / NAME).write_text("{}"), "not an RO-Crate: it has no @graph"),
        (lambda f: (f / NAME).write_text('{"outputs": {}, "hash": ""}'), "not an RO-Crate"),
        (lambda f: edit(f, lambda e: e["./"].update(conformsTo=[])), "not of a run of this"),
        (lambda f: edit(f, lambda e: e["./"].pop("mentions")), r"\./ has 0 mentions, not one"),
        (lambda f: edit(f, lambda e: e["#python"].update(version="3.12.0")),
         "it was changed after the run was made"),
        (lambda f: edit(f, lambda e: e["#value/6_robustness/seed"].update(value=False)),
         "it was changed after the run was made"),
        (lambda f: edit(f, lambda e: e["report.html"].update(sha256="0")),
         "outputs.report.html: String should match"),
        (lambda f: edit(f, lambda e: e["report.html"].update({"@id": "../../x"})),
         "report.html is not in it"),
        (lambda f: edit(f, lambda e: [e["./"]["hasPart"].append({"@id": "../x"}),
                                      e["#study"].update({"@id": "../x"})]),
         "#study is not in it|is no place in it"),
        (lambda f: edit(f, lambda e: e["#run/machine/processors"].update(value="two")),
         "machine.processors: Input should be a valid integer"),
        (lambda f: edit(f, lambda e: e["#input/study.yml"].update(contentSize="7 kB")),
         "#input/study.yml has no contentSize"),
    ],
)  # fmt: skip
def test_a_record_that_is_not_as_written_is_refused_with_what_is_wrong(written, spoil, told):
    wanted = read_record(written)["hash"]
    spoil(written)
    with pytest.raises(ReportError, match=told) as raised:
        read_record(written)
    assert str(raised.value).startswith(f"{written / NAME}: ")
    assert not is_whole(written, wanted)


def test_what_is_no_folder_is_told_as_such(written):
    with pytest.raises(ReportError, match="nothing: no such folder; name a run's, as reports/"):
        read_record(written / "nothing")
    with pytest.raises(ReportError, match="json: a file; name the run's folder, as reports/"):
        read_record(written / NAME)


def test_files_that_are_added_later_are_outputs_too(written):
    before = crate_of(written)
    (written / "latex").mkdir()
    for name in ("report.docx", "latex/report.tex"):
        (written / name).write_text(name, encoding="utf-8")
    add_outputs(written, [written / "report.docx", written / "latex" / "report.tex"])
    record = read_record(written)
    assert {"report.docx", "latex/report.tex", "workflow.py"} <= {*record["outputs"]}
    assert record["title"] == "The hills"
    assert is_whole(written, record["hash"])
    after = {entity["@id"]: entity for entity in crate_of(written)["@graph"]}
    assert {entity["@id"] for entity in before["@graph"]} < {*after}
    assert {"@id": "report.docx"} in after["#" + name_of(record)]["result"]


def name_of(record):
    return f"{record['study']}-{record['hash'][:8]}"


def test_a_run_of_which_a_file_is_altered_is_not_whole(written):
    wanted = read_record(written)["hash"]
    assert is_whole(written, wanted) and not is_whole(written, "0" * 64)
    (written / "workflow.py").write_text("print(1)\n", encoding="utf-8")
    assert not is_whole(written, wanted)
