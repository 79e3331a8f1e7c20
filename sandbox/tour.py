"""The scripted tour: the main job, played once by people of the workspace, as the channel shows it.

Each act says what somebody types or clicks, waits for what must follow, and shows the message and its
thread. What does not happen in time ends the tour; nothing is printed that was not there to be read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from sandbox.stage import Stage
from sandbox.transcript import Directory, render_thread
from sandbox.workspace import Message, Person

CRASHES = "3.3.0"
"""A version that looks as good as any and crashes at start; the sandbox's cluster is told so."""

BEHAVIOUR = {CRASHES: "crash"}
PATIENCE = 120.0
TICK = "white_check_mark"
SOAK_SECONDS = 5.0
"""As buzzy.yaml has it for production: a moment, where a team of flesh and blood would write a day."""

DEVELOPMENT, STAGING, PRODUCTION, ON_CALL = "C0DEV", "C0STAGING", "C0RELEASES", "C0ONCALL"


class Tour:
    """Plays on a stage and prints to a console. Raises `AssertionError` when an expectation fails."""

    def __init__(self, stage: Stage, console: Console) -> None:
        """Everybody who plays is on stage."""
        self._console = console
        self._alice = stage.person("alice")
        self._bob = stage.person("bob")
        self._carol = stage.person("carol")
        self._erin = stage.person("erin")
        self._directory = Directory.of(stage.workspace)

    def play(self) -> None:
        """All acts, in order."""
        self.release_to_staging()
        self.release_to_production()
        self.release_what_does_not_fit()
        self.release_what_crashes()
        self.roll_back()
        self.look_around()
        self.pass_a_freeze()
        self.schedule_a_train()

    def release_to_staging(self) -> None:
        """One approval, by reaction."""
        with self._act("3.2.1 to staging"):
            line = '/buzzy release 3.2.1 staging --reason "fix export timeout"'
            message = self._ask(self._alice, line, STAGING, "3.2.1 · staging")
            message = self._until(message, "waiting for approval")
            self._reacts(self._bob, message)
            self._ends(message, "released in", "released in")

    def release_to_production(self) -> None:
        """What staging proved, once it has soaked; two approvals and a tick; who asked is none of them."""
        with self._act("what staging runs to production, which wants it soaked and two approvals"):
            line = "/buzzy promote staging production"
            self._type(self._alice, line, PRODUCTION)
            told = self._alice.wait_for_ephemeral(PRODUCTION, "that production asks for", timeout=PATIENCE)
            self._show(told, note="only Alice sees this")
            self._note(f"A few seconds later, when it has run in staging for {SOAK_SECONDS:g} s:")
            self._wait_until_soaked()
            message = self._ask(self._alice, line, PRODUCTION, "production")
            message = self._until(message, "waiting for 2 of 2 approvals")
            self._reacts(self._alice, message)
            told = self._alice.wait_for_ephemeral(PRODUCTION, "approved by others", timeout=PATIENCE)
            self._show(told, note="only Alice sees this")
            self._note("Carol has read the release notes: she presses [ ☑ release notes read ].")
            self._carol.click(message, "☑ release notes read")
            message = self._until(message, "Checklist 8/8")
            self._reacts(self._bob, message)
            message = self._until(message, "waiting for 1 of 2 approvals")
            self._reacts(self._carol, message)
            self._ends(message, "released in", "released in")

    def release_what_does_not_fit(self) -> None:
        """One is built on another Node.js than the matrix has, one wants a newer MongoDB: neither begins."""
        for version, needs in (("4.0.0", "it needs Node.js 18.x"), ("4.1.0", "it needs MongoDB >=5.0")):
            with self._act(f"{version}, which does not run with what is there"):
                line = f"/buzzy release {version} staging"
                message = self._ask(self._alice, line, STAGING, f"{version} · staging")
                self._ends(message, needs, needs)

    def release_what_crashes(self) -> None:
        """A version whose pods crash: it fails, says why in the pods' words, and wakes on-call."""
        with self._act(f"{CRASHES} to staging, which crashes at start"):
            message = self._ask(
                self._alice, f"/buzzy release {CRASHES} staging", STAGING, f"{CRASHES} · staging"
            )
            message = self._until(message, "waiting for approval")
            self._reacts(self._bob, message)
            self._ends(message, "failed at buzzy-main", "Failed: buzzy-main")
            self._alert = self._erin.wait_for_message(ON_CALL, "staging", timeout=PATIENCE)
            self._erin.wait_for_reply(self._alert, "CrashLoopBackOff", timeout=PATIENCE)
            self._show(self._alert, note=f"#{self._directory.channel(ON_CALL)}", thread=self._erin)

    def roll_back(self) -> None:
        """On-call presses the alert's button; it needs nobody's approval."""
        with self._act("on-call rolls back"):
            self._note("Erin presses [ Roll back ] in the alert, and confirms.")
            before = self._newest(STAGING)
            self._erin.click(self._alert, "Roll back")
            message = self._erin.wait_for_message(
                STAGING, "rollback of buzzy", after=before, timeout=PATIENCE
            )
            self._ends(message, "rolled back in", "rolled back")

    def look_around(self) -> None:
        """What runs where, as the cluster says."""
        with self._act("what runs where"):
            self._type(self._alice, "/buzzy status", STAGING)

            def looked_at() -> Message | None:
                """The newest answer: the first is from memory, and corrected once the cluster was seen."""
                newest = self._alice.ephemerals(STAGING)[-1]
                return newest if "production" in newest and "not seen yet" not in newest else None

            answer = self._alice.wait(looked_at, PATIENCE, "the cluster was looked at")
            for environment in ("staging", "production"):
                row = next(line for line in answer.shown.splitlines() if environment in line)
                assert "3.2.1" in row, f"{environment} should run 3.2.1: {row}"  # noqa: S101 - the tour's own check
            self._show(answer, note="only Alice sees this")

    def pass_a_freeze(self) -> None:
        """Closed to everybody but those who may pass, who say why; and open again."""
        with self._act("staging is frozen, and a mend that cannot wait passes with a reason"):
            self._type(self._carol, '/buzzy freeze staging --reason "audit" --for 2h', STAGING)
            self._show(self._alice.wait_for_message(STAGING, "staging is frozen", timeout=PATIENCE))
            self._type(self._alice, "/buzzy release 3.2.2 staging", STAGING)
            told = self._alice.wait_for_ephemeral(STAGING, "staging is frozen", timeout=PATIENCE)
            self._show(told, note="only Alice sees this")
            line = '/buzzy release 3.2.2 staging --override-freeze --reason "CVE-2026-1"'
            message = self._until(
                self._ask(self._carol, line, STAGING, "3.2.2 · staging"), "waiting for approval"
            )
            self._reacts(self._bob, message)
            self._ends(message, "released in", "released in")
            self._type(self._carol, "/buzzy unfreeze staging", STAGING)
            self._show(self._alice.wait_for_message(STAGING, "ended the freeze", timeout=PATIENCE))

    def schedule_a_train(self) -> None:
        """A release that leaves by the calendar, and one that leaves while we look."""
        with self._act("3.2.2 goes with the next train to production, and to development in a moment"):
            self._type(self._alice, "/buzzy schedule 3.2.2 production weekly", PRODUCTION)
            self._show(
                self._alice.wait_for_message(PRODUCTION, "with the train weekly", timeout=PATIENCE),
            )
            self._type(self._alice, "/buzzy calendar production", PRODUCTION)
            told = self._alice.wait_for_ephemeral(PRODUCTION, "3.2.2", timeout=PATIENCE)
            self._show(told, note="only Alice sees this")
            before = self._newest(DEVELOPMENT)
            self._type(self._alice, "/buzzy schedule 3.2.2 development in 5 seconds", DEVELOPMENT)
            self._note("Five seconds later, by itself:")
            message = self._alice.wait_for_message(
                DEVELOPMENT, "3.2.2 · development", after=before, timeout=PATIENCE
            )
            self._ends(message, "released in", "released in")

    def _wait_until_soaked(self) -> None:
        """The end of the release to staging is what its message says, to the second; so is the soak."""
        time.sleep(SOAK_SECONDS)

    # -- what people do ----------------------------------------------------------------------------

    def _ask(self, who: Person, line: str, channel: str, title: str) -> Message:
        before = self._newest(channel)
        self._type(who, line, channel)
        return who.wait_for_message(channel, title, after=before, timeout=PATIENCE)

    def _type(self, who: Person, line: str, channel: str) -> None:
        self._note(f"{self._directory.user(who.id)} types in #{self._directory.channel(channel)}:")
        self._console.print(f"    [bold]{escape(line)}[/]\n")
        delivery = who.command(line, channel)
        assert delivery.acknowledged, delivery.error  # noqa: S101 - the tour's own check

    def _reacts(self, who: Person, message: Message) -> None:
        self._show(who.read_again(message))
        self._note(f"{self._directory.user(who.id)} reacts with ✅.")
        who.react(message, TICK)

    # -- what must follow --------------------------------------------------------------------------

    def _until(self, message: Message, text: str) -> Message:
        return self._alice.wait_until_shows(message, text, PATIENCE)

    def _ends(self, message: Message, text: str, told: str) -> None:
        """Wait until the message says its end and the thread has told it; show both."""
        self._until(message, text)
        self._alice.wait_for_reply(message, told, timeout=PATIENCE)
        self._show(self._alice.read_again(message), thread=self._alice)

    def _newest(self, channel: str) -> Message | None:
        messages = self._alice.messages(channel)
        return messages[-1] if messages else None

    # -- what is printed ---------------------------------------------------------------------------

    @contextmanager
    def _act(self, title: str) -> Iterator[None]:
        self._console.rule(f"[bold]{escape(title)}[/]", align="left")
        yield
        self._console.print()

    def _note(self, text: str) -> None:
        self._console.print(f"[dim]{escape(text)}[/]")

    def _show(self, message: Message, *, note: str = "", thread: Person | None = None) -> None:
        if note:
            self._note(note)
        replies = thread.thread(message) if thread else []
        self._console.print(render_thread(message.data, [each.data for each in replies], self._directory))
        self._console.print()
