"""Columns that hold the names of persons: by what heads them, and by what stands in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余"
    "潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷"
    "施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童"
    "欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧"
    "畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞"
    "封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺"
)
_LONG_SURNAMES = (
    "欧阳", "司马", "诸葛", "上官", "司徒", "东方", "夏侯", "皇甫", "尉迟", "公孙", "慕容",
)  # fmt: skip
# A place or a unit, though it begins like a name: 王家村, 李集, 高新区, 金融局.
_NO_NAME = re.compile(
    ".*(?:[村镇乡县市省区街道庄屯寨集营堡店铺桥河湖沟湾洼坡岭口楼社组厅局委办院校厂司会站所部队团行处科党府场园"
    "库坝渠路业]|公司|合作社|中心|银行|资金|收入|支出|项目|产业|大棚|光伏|加工|种植|养殖|工程|基地)"
)
_CHINESE = re.compile(r"[㐀-鿿]{2,4}|[㐀-鿿]{2,6}·[㐀-鿿]{2,8}")
_LATIN = re.compile(r"[A-Z][a-z]+(?:[ -][A-Z][a-z]*\.?){1,3}")
_TITLE = re.compile("(同志|先生|女士|书记|主任)$")
_NOT_SAID = {"是", "否", "有", "无", "男", "女", "不详", "没有", "空缺", "暂无", "未知"}

_HEADS = re.compile(
    r"姓名|户主|联系人|负责人|经办人|填报人|填表人|报送人|法人|代表人|书记|村主任|村长|队长|队员|驻村干部|帮扶人"
    r"|\b(?:full|first|last|sur|family|given|maiden)[ _-]?names?\b"
    r"|(?:secretar(?:y|ies)|head|leader|contact|person|respondent|owner|cadre|official|manager"
    r"|farmer|enumerator|interviewer)(?:['’]?s)?[ _.-]*names?\b"
    r"|\bnames?[ _]+of[ _]+(?:the[ _]+)?(?:first[ _]+)?(?:secretar|head|leader|contact|person"
    r"|respondent|owner|cadre|official|manager|farmer|enumerator|interviewer)"
    r"|\bcontact(?:[ _]person)?$",
    re.IGNORECASE,
)
_NOT_HEADS = re.compile(
    "(数|单位|时间|日期|年份|年|次|金额|比例|率|级别|层级|职务|类型|性别|年龄|学历|编号|代码)$"
)
_ABOUT = re.compile(
    r"身份证|证件号|手机|电话|联系方式|银行卡|银行账号|卡号|邮箱|微信|\bQQ"
    r"|\b(?:national|identity|id)[ _-]?(?:card|number)\b|passport|telephone|phone|mobile"
    r"|e-?mail|bank[ _-]?account",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?:姓名|户主|联系人|负责人|经办人|填报人|书记)[：:]\s*(?P<name>[㐀-鿿]{2,4})(?![㐀-鿿])"
    r"|(?<![㐀-鿿])(?P<addressed>[㐀-鿿]{2,4})(?:同志|先生|女士)"
)
_LEAST_BY_HEAD, _LEAST_BY_CELLS = 0.3, 0.6  # shares of the cells that look like names
_FEWEST = 3


def judge_names(
    head: str, cells: Sequence[str], *, known: Collection[str], by_cells: bool
) -> list[str]:
    """Give the cells of a column that are personal names; none where the column has none.

    Parameters
    ----------
    head
        What heads the column.
    cells
        Its distinct cells.
    known
        Words that are no person's: the study's villages, towns, counties, projects.
    by_cells
        Whether cells alone may tell, whatever heads them.
    """
    words = [cell for cell in cells if cell and not _is_number(cell) and cell not in _NOT_SAID]
    if _HEADS.search(head) and not _NOT_HEADS.search(head):
        named = [word for word in words if _may_be_name(word, known)]
        return named if named and len(named) >= _LEAST_BY_HEAD * len(words) else []
    if not by_cells:
        return []
    named = [word for word in words if _is_chinese_name(word, known)]
    long = sum(len(name) > 2 for name in named)
    sure = len(named) >= max(_FEWEST, _LEAST_BY_CELLS * len(words)) and 3 * long >= len(named)
    return named if sure else []


def judge_head(head: str, cells: Sequence[str]) -> list[str]:
    """Give the cells of a column that is headed as one of numbers of persons."""
    if not _ABOUT.search(head) or _NOT_HEADS.search(head):
        return []
    return [cell for cell in cells if "@" in cell or sum(map(str.isdigit, cell)) >= 7]


def find_said(text: str, *, known: Collection[str]) -> Iterator[re.Match[str]]:
    """Find persons who are named as such in a text: 联系人：王建国, 王建国同志."""
    for match in _SAID.finditer(text):
        if _is_chinese_name(match["name"] or match["addressed"], known):
            yield match


def _may_be_name(word: str, known: Collection[str]) -> bool:
    word = _TITLE.sub("", word.replace(" ", "")) if not word.isascii() else word
    looks = _CHINESE.fullmatch(word) or _LATIN.fullmatch(word)
    return bool(looks) and word not in known and not _NO_NAME.fullmatch(word)


def _is_chinese_name(word: str, known: Collection[str]) -> bool:
    word = _TITLE.sub("", word)
    if not _CHINESE.fullmatch(word) or word in known or _NO_NAME.fullmatch(word):
        return False
    if word.startswith(_LONG_SURNAMES):
        return len(word) > 2
    return word[0] in _SURNAMES and len(word) <= 3


def _is_number(cell: str) -> bool:
    return not re.search(r"[^\d.,+\-%eE ]", cell)
