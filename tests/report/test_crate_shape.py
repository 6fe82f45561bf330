"""A run's crate has all that RO-Crate and the profiles of runs say that one must have."""

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from evaluation.report.record.store import NAME, hash_outputs, read_record, write_record
from tests.report.crates import crate_of, make_files, record_of

MAIN = "workflow.py"
PROCESS, WORKFLOW_RUN, WORKFLOW_CRATE = (
    "https://w3id.org/ro/wfrun/process/0.6",
    "https://w3id.org/ro/wfrun/workflow/0.6",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.1",
)
# Of https://w3id.org/ro/terms/workflow-run/context, those that are used.
RUN_TERMS = {"environment"}


class Crate:
    """A crate's entities by identifier, and what they refer to."""

    def __init__(self, document, folder):
        self.document, self.graph, self.folder = document, document["@graph"], folder
        self.by_id = {entity["@id"]: entity for entity in self.graph if "@id" in entity}
        self.root = self.by_id.get("./", {})
        self.main = self.by_id.get(MAIN, {})

    def kind(self, kind):
        return [e for e in self.graph if kind in listed(e.get("@type", []))]

    def to(self, entity, name):
        return [
            self.by_id.get(ref["@id"], {}) if isinstance(ref, dict) else {}
            for ref in listed(entity.get(name, []))
        ]

    @property
    def action(self):
        (action,) = self.kind("CreateAction")
        return action

    @property
    def files(self):
        return [e for e in self.kind("File") if not e["@id"].startswith("#")]


def listed(value):
    return value if isinstance(value, list) else [value]


def types(entity):
    return {*listed(entity.get("@type", []))}


def is_flat(value):
    return not isinstance(value, (dict, list)) or (
        isinstance(value, dict) and [*value] == ["@id"]
    )


def is_iso(text):
    return isinstance(text, str) and bool(datetime.fromisoformat(text))


def is_reference(value):
    return all(isinstance(ref, dict) and [*ref] == ["@id"] for ref in listed(value))


@cache
def known_terms():
    import rocrate

    path = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
    return {*json.loads(path.read_text(encoding="utf-8"))["@context"]} | RUN_TERMS


def reaches(crate, start, names):
    seen, waiting = set(), [start]
    while waiting:
        entity = waiting.pop()
        for name in names or [name for name in entity if name[0] != "@"]:
            for part in crate.to(entity, name):
                if part and part["@id"] not in seen:
                    seen.add(part["@id"])
                    waiting.append(part)
    return seen


REFERENCES = (
    "about", "agent", "author", "conformsTo", "environment", "exampleOfWork", "hasPart",
    "additionalProperty", "input", "instrument", "isBasedOn", "mainEntity", "mentions",
    "object", "programmingLanguage", "result", "softwareRequirements",
)  # fmt: skip
STATUSES = {f"http://schema.org/{s}ActionStatus" for s in ("Completed", "Failed")}


def drop(identifier, name):
    return lambda crate: crate.by_id[identifier].pop(name)


def put(identifier, name, value):
    return lambda crate: crate.by_id[identifier].update({name: value})


def on_action(name, value=None):
    return lambda crate: (
        crate.action.update({name: value}) if value is not None else crate.action.pop(name)
    )


