"""Formulas over figures: a small safe grammar, evaluated in interval arithmetic.

``+ - * /``, ``max``, ``min``, ``between`` (somewhere from one to the other), ``at_least``,
numbers, parentheses, one relation at most, and names: an indicator (``n_villages``), one of
another county (``Yutai.n_villages``), a claim (``C048``) or a unit of money or measure
(``10 * 万元``). Nothing else, and nothing is ever executed.
"""

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias, cast

from evaluation.bounds import Bounds
from evaluation.data.hedges import READINGS, Reading
from evaluation.errors import DataError, suggest

Relation: TypeAlias = Literal["<", "<=", ">", ">=", "=="]

_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
}  # fmt: skip
_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number from the text, in plain units (yuan, persons).

    Attributes
    ----------
    printed
        From the figures as they stand, hedges and rounding left aside.
    strict, loose
        From what their words allow, in either reading.
    money
        The power of money in its unit: 1 for an amount, 0 for a count or a ratio of
        amounts; None for a bare number, which may stand beside either.
    claims
        The ids of the claims that it rests on.
    """

    printed: Bounds
    strict: Bounds
    loose: Bounds
    money: int | None = None
    claims: tuple[str, ...] = ()

    def read(self, reading: Reading) -> Bounds:
        """Give the bounds in one reading."""
        if reading not in READINGS:
            raise DataError(f"no reading {reading!r}; {suggest(reading, READINGS)}")
        return self.strict if reading == "strict" else self.loose

    def combine(
        self, other: "Quantity", operation: Callable[[Bounds, Bounds], Bounds]
    ) -> "Quantity":
        """Apply an operation to each reading and join the claims.

        Raises
        ------
        DataError
            If money would be added to, or compared with, what is not money.
        """
        return Quantity(
            printed=operation(self.printed, other.printed),
            strict=operation(self.strict, other.strict),
            loose=operation(self.loose, other.loose),
            money=self._money_with(other, operation),
            claims=tuple(dict.fromkeys(self.claims + other.claims)),
        )

    def check_same_kind(self, other: "Quantity") -> None:
        """Refuse to hold money against what is not money."""
        if None not in (self.money, other.money) and self.money != other.money:
            claims = " ".join(dict.fromkeys(self.claims + other.claims))
            raise DataError(f"money stands against what is not money (claims {claims}).")

    def _money_with(
        self, other: "Quantity", operation: Callable[[Bounds, Bounds], Bounds]
    ) -> int | None:
        if operation in (operator.mul, operator.truediv):
            sign = 1 if operation is operator.mul else -1
            known = self.money is not None or other.money is not None
            return (self.money or 0) + sign * (other.money or 0) if known else None
        self.check_same_kind(other)
        return other.money if self.money is None else self.money


def constant(value: int | float | Bounds, *, money: int | None = None) -> Quantity:
    """Give a quantity that no claim stands behind."""
    bounds = value if isinstance(value, Bounds) else Bounds.exactly(value)
    return Quantity(printed=bounds, strict=bounds, loose=bounds, money=money)


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula: a term, or two terms and the relation between them."""

    text: str
    left: ast.expr
    relation: Relation | None = None
    right: ast.expr | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names in it, in order, each once."""
        found: dict[str, None] = {}
        for term in filter(None, (self.left, self.right)):
            _collect_names(term, found)
        return tuple(found)

    def rename(self, name: Callable[[str], str]) -> str:
        """Give the text with its names replaced: what two like terms share."""
        return ast.unparse(_Rename(name).visit(ast.parse(self.text, mode="eval")))


def parse_formula(text: str) -> Formula:
    """Parse a formula.

    Raises
    ------
    DataError
        If it is not one, or uses anything beyond the grammar.

    Examples
    --------
    >>> formula = parse_formula("total / n_villages == mean")
    >>> formula.relation, formula.names
    ('==', ('total', 'n_villages', 'mean'))
    """
    if len(text) > _LONGEST:
        raise DataError(f"the formula {text[:30]!r}... is longer than {_LONGEST} characters.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise DataError(f"{text!r} is not a formula.") from None
    if isinstance(tree, ast.Compare):
        relation = _RELATIONS.get(type(tree.ops[0]))
        if len(tree.ops) > 1 or relation is None:
            raise DataError(f"{text!r}: one of < <= > >= == once; join two checks as two.")
        formula = Formula(text.strip(), tree.left, relation, tree.comparators[0])
    else:
        formula = Formula(text.strip(), tree)
    for term in filter(None, (formula.left, formula.right)):
        _check_grammar(term, text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            _make_exact(node, formula.text)
    return formula


def evaluate_term(term: ast.expr, lookup: Callable[[str], Quantity]) -> Quantity:
    """Evaluate a term of a formula; ``lookup`` gives the quantity behind each name."""
    match term:
        case ast.Constant(value=value):
            return constant(Bounds.exactly(cast(Fraction, value)))
        case ast.UnaryOp(operand=operand):
            inner = evaluate_term(operand, lookup)
            return constant(0).combine(inner, operator.sub)
        case ast.BinOp(left=left, op=op, right=right):
            return evaluate_term(left, lookup).combine(
                evaluate_term(right, lookup), _OPERATIONS[type(op)]
            )
        case ast.Call(func=ast.Name(id="at_least"), args=[arg]):
            more = constant(Bounds(0, math.inf))
            return evaluate_term(arg, lookup).combine(more, operator.add)
        case ast.Call(func=ast.Name(id=function), args=args):
            first, *rest = (evaluate_term(arg, lookup) for arg in args)
            for quantity in rest:
                first = first.combine(quantity, _FUNCTIONS[function])
            return first
        case _:
            return lookup(ast.unparse(term))


_OPERATIONS: dict[type[ast.operator], Callable[[Bounds, Bounds], Bounds]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: dict[str, Callable[[Bounds, Bounds], Bounds]] = {
    "max": Bounds.maximum,
    "min": Bounds.minimum,
    "between": Bounds.hull,
}
FUNCTIONS = (*_FUNCTIONS, "at_least")
"""The functions that a formula may use, which no indicator may be named after."""


def _make_exact(node: ast.Constant, text: str) -> None:
    """Take a number at its digits, not at the float next to it."""
    digits = ast.get_source_segment(text, node) or ""
    if not re.fullmatch(r"\d{1,30}(\.\d{1,30})?", digits, re.ASCII):
        raise DataError(f"{text!r}: {digits} is no number for a formula; write it like 0.5.")
    node.value = Fraction(digits)  # type: ignore[assignment]


def _check_grammar(term: ast.expr, text: str) -> None:
    match term:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return
        case ast.Name():
            return
        case ast.Attribute(value=ast.Name()):
            return
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _check_grammar(operand, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            _check_grammar(left, text)
            return _check_grammar(right, text)
        case ast.Call(func=ast.Name(id="at_least"), args=[arg], keywords=[]):
            return _check_grammar(arg, text)
        case ast.Call(func=ast.Name(id=name), args=[_, _, *_] as args, keywords=[]) if (
            name in _FUNCTIONS
        ):
            for arg in args:
                _check_grammar(arg, text)
            return None
    raise DataError(
        f"{text!r}: {ast.unparse(term)!r} is not allowed; a formula holds names, numbers, "
        "+ - * /, max(a, b), min(a, b), between(a, b), at_least(a), parentheses and one "
        "relation."
    )


def _collect_names(term: ast.expr, found: dict[str, None]) -> None:
    match term:
        case ast.Name() | ast.Attribute():
            found[ast.unparse(term)] = None
        case ast.Call(args=args):
            for arg in args:
                _collect_names(arg, found)
        case _:
            for child in ast.iter_child_nodes(term):
                if isinstance(child, ast.expr):
                    _collect_names(child, found)


class _Rename(ast.NodeTransformer):
    """Replace every name by another."""

    def __init__(self, name: Callable[[str], str]) -> None:
        self._name = name

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(arg) for arg in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self._name(node.id))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Name(self._name(ast.unparse(node)))
