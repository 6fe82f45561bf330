"""A run's record as a Workflow Run RO-Crate: linked data that archives and tools read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from evaluation.report.record.describe import name_run
from evaluation.report.record.facts import (
    CODE,
    FACTS,
    NO_LICENCE,
    PACKAGE,
    PROFILES,
    RO_CRATE,
    STATUS,
    TERMS,
    flatten,
    iri,
)
from evaluation.report.record.workflow import WORKFLOW

# rocrate takes a third of a second to import: reading a record, as an unchanged run does,
# needs none of it.

_FORMATS = {
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yml": "application/yaml",
}
_TYPES = {str: "Text", bool: "Boolean", int: "Integer", float: "Float"}
_UNSET = ("study", "data", "pseudonyms")  # places: no parameters of a run
_SEED = "Seeds what the chapter draws; draws of other chapters have a constant seed in code."


def to_crate(record: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    """Put a run's record into the form of a Workflow Run RO-Crate.

    Parameters
    ----------
    record
        As `read_record` gives it: workflow.py is among its outputs, and each notebook has
        parameters, if only none.
    sizes
        The bytes of the outputs, by name.

    Returns
    -------
    The document that is to be written as ro-crate-metadata.json.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=RO_CRATE)
    crate.metadata.extra_contexts.append(TERMS)
    _Writer(record=record, sizes=sizes, crate=crate).write()
    document: dict[str, Any] = crate.metadata.generate()
    entities = sorted(document["@graph"], key=_rank)
    return {**document, "@graph": [_compact(entity) for entity in entities]}


