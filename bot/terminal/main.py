"""The composition root of `buzzy do`: makes the parts, and does what one line asks for.

Nothing here needs Slack. With a token it is asked who somebody is; if it does not answer, what it last said
is gone by. What is asked for is recorded under an id of this invocation, so that a Redis that swallowed its
answer can be asked again without a second release.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from bot.answers import Answering, Answers
from bot.approvals import Approvals
from bot.calendar import Calendar
from bot.closing import Closing
from bot.gate import Gate
from bot.messages import Message
from bot.messages.help import help_message
from bot.messages.refusals import mistake_message, refusal_message, unknown_release
from bot.messages.terminal import text_of, to_type
from bot.people import People
from bot.planner import Planner
from bot.questions import Asking, Desk
from bot.requests import Closes, Later, NotYetError, Opening, Requests, stops_instead
from bot.settings import TerminalSettings, load_config
from bot.slack import Identity, SlackError, web_client
from bot.steering import Steers
from bot.terminal.following import Following
from bot.terminal.identity import Account, NotKnownError, person_of, this_account
from bot.terminal.outcome import Exit, Wanted, exit_of
from bot.terminal.people import Remembered, SlackFirst
from bot.terminal.slack import OneTry
from bot.vocabulary import vocabulary_of
from releases import grammar
from releases.checklist import blocking
from releases.config import Config
from releases.lifecycle import Release, State
from releases.policy import Refusal
from releases.record import (
    JobQueue,
    LastKnown,
    Questions,
    Record,
    RecordUnavailableError,
    Store,
    UnknownReleaseError,
)
from releases.record.closures import Closures
from releases.record.drifts import Drifts
from releases.record.rounds import Rounds
from releases.record.schedules import Schedules
from releases.record.told import Place, Told

ANSWER_SECONDS = 5.0
"""How long Redis may take to answer once: nobody waits for a terminal within Slack's 3 s."""

PATIENCE_SECONDS = 15.0
"""How long a Redis that does not answer is asked again."""

PAUSE_SECONDS = 0.5

LOOK_SECONDS = 15.0
"""How long a worker's look at the cluster is waited for before what is known is shown as it is."""

T = TypeVar("T")


def run(
    line: str,
    settings: TerminalSettings,
    *,
    wait: bool = True,
    account: Callable[[], Account] = this_account,
) -> Exit:
    """Do what a line asks for. `wait`: follow a release to its end, and a question to its newest answer."""
    config = load_config(settings.buzzy_config)
    vocabulary = vocabulary_of(config)
    try:
        command = grammar.parse(line, vocabulary)
    except grammar.GrammarError as error:
        _complain(text_of(mistake_message(error), {}))
        return Exit.MISTAKE
    if isinstance(command, grammar.Help):
        _say(text_of(help_message(grammar.help_text(command.verb, vocabulary)), {}))
        return Exit.DONE
    who = account()
    try:
        person = person_of(who, config)
    except NotKnownError as error:
        _complain(f"Nothing was done. {error}")
        return Exit.REFUSED
    store = Store.connect(settings.redis_url, answer_seconds=ANSWER_SECONDS)
    try:
        return Terminal(settings, config, store, person, who.name, wait=wait).do(command)
    finally:
        store.close()


