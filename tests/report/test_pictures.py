"""Drawings in the page are quoted as a URL, whatever is written in them."""

import base64
from urllib.parse import unquote

from evaluation.report.files.pictures import slim_pictures


def test_a_drawing_quoted_says_what_it_said():
    svg = "<svg><text>鱼台 100% & é~_-.#</text></svg>"
    page = slim_pictures(f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}")
    quoted = page.removeprefix("data:image/svg+xml,")
    assert unquote(quoted) == svg
    assert quoted.isascii() and not {*'<>"&#'} & {*quoted}
    assert quoted.startswith("%3Csvg%3E%3Ctext%3E%E9%B1%BC%E5%8F%B0 100%25 %26 %C3%A9~_-.%23")
