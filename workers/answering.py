"""Answers to questions: a fresh look at the cluster, or a plan that nobody will run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from releases import grammar
from releases.config import Config, UnknownEnvironment
from releases.plan import Plan
from releases.record import Questions, Record
from releases.snapshot import Answer, Question, Snapshot
from workers import words
from workers.cluster import ClusterError
from workers.comparing import EnvironmentFacts, compare, facts
from workers.drafting import Drafts
from workers.observe import services_seen, snapshot
from workers.planning import Refused, Wanted
from workers.registry import RegistryError

AT_ONCE = 4
"""Environments that are looked at together, so that a silent one does not hold up the others."""


@dataclass(frozen=True)
class Answers:
    """Answers questions. `parse` reads a line that was understood before, in the grammar's own words."""

    record: Record
    questions: Questions
    config: Config
    drafts: Drafts
    parse: Callable[[str], grammar.Command]
    now: Callable[[], datetime]
    drifted: Callable[[str], None] = lambda _: None
    """Looks how a standby differs from what it follows; of another environment there is nothing to say."""

    def give(self, id_: str, question: Question) -> None:
        """Find the answer and give it. Whatever is wrong with a cluster is part of the answer."""
        if question.kind == "plan":
            answer = self._plan(question)
        elif question.kind == "diff":
            answer = self._diff(question)
        else:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                for seen in pool.map(self._look, question.environments):
                    self.record.see(seen)
            if question.kind == "status":
                for name in question.environments:
                    self.drifted(name)
            answer = Answer(at=self.now())
        self.questions.answer(id_, answer)

    def fail(self, id_: str, problem: str) -> None:
        """Answer that there is no answer."""
        self.questions.answer(id_, Answer(at=self.now(), refused=problem))

    def _look(self, name: str) -> Snapshot:
        try:
            return snapshot(self.drafts.look(self.config.environment(name)))
        except (ClusterError, UnknownEnvironment) as error:
            return Snapshot(environment=name, at=self.now(), problem=words.of_error(error))

    def _diff(self, question: Question) -> Answer:
        first, second = question.environments
        if first == second:  # the only one that there is
            return Answer(at=self.now(), refused=f"{first} does not differ from itself.")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(self._facts, question.environments))
        for each in found:
            if isinstance(each, Answer):
                return each
        one, other = (each for each in found if isinstance(each, EnvironmentFacts))
        there = one.services.keys() | other.services.keys()
        names = [service.name for service in self.config.services if service.name in there]
        return Answer(at=self.now(), difference=compare(one, other, names))

    def _facts(self, name: str) -> EnvironmentFacts | Answer:
        try:
            environment = self.config.environment(name)
            observed = self.drafts.look(environment)
            self.record.see(snapshot(observed))
            return facts(observed, partial(self.drafts.config_map, environment))
        except (ClusterError, UnknownEnvironment) as error:
            return Answer(at=self.now(), refused=f"{name} cannot be compared: {words.of_error(error)}")

    def _plan(self, question: Question) -> Answer:
        command = self.parse(question.line)
        try:
            match command:
                case grammar.Plan():
                    name = command.environment
                    strategy = command.strategy or self.config.environment(name).strategy
                    wanted = Wanted(strategy, command.services)
                    draft = self.drafts.release(name, command.version, wanted)
                case _:
                    return Answer(at=self.now(), refused=f"`{question.line}` asks for no plan.")
        except (ClusterError, RegistryError, UnknownEnvironment) as error:
            return Answer(at=self.now(), refused=words.of_error(error), hint="Nothing was changed.")
        seen = services_seen(draft.observed)
        self.record.see(snapshot(draft.observed))
        match draft.plan:
            case Plan() as plan:
                return Answer(at=self.now(), plan=plan, seen=seen)
            case Refused(reason, hint, ready_at, who):
                return Answer(at=self.now(), seen=seen, refused=reason, hint=hint, ready_at=ready_at, who=who)
