"""Mutants of a solution: its code with one small change at one place of the syntax tree.

Checks that every mutant fails ask for all that the code does (DeMillo, Lipton, Sayward 1978, "Hints on Test Data
Selection"). What makes a stub work is changed: the stub itself with its defaults, and the functions and classes
that stand between solution marks beside it. Annotations and docstrings are left alone: no behaviour hangs on them.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from autograder.release import solution_regions

UNREAD = {"annotation", "returns", "ctx"}
"""Fields of the tree that the code does nothing with."""

OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add, ast.Pow),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv, ast.Mult),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult, ast.Sub),
    ast.BitAnd: (ast.BitOr, ast.BitXor),
    ast.BitOr: (ast.BitAnd, ast.BitXor),
    ast.BitXor: (ast.BitAnd, ast.BitOr),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
    ast.Lt: (ast.LtE, ast.GtE, ast.NotEq),
    ast.LtE: (ast.Lt, ast.Gt, ast.Eq),
    ast.Gt: (ast.GtE, ast.LtE, ast.NotEq),
    ast.GtE: (ast.Gt, ast.Lt, ast.Eq),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}

UNORDERED = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)
"""Operators whose sides may be exchanged without a difference."""

PAIRED = {
    "BatchNorm2d": ("InstanceNorm2d", "Identity"),
    "Identity": ("ReLU",),
    "MaxPool2d": ("AvgPool2d",),
    "clamp": ("clamp_min", "clamp_max"),
    "clamp_max": ("clamp_min",),
    "clamp_min": ("clamp_max",),
    "clone": ("detach",),
    "detach": ("clone",),
    "exp": ("expm1",),
    "log": ("log1p",),
    "log_softmax": ("softmax", "logsigmoid"),
    "logsumexp": ("sum", "mean", "amax"),
    "max": ("min", "mean"),
    "mean": ("sum", "amax"),
    "min": ("max", "mean"),
    "ones_like": ("zeros_like",),
    "relu": ("leaky_relu", "gelu", "relu6", "sigmoid"),
    "sign": ("neg", "tanh"),
    "softmax": ("log_softmax",),
    "softplus": ("relu", "sigmoid"),
    "sum": ("mean", "prod"),
    "tril": ("triu",),
    "triu": ("tril",),
    "zeros_like": ("ones_like",),
}
"""Functions and layers that are taken for each other."""


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        id: where the change is, its kind, and the statement as it then reads (as it read, if it is dropped). It
            stays the same for as long as that statement does, wherever it stands in the file.
        stub: the stub that the change is in, or that uses the function or class which it is in.
        code: the module's code.
    """

    id: str
    stub: str
    code: str


def mutants(code: str, name: str, stubs: Collection[str]) -> list[Mutant]:
    """Every mutant that compiles, each code once, in the order of the code.

    Args:
        code: a module with its solution marks.
        name: what to call it in an error.
        stubs: the names of its stubs.

    Raises:
        ReleaseError: the marks are wrong.
        ValueError: between marks at top level stands what no stub names, or what is no function or class.
    """
    tree = ast.parse(code)
    codes, alike = {ast.unparse(tree)}, Counter[str]()
    found = []
    for definition, stub in _definitions(tree, code, name, stubs):
        for place in _places(definition, definition.name, definition, ()):
            for kind, node in place.changes():
                place.put(node)
                mutated, statement = ast.unparse(tree), place.statement(node)
                place.put(place.node)
                if mutated in codes or not _compiles(mutated):
                    continue
                codes.add(mutated)
                id = f"{place.function}: {kind}: {statement}"
                alike[id] += 1
                found.append(Mutant(f"{id} #{alike[id]}" if alike[id] > 1 else id, stub, mutated))
    return found


def _definitions(
    tree: ast.Module, code: str, name: str, stubs: Collection[str]
) -> Iterator[tuple[ast.FunctionDef | ast.ClassDef, str]]:
    """The functions and classes to change, each with the stub that it is a part of."""
    regions = solution_regions(code.split("\n"), name)
    definitions = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    named = {stub: {node.id for node in ast.walk(definitions[stub]) if isinstance(node, ast.Name)} for stub in stubs}
    for node in tree.body:
        own = getattr(node, "name", "")
        if own in stubs or any(region.begin < node.lineno < region.end for region in regions):
            users = [stub for stub in stubs if own == stub or own in named[stub]]
            if not users:
                raise ValueError(f"{name}:{node.lineno}: only a function or class that a stub names can be changed")
            yield definitions[own], users[0]