# Each: where it is said, what must be, whether it is, and a change after which it is not.
MUSTS = [
    ("RO-Crate 1.3, Structure", "the graph is flattened: entities lie in it, none in another",
     lambda c: all(is_flat(v) for e in c.graph for name in e for v in listed(e[name])),
     put("./", "author", {"@id": "#me", "name": "Me"})),
    ("RO-Crate 1.3, Structure", "its context is used by reference",
     lambda c: "https://w3id.org/ro/crate/1.3/context" in listed(c.document["@context"]),
     lambda c: c.document.update({"@context": {}})),
    ("RO-Crate 1.3, Structure", "the document lies in the crate's root under its name",
     lambda c: (c.folder / "ro-crate-metadata.json").is_file(), None),
    ("RO-Crate 1.3, Metadata Descriptor", "it describes itself: identifier, type, about",
     lambda c: types(c.by_id["ro-crate-metadata.json"]) == {"CreativeWork"}
     and c.to(c.by_id["ro-crate-metadata.json"], "about") == [c.root],
     drop("ro-crate-metadata.json", "about")),
    ("RO-Crate 1.3, Common principles", "an entity has an @id",
     lambda c: all(isinstance(e.get("@id"), str) for e in c.graph), drop("#python", "@id")),
    ("RO-Crate 1.3, Common principles", "an entity has a @type",
     lambda c: all(types(e) for e in c.graph), drop("#python", "@type")),
    ("RO-Crate 1.3, Common principles", "references are objects with an @id",
     lambda c: all(is_reference(e[n]) for e in c.graph for n in REFERENCES if n in e),
     on_action("instrument", MAIN)),
    ("RO-Crate 1.3, Contextual vs Data entities", "no two entities have one @id",
     lambda c: len(c.by_id) == len(c.graph), lambda c: c.graph.append(dict(c.root))),
    ("RO-Crate 1.3, Root Data Entity", "its type is Dataset",
     lambda c: "Dataset" in types(c.root), put("./", "@type", "File")),
    *[("RO-Crate 1.3, Root Data Entity", f"it has a {name}",
       lambda c, name=name: bool(c.root.get(name)), drop("./", name))
      for name in ("name", "description", "license", "datePublished")],
    ("RO-Crate 1.3, Root Data Entity", "datePublished is one text, in ISO 8601",
     lambda c: is_iso(c.root["datePublished"]), put("./", "datePublished", ["2026-01-02"])),
    ("RO-Crate 1.3, Attached Package", "the root is ./ or a URI",
     lambda c: c.to(c.by_id["ro-crate-metadata.json"], "about")[0]["@id"] == "./",
     put("ro-crate-metadata.json", "about", {"@id": "#python"})),
    ("RO-Crate 1.3, Data Entities", "files of the crate are parts of the root",
     lambda c: {e["@id"] for e in c.files} <= reaches(c, c.root, ["hasPart"]),
     drop("./", "hasPart")),
    ("RO-Crate 1.3, File Data Entity", "a relative @id is a URI, and a file lies there",
     lambda c: all(re.fullmatch(r"[\w.~%/-]+", e["@id"], re.ASCII) for e in c.files)
     and {e["name"] for e in c.files if e is not c.main} | {MAIN} == {*hash_outputs(c.folder)},
     put("report.html", "@id", "a report.html")),
    ("RO-Crate 1.3, Profiles", "each that the root conforms to is an entity of type Profile",
     lambda c: all("Profile" in types(e) for e in c.to(c.root, "conformsTo")),
     put(PROCESS, "@type", "CreativeWork")),
    ("RO-Crate 1.3, Workflows and Scripts", "a workflow has three types, a file and a name",
     lambda c: {"File", "SoftwareSourceCode", "ComputationalWorkflow"} <= types(c.main)
     and bool(c.main["name"]) and (c.folder / MAIN).is_file(),
     put(MAIN, "@type", ["File", "SoftwareSourceCode"])),
    ("RO-Crate 1.3, Workflow Runtime and Programming Language",
     "a language or an application has a name, a url and a version",
     lambda c: all({"name", "url", "version"} <= {*e} for e in c.graph
                   if types(e) & {"ComputerLanguage", "SoftwareApplication"}),
     drop("pkg:pypi/numpy@2.3.1", "url")),
    ("RO-Crate 1.3, Provenance", "an endTime is in ISO 8601",
     lambda c: is_iso(c.action["endTime"]), on_action("endTime", [])),
    ("RO-Crate 1.3, Provenance", "an actionStatus is one of schema.org's",
     lambda c: c.action["actionStatus"] in STATUSES, on_action("actionStatus", "done")),
    ("RO-Crate 1.3, Extending RO-Crate", "terms beside schema.org's are in the context",
     lambda c: {name for e in c.graph for name in e if name[0] != "@"}
     | {kind for e in c.graph for kind in types(e)} <= known_terms()
     and "https://w3id.org/ro/terms/workflow-run/context" in c.document["@context"],
     put("#python", "hue", "blue")),
    ("Process Run Crate 0.6, Dataset", "conformsTo names its permalink, a CreativeWork",
     lambda c: "CreativeWork" in types(c.by_id[PROCESS])
     and {"@id": PROCESS} in c.root["conformsTo"], put("./", "conformsTo", [])),
    ("Process Run Crate 0.6, SoftwareApplication", "the tool has a @type and an @id",
     lambda c: all(types(e) & {"SoftwareApplication", "SoftwareSourceCode",
                               "ComputationalWorkflow"} for e in c.to(c.action, "instrument")),
     put(MAIN, "@type", "File")),
    ("Process Run Crate 0.6, CreateAction", "it has a @type and an @id of its own",
     lambda c: c.action["@id"] not in ("./", MAIN), on_action("@id", "./")),
    ("Process Run Crate 0.6, CreateAction", "it has an instrument",
     lambda c: bool(c.to(c.action, "instrument")), on_action("instrument")),
    ("Workflow Run Crate 0.6, Overview", "the mainEntity is a ComputationalWorkflow",
     lambda c: "ComputationalWorkflow" in types(c.to(c.root, "mainEntity")[0]),
     put("./", "mainEntity", {"@id": "#python"})),
    ("Workflow Run Crate 0.6, Overview", "the action has the main workflow as its instrument",
     lambda c: c.to(c.action, "instrument") == [c.main],
     on_action("instrument", {"@id": "#python"})),
    ("Workflow Run Crate 0.6, Overview", "parameters are FormalParameters that input refers to",
     lambda c: types_of(c.to(c.main, "input")) == {"FormalParameter"}
     and {e["@id"] for e in c.kind("FormalParameter")}
     == {e["@id"] for e in c.to(c.main, "input")},
     drop(MAIN, "input")),
    ("Workflow Run Crate 0.6, Overview", "what fits no input is no example of one",
     lambda c: all(e in c.to(c.main, "input") for o in c.to(c.action, "object")
                   for e in c.to(o, "exampleOfWork")),
     put("#study", "exampleOfWork", {"@id": "#python"})),
    ("Workflow Run Crate 0.6, Dataset", "conformsTo names its permalink, a CreativeWork",
     lambda c: "CreativeWork" in types(c.by_id[WORKFLOW_RUN])
     and {"@id": WORKFLOW_RUN} in c.root["conformsTo"], put(WORKFLOW_RUN, "@type", "Profile")),
    ("Workflow Run Crate 0.6, FormalParameter", "it has an additionalType",
     lambda c: all(e.get("additionalType") for e in c.kind("FormalParameter")),
     drop("#parameter/study", "additionalType")),
    ("Workflow RO-Crate 1.1, Context", "the crate is one of RO-Crate 1.3 or later",
     lambda c: c.by_id["ro-crate-metadata.json"]["conformsTo"]
     == {"@id": "https://w3id.org/ro/crate/1.3"}, drop("ro-crate-metadata.json", "conformsTo")),
    ("Workflow RO-Crate 1.1, Main Workflow", "its types include three",
     lambda c: {"File", "SoftwareSourceCode", "ComputationalWorkflow"} <= types(c.main),
     put(MAIN, "@type", ["File", "ComputationalWorkflow"])),
    ("Workflow RO-Crate 1.1, Main Workflow", "the crate refers to it by mainEntity",
     lambda c: c.to(c.root, "mainEntity") == [c.main], drop("./", "mainEntity")),
    ("Workflow RO-Crate 1.1, Main Workflow", "it has a programmingLanguage",
     lambda c: types_of(c.to(c.main, "programmingLanguage")) >= {"ComputerLanguage"},
     drop(MAIN, "programmingLanguage")),
    ("Workflow RO-Crate 1.1, Crate", "it has a license",
     lambda c: bool(c.root.get("license")), drop("./", "license")),
]  # fmt: skip


