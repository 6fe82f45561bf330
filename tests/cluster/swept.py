"""What a sweep left in its folder."""


def runs_in(out):
    """Give the whole runs in a folder; nothing else may lie there but the list and the page."""
    names = {path.name for path in out.iterdir()}
    return names - {"index.html", "jining_2021-sweep.csv"}


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def states(swept):
    return [report.state for report in swept.reports]
