"""YAML as a configuration file should have it: text, lists and mappings, each key once.

Numbers, dates and truth values stay the text that was written: `VERSION: 3.10` must not become 3.1, and
the models know better than YAML which key is a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import yaml
from yaml.nodes import MappingNode, ScalarNode

from releases.config.problems import ConfigError, Problem

_TAG = "tag:yaml.org,2002:"
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in {_TAG + "null", _TAG + "merge"}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_CONSTRUCTORS = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag in {_TAG + "null", _TAG + "str", _TAG + "seq", _TAG + "map", None}
}

# PyYAML's words for the slips that people make most, in plain ones: what is wrong, and what to do about it.
_PLAIN = {
    "mapping values are not allowed": (
        "a colon where none can be",
        "put text that has a colon in it into quotes, and check the indentation",
    ),
    "found character '\\t'": ("a tab", "indent with spaces"),
    "that cannot start any token": ("a character that no text starts with", "put the text into quotes"),
    "could not find expected ':'": ("a key without a colon", "write a colon and a space behind it"),
    "expected <block end>": (
        "this does not belong to the lines above",
        "check the indentation, and that every quotation mark and bracket is closed",
    ),
    "unexpected end of stream": ("the file ends too early", "close the quotation mark that is open"),
    "expected ',' or": ("a bracket is not closed", "write commas between items, and a bracket at the end"),
    "could not determine a constructor": ("tags have no meaning here", "leave out the word after the !"),
    "another document": ("a second document", "leave out the line of dashes that begins it"),
    "for merging": ("<< takes the keys of another mapping", "write an alias behind it, such as *defaults"),
}


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where in the file; both count from 1."""

    line: int
    column: int

    @classmethod
    def of(cls, mark: yaml.Mark) -> _Place:
        return cls(mark.line + 1, mark.column + 1)

    @classmethod
    def at(cls, text: str, position: int) -> _Place:
        before = text[:position]
        return cls(before.count("\n") + 1, position - before.rfind("\n"))

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class _Loader(yaml.SafeLoader):
    """The safe loader, without its guesses at types, that also notes which keys are no good."""

    yaml_implicit_resolvers = _RESOLVERS
    yaml_constructors = _CONSTRUCTORS

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.problems: list[tuple[_Place, Problem]] = []

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> MappingNode:
        # Before merge keys are resolved: a key that overrides a merged one is there once.
        node = super().compose_mapping_node(anchor)
        first: dict[str, _Place] = {}
        for key, _ in node.value:
            place = _Place.of(key.start_mark)
            if not isinstance(key, ScalarNode) or key.tag == _TAG + "null":
                self._note(place, "a key must be text", "write a word and a colon")
            elif key.value in first:
                what = f"the key {key.value} is there twice, first on line {first[key.value].line}"
                self._note(place, what, "keep one of them")
            else:
                first[key.value] = place
        return node

    def _note(self, place: _Place, what: str, fix: str) -> None:
        self.problems.append((place, Problem(str(place), what, fix)))


def load(text: str) -> object:
    """The content of a YAML file. Raises `ConfigError` with lines and columns, never with content."""
    try:
        return _load(text)
    except yaml.reader.ReaderError as error:
        place = str(_Place.at(text, error.position))
        raise ConfigError(Problem(place, "a character that no text file has", "delete it")) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax(error)) from None
    except RecursionError:
        raise ConfigError(Problem("the file", "is nested too deeply", "write fewer levels")) from None


def _load(text: str) -> object:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if loader.problems:
            raise ConfigError(*(problem for _, problem in sorted(loader.problems, key=itemgetter(0))))
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark, words = error.problem_mark or error.context_mark, error.problem or "this is no YAML"
    plain = next((plain for part, plain in _PLAIN.items() if part in words), (words, ""))
    return Problem(str(_Place.of(mark)) if mark else "the file", *plain)
