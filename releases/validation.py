"""Suites as steps of a plan: a Job to its end, an answer or a metric until it is good, a person. Pure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from releases.database import Task
from releases.frozen import Frozen, Json
from releases.monitoring import Unit, amount


class HttpCheck(Frozen):
    """An answer that is good when its status and, if one is named, a field of its JSON are as wanted."""

    url: str
    status: int = 200
    field: str | None = Field(default=None, description="a path of names with dots between")
    equals: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    deadline_seconds: int = Field(gt=0)

    def judge(self, status: int, answer: Json | None) -> tuple[bool, str]:
        """Whether an answer is good, and what it says in a few words; None is what is no JSON object."""
        if status != self.status:
            return False, f"it answers {status}, not {self.status}"
        if self.field is None:
            return True, f"it answers {status}"
        found: object = answer
        for name in self.field.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if found is None:
            return False, f"its answer has no {self.field}"
        said = str(found).lower() if isinstance(found, bool) else str(found)
        return self._is_good(found, said), f"{self.field} is {said[:100]}"

    def _is_good(self, found: object, said: str) -> bool:
        if self.equals is not None and said != self.equals:
            return False
        if self.at_least is None and self.at_most is None:
            return True
        if not isinstance(found, int | float) or isinstance(found, bool):
            return False
        low, high = self.at_least, self.at_most
        return (low is None or found >= low) and (high is None or found <= high)


class MetricCheck(Frozen):
    """A metric of what runs that is good while it is within its limit."""

    name: str = Field(description="what people call it")
    query: str = Field(description="PromQL, with $labels, $namespace, $pods and $range")
    samples: str = Field(default="", description="PromQL that counts what was measured; empty: any value")
    fewest: int = Field(default=0, ge=0, description="how many there must be before they mean anything")
    unit: Unit = ""
    at_least: float | None = None
    at_most: float | None = None
    over_seconds: int = Field(gt=0, description="the span over which it is measured")
    deadline_seconds: int = Field(gt=0)

    def judge(self, value: float) -> tuple[bool, str]:
        """Whether a value is good, and what it is beside its limit, in a few words."""
        said = f"{self.name} {amount(value, self.unit)}"
        if self.at_least is not None:
            return value >= self.at_least, f"{said} (at least {amount(self.at_least, self.unit)})"
        limit = self.at_most if self.at_most is not None else value
        return value <= limit, f"{said} (at most {amount(limit, self.unit)})"


class PersonCheck(Frozen):
    """A person looks at it and says whether it is good."""

    question: str
    by: tuple[str, ...] = Field(description="who may answer: ids of people and user groups")
    expires_seconds: int = Field(gt=0)


class Validate(Frozen):
    """Run one suite; exactly one of `job`, `http`, `metric` and `person` says how."""

    kind: Literal["validate"] = "validate"
    suite: str
    version: str = Field(description="the version that it is about")
    job: Task | None = None
    http: HttpCheck | None = None
    person: PersonCheck | None = None
    metric: MetricCheck | None = None
    backup: Literal["newest"] | None = Field(
        default=None, description="the backup that its Job is given to restore, in a place of its own"
    )

    def undo(self) -> None:
        """Nothing: a suite changes nothing that would have to be undone."""
        return

    @property
    def deadline_seconds(self) -> int:
        """How long it may take."""
        if self.person is not None:
            return self.person.expires_seconds
        how = self.job or self.http or self.metric
        if how is None:
            raise ValueError(f"the suite {self.suite} is of no kind")
        return how.deadline_seconds

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"suite {self.suite}"
