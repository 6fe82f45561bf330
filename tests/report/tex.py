"""Whether LaTeX could be set, as far as can be told without TeX."""

import re


def check_tex(tex):
    """Fail unless environments nest and braces pair."""
    text = re.sub(r"(?<!\\)%.*", "", tex)
    begun = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        if kind == "begin":
            begun.append(name)
        else:
            assert begun and begun.pop() == name, f"{name} ends, but did not begin last"
    assert begun == []
    bare = re.sub(r"\\.", "", text)  # commands, and what is escaped
    depth = 0
    for sign in re.findall(r"[{}]", bare):
        depth += 1 if sign == "{" else -1
        assert depth >= 0, "a brace ends that did not begin"
    assert depth == 0
