"""Reads YAML in which everything stands once, where it is meant, and finds it again by its line."""

import re
from collections.abc import Hashable
from typing import Any, Final

import yaml

_STEP: Final = re.compile(r"[^.\[\]]+")


class _Loader(yaml.SafeLoader):
    """Reads YAML without aliases, and each key of a mapping once.

    A few aliases of aliases can stand for more than memory holds, and of two values under one
    key the author meant one.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias, which is not read")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        seen: set[Hashable] = set()
        for key in (key for key in keys if isinstance(key, Hashable)):
            if key in seen:
                raise yaml.YAMLError(f"the key {key!r} is given twice")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read(text: str) -> Any:
    """Give what a text says.

    Raises:
        yaml.YAMLError: it is not YAML, or not of this kind.
        RecursionError: it is nested too deeply.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader, made stricter


def line_of(text: str, path: str) -> int:
    """Give the line, from 1, of a field such as `stages[1].goal`, or of what it would stand in.

    The text must be one that `read` takes.
    """
    node = yaml.compose(text, _Loader)
    line = 0
    for step in _STEP.findall(path):
        found = _inside(node, step)
        if found is None:
            break
        line, node = found
    return line + 1


def _inside(node: yaml.Node | None, step: str) -> tuple[int, yaml.Node] | None:
    """Give the line of a step into a node, from 0, and the node that it leads to."""
    match node:
        case yaml.MappingNode():
            named = ((key, value) for key, value in node.value if key.value == step)
            return next(((key.start_mark.line, value) for key, value in named), None)
        case yaml.SequenceNode() if step.isdecimal() and int(step) < len(node.value):
            value = node.value[int(step)]
            return value.start_mark.line, value
        case _:
            return None