@dataclass(frozen=True)
class _Place:
    """A node of the tree and where it hangs: in the field of its parent, or in the list that the field is."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    function: str
    around: ast.stmt
    variables: tuple[str, ...]

    def changes(self) -> Iterator[tuple[str, ast.AST]]:
        """What may stand there instead, and which kind of change that is."""
        for kind, change in KINDS.items():
            yield from ((kind, node) for node in change(self.node))
        here = _variable(self.node, ast.Load)
        if here in self.variables:
            alike = [name for name in self.variables if ("." in name) == ("." in here)]
            i = alike.index(here)
            yield from (("variable", expression(name)) for name in (alike[i - 1], alike[(i + 1) % len(alike)]))

    def put(self, node: ast.AST) -> None:
        """Hangs this node there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node

    def statement(self, node: ast.AST) -> str:
        """The innermost statement around the place, where ``node`` now hangs, without what is nested in it."""
        shown = self.around if self.around is not self.node or isinstance(node, ast.Pass) else node
        nested = [name for name in ("body", "orelse") if isinstance(getattr(shown, name, None), list)]
        return ast.unparse(edited(shown, **{name: [] for name in nested})).strip()


def _variable(node: ast.AST, context: type[ast.expr_context]) -> str:
    """The name of a variable, or with ``self.`` that of an attribute, read (Load) or written (Store); or else ""."""
    match node:
        case ast.Name(name, ctx) if isinstance(ctx, context):
            return name
        case ast.Attribute(ast.Name("self"), name, ctx) if isinstance(ctx, context):
            return f"self.{name}"
    return ""


def _variables(definition: ast.FunctionDef | ast.ClassDef) -> Iterator[str]:
    """What a function or class may take one for the other: its parameters and variables, or its attributes."""
    for node in ast.walk(definition):
        name = node.arg if isinstance(node, ast.arg) else _variable(node, ast.Store)
        if name not in ("", "self") and ("." in name) == isinstance(definition, ast.ClassDef):
            yield name


