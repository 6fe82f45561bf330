"""The Chinese font that figures are drawn with, where the system has one."""

import re
from functools import cache
from pathlib import Path

from matplotlib import font_manager

from evaluation.language import mark

_CHINESE_FONTS = re.compile(
    r"NotoSansCJK-?(VF|Regular)|NotoSansSC|SourceHanSans(SC|CN)?-(VF|Regular)|wqy-|msyh|PingFang"
    r"|simhei|STHeiti|Hiragino ?Sans ?GB|DroidSansFallback",
    re.IGNORECASE,
)
FONT_ADVICE = mark(
    "Figures are in English only where no font has Chinese. Install one "
    "(Debian and Ubuntu: fonts-noto-cjk; Fedora: google-noto-sans-cjk-fonts) and rerun."
)


@cache
def find_chinese_font() -> str:
    """Name the Chinese font that figures are drawn with, '' where the system has none."""
    for path in sorted(font_manager.findSystemFonts()):
        if _CHINESE_FONTS.search(Path(path).name):
            name = str(font_manager.FontProperties(fname=path).get_name())
            fonts = font_manager.fontManager
            # This file alone: whether a bold one is known hangs on when a user's list was made.
            fonts.ttflist = [font for font in fonts.ttflist if font.name != name]
            fonts.addfont(path)
            return name
    return ""
