"""Where a program keeps the primitives that its threads use: each place costs something of its own.

One primitive that all threads share:

   attribute   of an object that all share: `self.lock`, as most programs have it. The default
   global      of a module, used inside functions
   closure     in a cell, of a function inside a function
   dict        an item of a dict that all share
   local       in a local variable of each thread's function: the best case, hardly ever met

Each thread has one of its own, which tells contention for a lock from contention for its
reference count:

   private     in a local variable
   container   an item of a list that all share

A loop is written once, as a function with its primitives as parameters. For each shape its syntax
tree is rewritten, so that nothing else differs, and compiled anew for each measurement: what the
interpreter learns about one primitive must not slow the next.
"""

import ast
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

from perf.results.case import ATTRIBUTE, CLOSURE, CONTAINER, DICT, GLOBAL, LOCAL, PRIVATE

# How a loop reaches what is kept under `name`, where it is written with `parameter`.
EXPRESSIONS = {
    ATTRIBUTE: "self.{name}",
    GLOBAL: "{name}",
    CLOSURE: "{name}",
    DICT: "shared[{parameter}]",
    LOCAL: "{parameter}",
    PRIVATE: "{parameter}",
    CONTAINER: "shared[{parameter}]",
}


class AttributeOwner:
    """What `self` is."""

    def __init__(self, primitives: Mapping[str, Any]) -> None:
        for name, primitive in primitives.items():
            setattr(self, name, primitive)


class Rewriter(ast.NodeTransformer):
    """Replaces variables by expressions."""

    def __init__(self, expressions: Mapping[str, str]) -> None:
        self._expressions = expressions

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace one use of a variable."""
        if node.id not in self._expressions:
            return node
        found = ast.parse(self._expressions[node.id], mode="eval").body
        for each in ast.walk(found):
            ast.copy_location(each, node)
        return found


class Home:
    """Where the primitives of one measurement are kept, under their names. One thread uses it."""

    def __init__(self, shape: str, primitives: Mapping[str, Any]) -> None:
        self._shape = shape
        self._primitives = primitives
        self._cells = {name: types.CellType(each) for name, each in primitives.items()}
        self._globals: dict[str, Any] = {}
        self._compiled: dict[Any, Callable[..., Any]] = {}
        # What a loop gets in place of the parameters; and with them, or instead of them.
        self._arguments: dict[str, Any] = {}
        self._more: dict[str, Any] = {}
        if shape in (LOCAL, PRIVATE):
            self._arguments = dict(primitives)
        elif shape == DICT:
            self._arguments = {name: name for name in primitives}
            self._more = {"shared": dict(primitives)}
        elif shape == CONTAINER:
            self._arguments = {name: index for index, name in enumerate(primitives)}
            self._more = {"shared": list(primitives.values())}
        elif shape == ATTRIBUTE:
            self._more = {"self": AttributeOwner(primitives)}

    def job(
        self, loop: Callable[..., Any], names: Mapping[str, str], **others: Any
    ) -> Callable[..., Any]:
        """Return the loop with the parameters `names` bound to what is kept under the names."""
        expressions = {
            parameter: EXPRESSIONS[self._shape].format(parameter=parameter, name=name)
            for parameter, name in names.items()
        }
        key = (loop, *expressions.items())
        if key not in self._compiled:
            self._compiled[key] = self._compile(loop, expressions)
        arguments = {
            parameter: self._arguments[name]
            for parameter, name in names.items()
            if name in self._arguments
        }
        return functools.partial(self._compiled[key], **arguments, **self._more, **others)

    def _compile(
        self, loop: Callable[..., Any], expressions: Mapping[str, str]
    ) -> Callable[..., Any]:
        code, name = loop.__code__, loop.__name__
        tree = ast.parse(inspect.getsource(loop))
        ast.increment_lineno(tree, code.co_firstlineno - 1)
        (definition,) = tree.body
        assert isinstance(definition, ast.FunctionDef)
        parameters = definition.args.args
        if not self._arguments:
            parameters[:] = [each for each in parameters if each.arg not in expressions]
        parameters += [ast.copy_location(ast.arg(each), definition) for each in self._more]
        definition.body = [Rewriter(expressions).visit(each) for each in definition.body]
        if self._shape == CLOSURE:
            tree = ast.parse(f"def enclose({', '.join(self._primitives)}): return {name}")
            (enclose,) = tree.body
            assert isinstance(enclose, ast.FunctionDef)
            enclose.body.insert(0, definition)
        self._globals.update(loop.__globals__)
        if self._shape == GLOBAL:
            self._globals.update(self._primitives)
        made: dict[str, Any] = {}
        exec(compile(tree, code.co_filename, "exec"), self._globals, made)
        if self._shape != CLOSURE:
            found: types.FunctionType = made[name]
            return found
        inner = made["enclose"](*self._primitives).__code__
        cells = tuple(self._cells[each] for each in inner.co_freevars)
        return types.FunctionType(inner, self._globals, name, None, cells)