@dataclass(kw_only=True)
class _Writer:
    """A crate in the making; entities refer to one another, and each is made once."""

    record: Mapping[str, Any]
    sizes: Mapping[str, int]
    crate: Any
    slots: dict[str, Any] = field(default_factory=dict)

    def write(self) -> None:
        """Add all that the record says."""
        record, root = self.record, self.crate.root_dataset
        title, failed = record.get("title"), "error" in record
        root["name"] = f"{title or record['study']} ({self.run_name})"
        root["description"] = (
            f"A report on the study {record['study']} by {PACKAGE} {record['package']}"
            f"{', which failed' if failed else ''}: its tables, figures and text, and what "
            "they were made from."
        )
        if title:
            root["headline"] = title
        root["datePublished"] = record["end"]
        root["license"] = record.get("licence", NO_LICENCE)
        root["conformsTo"] = [
            self.add(url, ["CreativeWork", "Profile"], name=name, version=version)
            for url, (name, version) in PROFILES.items()
        ]
        outputs = {name: self.add_output(name) for name in record["outputs"]}
        root["mainEntity"] = workflow = outputs.pop(WORKFLOW)
        root["mentions"] = action = self.add_action(workflow, [*outputs.values()])
        if author := record["author"]:
            person = self.add(author.get("orcid", "#author"), "Person", name=author["name"])
            root["author"] = action["agent"] = person

    @property
    def run_name(self) -> str:
        """What the run's folder is called."""
        return name_run(self.record)

    def add(self, identifier: str, kind: str | list[str], **properties: Any) -> Any:
        """Add an entity that is no file of the run."""
        from rocrate.model import ContextEntity

        return self.crate.add(
            ContextEntity(self.crate, identifier, {"@type": kind, **properties})
        )

    def add_file(self, prefix: str, name: str, sha: str, **properties: Any) -> Any:
        """Add a file that lies elsewhere; where, is not told."""
        identifier = f"#{prefix}/{iri(name)}"
        return self.add(identifier, "File", name=name, sha256=sha, **properties)

    def add_values(self, prefix: str, values: Mapping[str, Any]) -> list[Any]:
        """Add values, each with its name."""
        return [
            self.add(f"#{prefix}/{iri(name)}", "PropertyValue", name=name, value=value)
            for name, value in values.items()
        ]

    def add_output(self, name: str) -> Any:
        """Add a file of the run; workflow.py is the workflow."""
        from rocrate.model import ComputationalWorkflow, File

        properties = {"name": name, "sha256": self.record["outputs"][name]}
        if name in self.sizes:
            properties["contentSize"] = str(self.sizes[name])
        properties["encodingFormat"] = _format_of(name)
        kind = ComputationalWorkflow if name == WORKFLOW else File
        return self.crate.add(kind(self.crate, dest_path=name, properties=properties))

    def add_action(self, workflow: Any, results: list[Any]) -> Any:
        """Add the run: what made which files of what, when and where."""
        record = self.record
        self.describe_workflow(workflow)
        values = self.add_parameters()
        workflow["hasPart"] = [
            self.add(
                f"#notebook/{iri(name)}",
                ["File", "SoftwareSourceCode"],
                name=name,
                sha256=sha,
                additionalProperty=values.get(name, []),
            )
            for name, sha in record["notebooks"].items()
        ]
        study = self.add_study()
        workflow["input"] = [study["exampleOfWork"], *self.slots.values()]
        machine = {**record["machine"]}
        settings = self.add_values("environment", machine.pop("environment", {}))
        facts = {part: record[part] for part in FACTS if part in record}
        facts |= {"machine": machine, "seconds": dict(sorted(record["seconds"].items()))}
        action = self.add(
            f"#{self.run_name}",
            "CreateAction",
            name=f"Run {self.run_name}",
            description=f"{len(record['notebooks'])} notebooks, run on {record['study']}.",
            startTime=record["start"],
            endTime=record["end"],
            actionStatus=STATUS.format("Failed" if "error" in record else "Completed"),
            instrument=workflow,
            object=[study, *(value for chosen in values.values() for value in chosen)],
            result=results,
            environment=settings,
            additionalProperty=self.add_values("run", flatten(facts)),
        )
        if "error" in record:
            action["error"] = record["error"]
        return action

    def describe_workflow(self, workflow: Any) -> None:
        """Say what the workflow does, and what it needs."""
        record = self.record
        workflow["name"] = f"Makes the report on {record['study']} again"
        workflow["programmingLanguage"] = self.add(
            "#python",
            ["ComputerLanguage", "SoftwareApplication"],
            name="Python",
            version=record["python"],
            url="https://www.python.org/",
        )
        workflow["softwareRequirements"] = software = self.add(
            f"#{PACKAGE}",
            "SoftwareApplication",
            name=PACKAGE,
            version=record["package"],
            url=f"pkg:generic/{PACKAGE}@{quote(record['package'])}",
            softwareRequirements=[
                self.add(url, "SoftwareApplication", name=name, version=version, url=url)
                for name, version in record["packages"].items()
                if name != PACKAGE
                for url in [f"pkg:pypi/{quote(name)}@{quote(version)}"]
            ],
            hasPart=[  # hundreds: their identifiers are their names
                self.add(f"{CODE}{iri(name)}", "File", sha256=sha)
                for name, sha in record["code"].items()
            ],
            additionalProperty=self.add_values("run", flatten({"git": record["git"] or {}})),
        )
        if record["lock"]:
            software["isBasedOn"] = self.add_file("lock", "requirements.lock", record["lock"])

    def add_parameters(self) -> dict[str, list[Any]]:
        """Add the notebooks' parameters, and what the workflow can be given for them."""
        values: dict[str, list[Any]] = {}
        for notebook, chosen in self.record["parameters"].items():
            values[notebook] = []
            for name, value in chosen.items():
                (entity,) = self.add_values(f"value/{iri(notebook)}", {name: value})
                if name not in _UNSET:
                    entity["exampleOfWork"] = self.add_slot(name, _TYPES[type(value)])
                values[notebook].append(entity)
        return values

    def add_slot(self, name: str, kind: str) -> Any:
        """Add what the workflow can be given, once."""
        if name not in self.slots:
            self.slots[name] = self.add(
                f"#parameter/{iri(name)}", "FormalParameter", name=name, additionalType=kind
            )
            if name == "seed":
                self.slots[name]["description"] = _SEED
        return self.slots[name]

    def add_study(self) -> Any:
        """Add the study, and the files that it was read from."""
        slot = self.add(
            "#parameter/study",
            "FormalParameter",
            name="study",
            additionalType="Dataset",
            description="The folder of the study: study.yml and the files that it names.",
            valueRequired=True,
        )
        return self.add(
            "#study",
            "Dataset",
            name=self.record["study"],
            description="The files that the study was read from; the run does not hold them.",
            hasPart=[
                self.add_file(
                    "input",
                    name,
                    entry["sha256"],
                    contentSize=str(entry["bytes"]),
                    encodingFormat=_format_of(name),
                )
                for name, entry in self.record["inputs"].items()
            ],
            exampleOfWork=slot,
        )


def _format_of(name: str) -> str:
    """Give the media type of a file; not by the machine's own list, which differs."""
    return _FORMATS.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


def _rank(entity: Mapping[str, Any]) -> int:
    """Put the run first, and the two hundred files of code and packages last."""
    first = entity["@type"] in ("Dataset", "CreateAction") or entity["@id"][:8] == "ro-crate"
    return 0 if first else 2 if entity["@id"].startswith((CODE, "pkg:pypi/")) else 1


def _compact(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Take lists of one apart, and those of none out, as compact JSON-LD does."""
    return {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in entity.items()
        if value != []
    }