def types_of(entities):
    return {kind for entity in entities for kind in types(entity)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run that was completed, and one that failed."""
    folders = {}
    for state, parts in {
        "completed": {},
        "failed": {"error": "1_data, cell [2]: no", "author": None},
    }.items():
        folders[state] = make_files(tmp_path_factory.mktemp(state) / "hills-12345678")
        write_record(folders[state], record_of(folders[state], **parts))
    return folders


@pytest.mark.parametrize("state", ["completed", "failed"])
@pytest.mark.parametrize(
    ("section", "must", "holds", "spoil"), MUSTS, ids=[f"{s}: {m}" for s, m, _, _ in MUSTS]
)
def test_a_crate_is_as_it_must_be(runs, section, must, holds, spoil, state):
    crate = Crate(crate_of(runs[state]), runs[state])
    assert holds(crate), f"{section}: {must}"
    if spoil and state == "completed":  # the check would see what it looks for
        spoil(crate)
        try:
            seen = holds(Crate(crate.document, crate.folder))
        except (KeyError, TypeError, ValueError, IndexError):
            seen = False
        assert not seen


def test_a_crate_says_what_it_should(runs):
    written = runs["completed"]
    crate = Crate(crate_of(written), written)
    reached = reaches(crate, crate.root, []) | {"./", "ro-crate-metadata.json"}
    assert reached == {*crate.by_id}
    unnamed = {e["@id"].partition("/")[0] for e in crate.graph if not e.get("name")}
    assert unnamed == {"ro-crate-metadata.json", "#code"}
    assert all(len(v) > 1 for e in crate.graph for v in e.values() if isinstance(v, list))
    hashes = hash_outputs(written)
    for entity in crate.files:
        name = MAIN if entity is crate.main else entity["name"]
        assert entity["sha256"] == hashes[name]
        assert entity["contentSize"] == str((written / name).stat().st_size)
        assert "/" in entity["encodingFormat"]
    assert {e["@id"] for e in crate.to(crate.action, "result")} == {
        e["@id"] for e in crate.files if e is not crate.main
    }
    assert crate.to(crate.action, "agent")[0]["@id"] == "https://orcid.org/0000-0002-1825-0097"
    assert {e["name"]: e["value"] for e in crate.to(crate.action, "environment")} == {
        "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    kinds = {e["name"]: e["additionalType"] for e in crate.to(crate.main, "input")}
    assert (kinds["village"], kinds["years"], kinds["alpha"], kinds["trends"]) == (
        "Text", "Integer", "Float", "Boolean",
    )  # fmt: skip


def test_a_failed_run_says_why(runs):
    run = runs["failed"]
    crate = Crate(crate_of(run), run)
    assert crate.action["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert crate.action["error"] == "1_data, cell [2]: no"
    assert "agent" not in crate.action and "author" not in crate.root
    assert read_record(run)["error"] == "1_data, cell [2]: no"


def test_equal_records_give_equal_files_whenever_they_are_written(tmp_path):
    run = make_files(tmp_path / "hills-12345678")
    record = record_of(run)
    write_record(run, record)
    first = (run / NAME).read_bytes()
    (run / "workflow.py").unlink()
    write_record(run, record)
    assert (run / NAME).read_bytes() == first
