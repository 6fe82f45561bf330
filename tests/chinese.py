"""What English is left in a text that should be Chinese."""

import re
from html import unescape

# Names of methods, of people and of software, which have no Chinese form.
NAMES = {
    "Callaway", "Sant'Anna", "Borusyak", "Jaravel", "Spiess", "Sun", "Abraham", "Fieller",
    "HonestDiD", "Rambachan", "Roth", "Simar", "Wilson", "Lorenz", "Gini", "Theil", "SIMULATED",
    "Armstrong", "Kolesar", "Plagborg", "Moller", "Mogstad", "Romano", "Shaikh", "Wilhelm",
    "Benjamini", "Hochberg", "Holm", "Lee", "wild", "bootstrap",
}  # fmt: skip

_INVISIBLE = re.compile(r"<(script|style|code|svg)\b.*?</\1>|<[^>]*>", re.DOTALL)
_ENGLISH = re.compile(r"[A-Za-z][A-Za-z'-]+(?:[ ,.;:()]+[A-Za-z][A-Za-z'-]+)+")


def visible(html):
    """Give the text that a page shows, with images' alternatives."""
    alternatives = " | ".join(re.findall(r'\balt="([^"]*)"', html))
    return " ".join(unescape(_INVISIBLE.sub(" | ", html) + " | " + alternatives).split())


def english_left(html, *, allowed=()):
    """List the runs of two or more English words that a page shows."""
    known = NAMES | {word for text in allowed for word in re.findall(r"[A-Za-z'-]+", text)}
    runs = _ENGLISH.findall(visible(html))
    return [
        run
        for run in runs
        if len([w for w in re.findall(r"[A-Za-z'-]+", run) if w not in known]) > 1
    ]