def _places(parent: ast.AST, function: str, around: ast.stmt, variables: tuple[str, ...]) -> Iterator[_Place]:
    """All nodes below this one that behaviour hangs on."""
    if isinstance(parent, (ast.FunctionDef, ast.ClassDef)):
        variables = tuple(dict.fromkeys([*variables, *_variables(parent)]))
    for field, value in ast.iter_fields(parent):
        for i, node in enumerate(value if isinstance(value, list) else [value]):
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if field in UNREAD or docstring or not isinstance(node, ast.AST):
                continue
            inside = f"{function}.{node.name}" if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else function
            statement = node if isinstance(node, ast.stmt) else around
            yield _Place(node, parent, field, i if isinstance(value, list) else None, inside, statement, variables)
            yield from _places(node, inside, statement, variables)


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def edited(node: ast.AST, **fields: Any) -> Any:
    """A copy of the node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def expression(text: str) -> ast.expr:
    """The tree of an expression."""
    return ast.parse(text, mode="eval").body


def without(values: list[Any]) -> Iterator[list[Any]]:
    """The list without one of its entries, for each."""
    return (values[:i] + values[i + 1 :] for i in range(len(values)))


def swapped(values: list[Any]) -> Iterator[list[Any]]:
    """The list with two neighbours exchanged, for each pair."""
    return ([*values[:i], values[i + 1], values[i], *values[i + 2 :]] for i in range(len(values) - 1))


# The kinds of change. Each function gives what may stand in a node's place.


def operators(node: ast.AST) -> Iterator[ast.AST]:
    """Another operator, one side alone, sides exchanged, no sign or negation."""
    match node:
        case ast.BinOp(left, op, right):
            yield from (edited(node, op=other()) for other in OPERATORS[type(op)])
            yield from (left, right)
            if not isinstance(op, UNORDERED):
                yield edited(node, left=right, right=left)
        case ast.BoolOp(op, values):
            yield from (edited(node, op=other()) for other in OPERATORS[type(op)])
            yield from (edited(node, values=rest) if len(rest) > 1 else rest[0] for rest in without(values))
        case ast.Compare(_, [op], _):
            yield from (edited(node, ops=[other()]) for other in OPERATORS[type(op)])
        case ast.UnaryOp(_, operand):
            yield operand


def constants(node: ast.AST) -> Iterator[ast.AST]:
    """Another number, truth value or text."""
    match node:
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            numbers = dict.fromkeys((value + 1, value - 1, -value, 2 * value, 0))
            yield from (expression(repr(number)) for number in numbers)
        case ast.Constant(str(value)):
            yield from (ast.Constant(value + "x"), ast.Constant(""))


def drops(node: ast.AST) -> Iterator[ast.AST]:
    """No statement, no decorator, no context around a block."""
    if isinstance(node, ast.stmt):
        yield ast.Pass()
    match node:
        case ast.FunctionDef(decorator_list=decorators) | ast.ClassDef(decorator_list=decorators):
            yield from (edited(node, decorator_list=rest) for rest in without(decorators))
        case ast.With(_, body):
            yield ast.If(ast.Constant(True), body, [])


def arguments(node: ast.AST) -> Iterator[ast.AST]:
    """An argument or a default dropped; neighbouring arguments, values of keywords, or parameters exchanged."""
    match node:
        case ast.Call(_, values, keywords):
            yield from (edited(node, args=args) for args in (*without(values), *swapped(values)))
            yield from (edited(node, keywords=rest) for rest in without(keywords))
            for given in swapped([keyword.value for keyword in keywords]):
                pairs = zip(keywords, given, strict=True)
                yield edited(node, keywords=[edited(keyword, value=value) for keyword, value in pairs])
        case ast.arguments(args=parameters, defaults=defaults):
            yield from (edited(node, args=exchanged) for exchanged in swapped(parameters))
            if defaults:
                yield edited(node, defaults=defaults[1:])


def calls(node: ast.AST) -> Iterator[ast.AST]:
    """In place of a call one of its arguments, or the object whose method it was."""
    match node:
        case ast.Call(function, values, keywords):
            yield from values
            yield from (keyword.value for keyword in keywords)
            if isinstance(function, ast.Attribute):
                yield function.value


def conditions(node: ast.AST) -> Iterator[ast.AST]:
    """A condition negated, always true, never true."""
    match node:
        case ast.If(test) | ast.IfExp(test) | ast.While(test):
            for other in (ast.UnaryOp(ast.Not(), test), ast.Constant(True), ast.Constant(False)):
                yield edited(node, test=other)


def loops(node: ast.AST) -> Iterator[ast.AST]:
    """One turn more, one less, a single one."""
    match node:
        case ast.Call(ast.Name("range"), bounds):
            for i, bound in enumerate(bounds):
                for operator in (ast.Add(), ast.Sub()):
                    other = ast.BinOp(bound, operator, ast.Constant(1))
                    yield edited(node, args=[*bounds[:i], other, *bounds[i + 1 :]])
        case ast.For(body=body):
            yield edited(node, body=[*body, ast.Break()])


def indices(node: ast.AST) -> Iterator[ast.AST]:
    """No index, another end of a slice; entries of a tuple dropped or exchanged."""
    match node:
        case ast.Subscript(value):
            yield value
        case ast.Slice(lower, upper):
            yield edited(node, lower=None if lower else ast.Constant(1))
            yield edited(node, upper=None if upper else expression("-1"))
        case ast.Tuple(entries):
            yield from (edited(node, elts=other) for other in (*without(entries), *swapped(entries)))


def names(node: ast.AST) -> Iterator[ast.AST]:
    """A function or layer that is taken for the one that is there."""
    match node:
        case ast.Attribute(attr=name):
            yield from (edited(node, attr=other) for other in PAIRED.get(name, ()))
        case ast.Name(name):
            yield from (edited(node, id=other) for other in PAIRED.get(name, ()))


KINDS: dict[str, Callable[[ast.AST], Iterator[ast.AST]]] = {
    "operator": operators,
    "constant": constants,
    "dropped": drops,
    "argument": arguments,
    "call": calls,
    "condition": conditions,
    "loop": loops,
    "index": indices,
    "name": names,
}
