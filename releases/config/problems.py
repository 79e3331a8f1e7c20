"""What is wrong with a configuration file, one line a problem: where, what, and what to write instead.

No message repeats a value from the file: any of them may be a secret, some by being in the wrong place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: where (a path or a line), what is wrong, and what to write (may be empty)."""

    where: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.fix}" if self.fix else f"{self.where}: {self.what}"


class ConfigError(ValueError):
    """A configuration file that cannot be used; its text has one line for every problem."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def written(path: Path) -> str:
    """A path as people write it: `services[0].port`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


# pydantic's kinds of errors, in words for whoever wrote the file. `{…}` is filled from the error's context.
_WORDS = {
    "missing": "is missing",
    "string_type": "must be one text value",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must not be empty",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of ordinary size",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "model_type": "must have keys of its own, indented below it",
    "dict_type": "must have keys of its own, indented below it",
    "mapping_type": "must have keys of its own, indented below it",
    "tuple_type": "must be a list",
    "recursion_loop": "refers to itself",
}


def explain(
    errors: Sequence[ErrorDetails], root: type[BaseModel], patterns: Mapping[str, str]
) -> Iterator[Problem]:
    """Pydantic's errors about `root` in plain words, without those that only follow from others.

    `patterns` says in words what each regular expression of the models asks for.
    """
    for error in errors:
        kind, path = error["type"], error["loc"]
        # pydantic does not count the items that are wrong in themselves.
        emptied = kind == "too_short" and any(
            other["loc"][: len(path)] == path for other in errors if other is not error
        )
        if kind != "default_factory_not_called" and not emptied:
            yield _explain(error, root, patterns)


def _explain(error: ErrorDetails, root: type[BaseModel], patterns: Mapping[str, str]) -> Problem:
    kind, context = error["type"], error.get("ctx", {})
    path = tuple(part for part in error["loc"] if part != "[key]")
    where = written(path)
    if kind == "value_error":
        return Problem(where, str(context["error"]))
    if kind == "extra_forbidden":
        return Problem(where, "is not known here", _known_instead(path, root))
    if kind == "literal_error":
        return Problem(where, "must be " + str(context["expected"]).replace("'", ""))
    if kind == "string_pattern_mismatch":
        what = patterns[context["pattern"]]
    else:
        what = _WORDS[kind].format(**context) if kind in _WORDS else error["msg"]
    example = _example(error["loc"], root)
    if kind == "missing":
        return Problem(where, what, f"write {path[-1]}: {example}".rstrip(": "))
    return Problem(where, what, f"such as {example}" if example else "")


def _known_instead(path: Path, root: type[BaseModel]) -> str:
    section, _, _ = _follow(path[:-1], root)
    known = list(_keys(section)) if section else []
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"


def _example(path: Path, root: type[BaseModel]) -> str:
    """What the field at a path says may be written there, as YAML; empty when it says nothing."""
    _, field, rest = _follow(path, root)
    if field is None or not field.examples:
        return ""
    example: Any = field.examples[0]
    for part in rest:
        if isinstance(example, list):
            example = example[0]
        elif isinstance(example, dict) and "[key]" in rest:
            return str(next(iter(example)))
        elif isinstance(example, dict) and part != "[key]":
            example = next(iter(example.values()))
    return _flow(example)


def _flow(example: object) -> str:
    match example:
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in example.items()) + "}"
        case list():
            return "[" + ", ".join(_flow(value) for value in example) + "]"
        case bool():
            return str(example).lower()
        case _:
            return str(example)


def _follow(path: Path, root: type[BaseModel]) -> tuple[type[BaseModel] | None, FieldInfo | None, Path]:
    """Follow a path through the models.

    Gives the model at its end, if one is there, the last field that it passes, and the part of the path
    that lies inside that field's own value.
    """
    annotation: Any = root
    field, rest = None, path
    for index, part in enumerate(path):
        section = _section(annotation)
        if section is None:
            annotation = _item(annotation)
        elif (known := _keys(section).get(str(part))) is not None:
            field, rest, annotation = known, path[index + 1 :], known.annotation
        else:
            return None, field, rest
    return _section(annotation), field, rest


def _keys(section: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """A type without what is annotated to it, and without its None."""
    while (origin := get_origin(annotation)) in {Annotated, Union, UnionType}:
        arguments = get_args(annotation)
        annotation = (
            arguments[0] if origin is Annotated else next(a for a in arguments if _bare(a) is not type(None))
        )
    return annotation


def _section(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - annotations have no common type
    bare = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _item(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """The type of what a list or a mapping holds."""
    arguments = [argument for argument in get_args(_bare(annotation)) if argument is not Ellipsis]
    return arguments[-1] if arguments else None
