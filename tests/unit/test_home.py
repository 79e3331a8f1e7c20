"""What the App Home says, line by line, and how much of it fits."""

from __future__ import annotations

from typing import Any

from bot.messages.approvals import Awaiting
from bot.messages.home import closed_view, home_view, notice_form, notice_of
from bot.messages.refusals import note
from bot.messages.status import EnvironmentNow
from releases import events as e
from releases.awaiting import Wanted
from releases.lifecycle import Release
from releases.snapshot import Snapshot
from releases.standby import Drift
from sandbox.workspace.blocks import check_view
from tests.unit.bot_reading import read_blocks
from tests.unit.bot_tales import MONDAY, TWO_APPROVALS, Teller, crash, seen

WAITING = Teller(approval=TWO_APPROVALS).asked(reason="fix export").planned().release()
FAILED = Teller().asked().planned().approved().started(steps=2).begins(2).happens(*crash(2)).release("R43")
URL = "https://example.com/archives/C0STAGING/p1"


def released() -> Release:
    """One that has ended well."""
    teller = Teller().asked().planned().approved()
    teller.started(steps=len(teller.plan.steps))
    return teller.happens(e.ReleaseFinished(at=teller.now)).release("R41")


def snapshot(name: str, **service: Any) -> Snapshot:  # noqa: ANN401 - as `seen`
    """An environment with one service."""
    return Snapshot(environment=name, at=MONDAY, services=(seen("buzzy-main", 3, **service),))


def test_the_home_line_by_line() -> None:
    """What waits first; then each environment: how it is, what closes it, what is under way, what was."""
    view = home_view(
        (
            EnvironmentNow("staging", snapshot("staging"), WAITING, (WAITING, released())),
            EnvironmentNow(
                "production",
                snapshot("production", state="1 crashing"),
                None,
                (FAILED,),
                calendar=("🔒 @carol: “audit” until 17:00 UTC",),
                soaking=("ready for standby in 2 h",),
            ),
            EnvironmentNow("standby", None, None, (), drift=Drift("has 3.2.0, production 3.2.1", None)),
        ),
        (Awaiting(WAITING, Wanted(approval=True), URL),),
        {"R42": URL},
        "buzzy",
    )
    assert check_view(view)
    assert read_blocks(view["blocks"]).splitlines() == [
        "[ Release a version ] [ Look again ]",
        "# Waiting for you",
        "🟡 R42 · buzzy 3.2.0 → 3.2.1 · staging — waiting for 2 of 2 approvals",
        "it wants your approval",
        "asked by @U0ALICE · “fix export”",
        "[ Approve R42 ]",
        "# Environments",
        "🟢 staging · 3.2.1 · healthy · seen <2026-11-23 14:00 UTC>",
        "🟡 R42 · buzzy 3.2.0 → 3.2.1 — waiting for 2 of 2 approvals · asked by @U0ALICE",
        "R41 released <2026-11-23 14:02 UTC>, asked by @U0ALICE",
        "🔴 production · 3.2.1 · buzzy-main 1 crashing · seen <2026-11-23 14:00 UTC>",
        "🔒 @carol: “audit” until 17:00 UTC",
        "🔴 R43 · buzzy 3.2.0 → 3.2.1 — failed at buzzy-api · asked by @U0ALICE",
        "ready for standby in 2 h",
        "⚪ standby · ? · not seen yet",
        "has 3.2.0, production 3.2.1",
    ]
    assert str(view).count(URL) == 2


def test_a_house_of_any_size_fits_on_a_home() -> None:
    """Slack takes 100 blocks; what does not fit is counted."""
    many = tuple(EnvironmentNow(f"environment-{i}", snapshot("x"), WAITING, (WAITING,)) for i in range(60))
    waiting = tuple(Awaiting(WAITING, Wanted(approval=i % 2 == 0), URL) for i in range(60))
    view = home_view(many, waiting, {}, "buzzy", notice=notice_of(note("Done.")))
    assert len(view["blocks"]) <= 60
    assert check_view(view)
    text = read_blocks(view["blocks"])
    assert "and 40 more: /buzzy status" in text
    assert text.count("and 22 more: see /buzzy status") == 2


def test_an_answer_stands_on_top_or_in_a_window() -> None:
    """As it was written, buttons included."""
    answer = note("That was too late.", copy="/buzzy status")
    view = home_view((), (), {}, "buzzy", notice=notice_of(answer))
    assert read_blocks(view["blocks"]).splitlines()[:2] == ["That was too late.", "/buzzy status"]
    assert check_view(notice_form(answer))


def test_whom_it_is_not_for_sees_that_alone() -> None:
    """No button, no environment."""
    view = closed_view(note("Guests can read along."))
    assert read_blocks(view["blocks"]) == "Guests can read along."