class Terminal:
    """All that one line needs, put together."""

    def __init__(  # noqa: PLR0913 - what an invocation is made of
        self,
        settings: TerminalSettings,
        config: Config,
        store: Store,
        user: str,
        name: str,
        *,
        wait: bool,
    ) -> None:
        """`user` is the person's id in Slack, `name` what the operating system calls them."""
        invocation = uuid.uuid4().hex
        self._delivery = f"do-{invocation}"
        self._config = config
        self._user = user
        self._wait = wait
        self._at = _now()
        self._names = {id_: each for each, id_ in config.operators.items()}
        self._record = Record(store)
        self._questions = Questions(store)
        told = Told(store, f"do-{socket.gethostname()}-{os.getpid()}-{invocation[:6]}")
        queue = JobQueue.connect(settings.redis_url)
        closures, schedules = Closures(store), Schedules(store)
        calendar = Calendar(config, closures, schedules)
        self._desk = Desk(
            config, self._record, self._questions, queue, told, _now, calendar, Drifts(store), Rounds(store)
        )
        self._told = told
        token = settings.slack_bot_token.get_secret_value()
        self._slack = OneTry(web_client(token, settings.slack_api_url) if token else None)
        groups, last_known = config.user_groups, LastKnown(store)
        self._remembered = Remembered(last_known, groups, user, name)
        me = self._whoami()
        live = None if me is None else People(self._slack, me, groups, last_known=last_known)
        people = SlackFirst(live, self._remembered)
        gate = Gate(config, self._record, closures, people, _now)
        closing = Closing(config, self._record, closures, people, gate, _now)
        planner = Planner(config, schedules, closures, people, gate, _now)
        self._requests = Requests(
            config, self._record, queue, people, self._slack, told, _now, gate, closing, planner
        )
        self._answers = Answers(self._record, self._requests, self._slack, told, _now)
        self._approvals = Approvals(config, self._record, told, self._slack, people, _now)
        self._follower = Following(self._record, config.application, self._names, _say)

    def do(self, command: grammar.Command) -> Exit:
        """Do it; the exit code."""
        try:
            match command:
                case grammar.Release() | grammar.Promote() | grammar.Rollback():
                    return self._open(command)
                case grammar.Drill() | grammar.Validate():
                    return self._open(command)
                case grammar.Abort():
                    return self._abort(command)
                case grammar.Retry():
                    return self._retry(command)
                case grammar.Approve() | grammar.Refuse():
                    return self._answer(command)
                case grammar.Status() | grammar.History() | grammar.Plan() | grammar.Diff():
                    return self._ask(command)
                case grammar.Calendar() | grammar.Migrations():
                    return self._said(self._patiently(lambda: self._desk.look_up(command)))
                case grammar.Approvals():
                    return self._said(self._patiently(lambda: self._approvals.answer(self._user)))
                case grammar.Help():
                    return Exit.DONE
                case _:
                    return self._close(command)
        except UnknownReleaseError as error:
            self._explain(unknown_release(str(error)))
            return Exit.REFUSED
        except RecordUnavailableError as error:
            _complain(f"{error}. Whether this was recorded is not known: look before you ask again.")
            _complain(f"    {to_type('status')}")
            return Exit.UNKNOWN

    # -- what changes something --------------------------------------------------------------------------

    def _open(self, command: Opening) -> Exit:
        opened = self._patiently(
            lambda: self._requests.open(command, self._user, None, self._delivery, via="command line")
        )
        if isinstance(opened, Message):
            said = self._said(opened)
            return Exit.NOTHING_CHANGED if said is Exit.DONE else said  # in line, as asked; not released
        self._remark()
        if isinstance(command, grammar.Rollback) and stops_instead(opened):
            return self._follow(
                opened, f"{opened.id} is under way: it is being stopped, and goes back.", "stop"
            )
        return self._follow(opened, f"{opened.id} is being planned.", "go")

    def _close(self, command: Closes | Later | Steers) -> Exit:
        """What needs no following: locks, schedules, that a release is good. Slack is told later."""
        answer = self._patiently(
            lambda: self._requests.act(command, self._user, None, self._delivery, via="command line")
        )
        return Exit.DONE if answer is None else self._said(answer)

    def _abort(self, command: grammar.Abort) -> Exit:
        refused = self._steered(command)
        if refused is not None:
            return self._said(refused)
        release = self._load(command.release)
        return self._follow(release, f"{release.id} is being stopped.", "stop")

    def _retry(self, command: grammar.Retry) -> Exit:
        told = self._patiently(lambda: self._record.position(command.release))
        refused = self._steered(command)
        if refused is not None:
            return self._said(refused)
        release = self._load(command.release)
        return self._follow(release, f"{release.id} goes on.", "go", told=told)

    def _steered(self, command: Steers) -> Message | None:
        return self._patiently(
            lambda: self._requests.steer(command, self._user, None, "command line", self._delivery)
        )

    def _answer(self, command: Answering) -> Exit:
        refusal = self._patiently(
            lambda: self._answers.decide(command, self._user, self._at, via="command line")
        )
        if refusal is not None:
            return self._refused(refusal)
        self._remark()
        release = self._load(command.release)
        if any(each.answer is not None for each in release.steps):
            _say(f"{release.id} has your answer.")
        elif isinstance(command, grammar.Refuse):
            _say(f"{release.id} is refused; nothing was changed.")
        elif release.approvals_missing:
            _say(f"{release.id} is approved; {release.approvals_missing} more to come.")
        elif release.state is State.ABOUT_TO_START and release.moment is not None:
            at = f"{release.moment.starts_at.astimezone():%H:%M:%S}"
            _say(f"{release.id} has all its approvals and starts at {at}, unless somebody stops it:")
            _say(f"    {to_type(f'abort {release.id}')}")
        elif release.state is State.WAITING:
            named = ", ".join(item.name for item in blocking(release.checklist))
            _say(f"{release.id} has all its approvals and waits for its checklist, in Slack: {named}.")
        else:
            _say(f"{release.id} has all its approvals and goes ahead.")
        return Exit.DONE

    def _follow(self, release: Release, sentence: str, wanted: Wanted, *, told: int | None = None) -> Exit:
        if not self._wait:
            _say(f"{sentence} {to_type(f'status {release.environment}')} shows how it stands.")
            return Exit.DONE
        already = (0 if wanted == "go" else release.position) if told is None else told
        _say(f"{sentence} Ctrl-C leaves it to go on by itself.")
        try:
            ended = self._follower.to_the_end(release.id, told=already)
        except KeyboardInterrupt:
            _say(f"\n{release.id} goes on. To see how it stands, and to stop it:")
            _say(f"    {to_type(f'status {release.environment}')}\n    {to_type(f'abort {release.id}')}")
            return Exit.INTERRUPTED
        return exit_of(ended, wanted)

    # -- what only asks ----------------------------------------------------------------------------------

    def _ask(self, command: Asking) -> Exit:
        shown: list[Message] = []

        def show(answer: Message) -> Place | None:
            shown.append(answer)
            return None

        id_ = self._patiently(lambda: self._desk.ask(command, self._user, "", "", show=show))
        newest = self._newer(id_) if self._wait else None
        if newest is None and isinstance(command, grammar.Plan | grammar.Diff):
            done = "planned it" if isinstance(command, grammar.Plan) else "looked"
            _complain(f"No worker has {done} so far. Nothing was changed; ask again in a minute.")
            return Exit.UNKNOWN
        _say(text_of(newest or shown[-1], self._names))
        return Exit.DONE

    def _newer(self, id_: str) -> Message | None:
        """The answer once a worker has looked at the cluster; None when none did in time."""
        until = time.monotonic() + LOOK_SECONDS
        while time.monotonic() < until:
            answer, question = self._questions.answered(id_), self._questions.question(id_)
            if answer is not None and question is not None:
                return self._desk.updated(question, answer, self._told.answer_to(id_)[0], edits=True)
            time.sleep(PAUSE_SECONDS / 5)
        return None

    # -- small things ------------------------------------------------------------------------------------

    def _whoami(self) -> Identity | None:
        try:
            return self._slack.whoami()
        except SlackError:
            return None

    def _load(self, release_id: str) -> Release:
        return self._patiently(lambda: self._record.load(release_id).release)

    def _refused(self, refusal: Refusal) -> Exit:
        self._explain(refusal_message(refusal))
        return Exit.REFUSED

    def _said(self, answer: Message) -> Exit:
        """Show an answer; whether it says that something was done."""
        if answer.refused:
            self._explain(answer)
            return Exit.REFUSED
        self._remark()
        _say(text_of(answer, self._names))
        return Exit.DONE

    def _explain(self, message: Message) -> None:
        _complain(text_of(message, self._names))
        self._remark()

    def _remark(self) -> None:
        for remark in self._remembered.remarks:
            _complain(remark)

    def _patiently(self, action: Callable[[], T]) -> T:
        """Try until Redis answers and nobody else writes first, or the patience is over."""
        until = time.monotonic() + PATIENCE_SECONDS
        told = False
        while True:
            try:
                return action()
            except (RecordUnavailableError, NotYetError) as error:
                if time.monotonic() >= until:
                    raise RecordUnavailableError(str(error)) from error
                if isinstance(error, RecordUnavailableError) and not told:
                    told = True
                    _complain(f"{error}; trying again for {PATIENCE_SECONDS:g} s.")
                time.sleep(PAUSE_SECONDS)


def quieten() -> None:
    """A terminal is for who sits at it: what the parts log for those who run a server is not shown."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
