"""The relay: everything once, in order, at Slack's pace, whatever breaks in between."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.messages import Message
from bot.messages.refusals import note
from bot.messages.thread import thread_message
from bot.relay.pace import Pace
from bot.relay.posting import LaterError, Post, Poster
from bot.relay.story import Story, tale_of
from bot.slack import NotSentError, Slack, SlackError, UnclearError, web_client
from releases import events as e
from releases.lifecycle import State
from releases.record import Store
from releases.record.told import Place, Told
from sandbox.workspace import RunningWorkspace, running_workspace
from tests.integration.bot_house import (
    ON_CALL,
    PRODUCTION,
    STAGING,
    TICK,
    House,
    eventually,
    now,
    open_house,
)
from tests.unit.bot_tales import Teller, seen


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work."""
    with open_house(redis_url) as opened:
        yield opened


@pytest.fixture
def quiet_house(redis_url: str) -> Iterator[House]:
    """A house whose bot does not run yet."""
    with open_house(redis_url, start=False) as opened:
        yield opened


TROUBLES = [
    {"cut": "after"},
    {"cut": "before"},
    {"status": 429},
    {"error": "internal_error"},
]


@pytest.mark.requirement("C2", "Q1")
@pytest.mark.parametrize("trouble", TROUBLES, ids=[str(trouble) for trouble in TROUBLES])
def test_a_post_whose_answer_is_lost_is_not_posted_twice(house: House, trouble: dict[str, str]) -> None:
    """Neither the message nor a line of its thread, whether or not Slack had posted it."""
    house.workspace.fail("chat.postMessage", **trouble)
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.person("alice").wait_for_reply(message, "asked for buzzy")
    house.workspace.fail("chat.postMessage", **trouble)
    house.planned("R1")
    house.person("alice").wait_for_reply(message, "🗺️ Plan")
    eventually(lambda: house.record.behind() == (), "everything is told")
    assert len(house.person("alice").messages(STAGING)) == 1
    assert len(house.thread(message)) == 2


@pytest.mark.requirement("C2", "Q1")
def test_a_message_that_is_found_again_is_brought_up_to_date(house: House) -> None:
    """The release went on while nobody knew that its message was there."""
    house.workspace.fail("chat.postMessage", cut="after")
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R1")
    house.until(message, "waiting for approval")
    assert len(house.person("alice").messages(STAGING)) == 1


@pytest.mark.requirement("C2", "Q1")
def test_an_edit_whose_answer_is_lost_is_made_again(house: House) -> None:
    """Making it twice does no harm."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.workspace.fail("chat.update", cut="before")
    house.planned("R1")
    house.until(message, "waiting for approval")


class Died(BaseException):
    """The process ends here."""


class DyingTold(Told):
    """A memory whose process dies at one of its writes: before it is made, or right after."""

    def __init__(self, store: Store, name: str, *, at: int, after: bool) -> None:
        """`at` counts the writes from 0."""
        super().__init__(store, name)
        self._left = at
        self._after = after

    def note(self, subject: str, **facts: str) -> None:
        """Remember, or die."""
        if self._left == 0 and not self._after:
            raise Died
        super().note(subject, **facts)
        if self._left == 0:
            raise Died
        self._left -= 1


def tell_everything(told: Told, workspace: RunningWorkspace, teller: Teller) -> None:
    """Tell a release's story to its end, as the relay does."""
    assert told.lead()
    slack = Slack(web_client(workspace.bot_token, workspace.api_url))
    story = Story(
        told, Poster(slack, told, Pace(posts_per_second=1_000, edit_seconds=0, settle_seconds=0)), "buzzy"
    )
    tale = tale_of("R42", teller.events)
    for _ in range(50):
        try:
            if story.tell(tale):
                return
        except LaterError:
            continue
    pytest.fail("the story never ends")


@pytest.mark.requirement("Q1", "C2")
@pytest.mark.parametrize("after", [False, True], ids=["before a write", "after a write"])
def test_a_relay_that_dies_anywhere_is_followed_by_one_that_repeats_nothing(
    store: Store, *, after: bool
) -> None:
    """It dies at each of its writes in turn, which stand around each of its posts; another one goes on."""
    with running_workspace() as workspace:
        for at in range(20):
            store.call("FLUSHALL")
            teller = Teller()
            teller.now = now()
            teller.asked().planned().approved().started(steps=2)
            dying = DyingTold(store, "first", at=at, after=after)
            try:
                tell_everything(dying, workspace, teller)
            except Died:
                dying.step_down()  # or its lead runs out
                tell_everything(Told(store, "second"), workspace, teller)
                died = True
            else:
                died = False
            alice = workspace.person("alice")
            message = alice.messages(STAGING)[-1]
            tale = tale_of("R42", teller.events)
            lines = [
                thread_message(state, event, "buzzy")
                for state, event in zip(tale.states, tale.events, strict=True)
            ]
            expected = [line.text for line in lines if line is not None]
            assert [reply.text for reply in alice.thread(message)] == expected, f"died at write {at}"
            assert len(alice.messages(STAGING)) == 1, f"died at write {at}"
            clear(workspace)
            if not died:
                break
        else:
            pytest.fail("it still had writes to die at")
        assert at > 10


def clear(workspace: RunningWorkspace) -> None:
    """Delete what the bot posted."""
    client = web_client(workspace.bot_token, workspace.api_url)
    alice = workspace.person("alice")
    for message in alice.messages(STAGING):
        for reply in alice.thread(message):
            client.chat_delete(channel=STAGING, ts=reply.ts)
        client.chat_delete(channel=STAGING, ts=message.ts)


class LateSlack(Slack):
    """A Slack whose answer to a post is lost, and which shows the post only some looks later."""

    def __init__(self, workspace: RunningWorkspace, *, looks: int) -> None:
        """The first `looks` looks find nothing."""
        super().__init__(web_client(workspace.bot_token, workspace.api_url))
        self.posts = 0
        self._looks = looks

    def post(self, channel: str, message: Message, *, id_: str, thread_ts: str | None = None) -> str:
        """Post; the first answer is lost."""
        ts = super().post(channel, message, id_=id_, thread_ts=thread_ts)
        self.posts += 1
        if self.posts == 1:
            raise UnclearError("chat.postMessage: no answer")
        return ts

    def find(self, channel: str, id_: str, *, oldest: float, thread_ts: str | None = None) -> str | None:
        """Look; in vain at first."""
        self._looks -= 1
        return None if self._looks >= 0 else super().find(channel, id_, oldest=oldest, thread_ts=thread_ts)


@pytest.mark.requirement("C2", "Q1")
def test_a_post_that_becomes_visible_late_does_not_stand_twice(store: Store) -> None:
    """It is looked for as long as it may still appear, and not posted again before."""
    with running_workspace() as workspace:
        told = Told(store, "relay")
        assert told.lead()
        slack = LateSlack(workspace, looks=3)
        poster = Poster(slack, told, Pace(settle_seconds=30))
        post = Post("R42", STAGING, note("R42"), time.time() - 60)
        with pytest.raises(UnclearError):
            poster.post_once("R42", "message", post)
        for _ in range(3):
            with pytest.raises(LaterError):
                poster.post_once("R42", "message", post)
        ts = poster.post_once("R42", "message", post)
        assert [message.ts for message in workspace.person("alice").messages(STAGING)] == [ts]
        assert slack.posts == 1


@pytest.mark.requirement("C2", "Q1")
def test_a_post_that_never_left_is_posted_at_once_when_slack_is_back(store: Store) -> None:
    """Nobody listens at Slack's address: that nothing was posted is clear, so nothing is looked for."""
    told = Told(store, "relay")
    assert told.lead()
    nowhere = Slack(web_client("xoxb-1", "http://127.0.0.1:1/api/"))
    post = Post("R42", STAGING, note("R42"), time.time() - 60)
    with pytest.raises(NotSentError):
        Poster(nowhere, told, Pace()).post_once("R42", "message", post)
    with running_workspace() as workspace:
        slack = Slack(web_client(workspace.bot_token, workspace.api_url))
        Poster(slack, told, Pace()).post_once("R42", "message", post)
        assert [call["method"] for call in workspace.calls()] == ["chat.postMessage"]


@pytest.mark.requirement("C2")
def test_a_channel_that_has_to_wait_holds_up_no_other(house: House) -> None:
    """Slack asks for a pause in one channel; the other goes on meanwhile."""
    house.workspace.fail("chat.postMessage", status=429, retry_after=2, channel=STAGING)
    alice = house.person("alice")
    alice.command("/buzzy release 3.2.1 staging", STAGING)
    eventually(
        lambda: any(not call["ok"] for call in house.workspace.calls("chat.postMessage")), "the 429 came"
    )
    alice.command("/buzzy release 3.2.1 production", PRODUCTION)
    production = alice.wait_for_message(PRODUCTION, "R2")
    house.planned("R2")
    house.until(production, "waiting for 2 of 2")
    assert alice.messages(STAGING) == []
    staging = alice.wait_for_message(STAGING, "R1")
    calls = [call for call in house.workspace.calls("chat.postMessage") if call["args"]["channel"] == STAGING]
    assert calls[1]["at"] - calls[0]["at"] >= 2
    assert float(staging.ts) > float(production.ts)


@pytest.mark.requirement("C2")
def test_many_changes_are_few_edits_and_the_last_one_shows(quiet_house: House) -> None:
    """No faster than the pace, never without the final state, and all in one message."""
    quiet_house.pace = Pace(posts_per_second=100, edit_seconds=0.3)
    quiet_house.start()
    message = quiet_house.ask("/buzzy release 3.2.1 development", "C0DEV")
    quiet_house.planned("R1")
    quiet_house.run_steps("R1", count=1)
    quiet_house.append("R1", e.StepStarted(at=now(), index=1))
    for ready in range(40):
        quiet_house.append("R1", e.StepProgressed(at=now(), index=1, seen=(seen("buzzy-main", ready, 40),)))
    quiet_house.until(message, "39/40")
    edits = [call for call in quiet_house.workspace.calls("chat.update") if call["ok"]]
    gaps = [after["at"] - before["at"] for before, after in itertools.pairwise(edits)]
    assert len(edits) < 8
    assert all(gap > 0.25 for gap in gaps)


@pytest.mark.calm
def test_a_slack_that_takes_no_bursts_is_told_everything_at_its_pace(quiet_house: House) -> None:
    """After the first 429 the bot keeps to one message a second; all lines come, in order and once."""
    quiet_house.pace = None
    quiet_house.workspace.limit_rates()
    quiet_house.start()
    message = quiet_house.ask("/buzzy release 3.2.1 development", "C0DEV")
    quiet_house.planned("R1")
    quiet_house.run_steps("R1", count=1)
    quiet_house.person("alice").wait_for_reply(message, "✔️ 1/4", timeout=20)
    thread = quiet_house.thread(message)
    assert [line[0] for line in thread] == ["📝", "🗺", "✅", "▶", "✔"]
    refused = [call for call in quiet_house.workspace.calls() if not call["ok"]]
    assert len(refused) <= 2, refused


def test_a_channel_that_buzzy_is_not_in_stops_no_other_release(house: House) -> None:
    """What could not be told is told once somebody has invited it."""
    house.workspace.remove(house.workspace.bot_user, STAGING)
    alice = house.person("alice")
    alice.command("/buzzy release 3.2.1 staging", STAGING)
    alice.command("/buzzy release 3.2.1 development", "C0DEV")
    message = alice.wait_for_message("C0DEV", "R2")
    house.planned("R2")
    house.until(message, "approved")
    eventually(lambda: house.record.behind() == ("R1",), "the other is told to its end")
    house.workspace.invite(house.workspace.bot_user, STAGING)
    house.stop()
    house.start()
    alice.wait_for_message(STAGING, "R1")


@pytest.mark.requirement("Q1")
def test_a_dead_slack_stops_no_release_and_loses_nothing(house: House) -> None:
    """Everything that happened meanwhile is told when Slack is back, in order and once."""
    message = house.ask("/buzzy release 3.2.1 development", "C0DEV")
    house.workspace.fail("*", cut="before", times=1_000)
    house.planned("R1")
    house.run_steps("R1")
    eventually(lambda: len(house.workspace.calls("chat.update")) > 0, "the bot has met the dead Slack")
    house.workspace.stop_failing()
    house.until(message, "released in")
    house.person("alice").wait_for_reply(message, "released in")
    thread = house.thread(message)
    steps = [line for line in thread if line.startswith("✔️")]
    assert [line.split(" ")[1] for line in steps] == ["1/4", "2/4", "3/4", "4/4"]
    assert len(thread) == len(set(thread)) == 9


def test_a_message_that_somebody_deleted_is_posted_again(house: House) -> None:
    """With its newest state; the rest of the story goes under the new one."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.person("alice").wait_for_reply(message, "asked for")
    eventually(lambda: house.record.behind() == (), "everything is told")
    clear(house.workspace)
    house.planned("R1")
    again = house.person("alice").wait_for_message(STAGING, "waiting for approval")
    house.person("alice").wait_for_reply(again, "🗺️ Plan")
    house.person("bob").react(again, TICK)
    house.until(again, "approved")


def test_blocks_that_slack_does_not_take_are_told_as_a_sentence(house: House) -> None:
    """A mistake of ours must not keep a release from being seen."""
    house.workspace.fail("chat.postMessage", error="invalid_blocks", channel=STAGING)
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    assert message.text == "R1 · buzzy 3.2.1 · staging: being planned"


@pytest.mark.requirement("Q1")
def test_of_two_bots_one_tells_and_the_other_takes_over(house: House) -> None:
    """Both act on what comes in; when the one that tells is gone, the other goes on at once."""
    other = House(house.workspace, house.redis_url)
    with contextlib.ExitStack() as ends:
        ends.callback(other.store.close)
        ends.callback(other.stop)  # also when an assertion fails: it would act on the next test's deliveries
        other.start(beside=1)
        message = other.ask("/buzzy release 3.2.1 staging", STAGING)
        house.stop()
        other.planned("R1")
        other.until(message, "waiting for approval")
        other.person("bob").react(message, TICK)
        other.until(message, "approved")
        eventually(lambda: other.record.behind() == (), "everything is told")
        assert len(other.person("alice").messages(STAGING)) == 1
        lines = other.thread(message)
        assert len(lines) == len(set(lines)) == 3


def test_an_alert_is_posted_once_although_its_answer_is_lost(house: House) -> None:
    """On-call is not woken twice."""
    house.ready_for_approval()
    house.person("bob").react(house.person("bob").messages(STAGING)[0], TICK)
    eventually(lambda: house.queue.depth("deployment") == 2, "it is approved")
    house.workspace.fail("chat.postMessage", cut="after", channel=ON_CALL)
    house.run_steps("R1", count=1)
    house.append("R1", e.StepStarted(at=now(), index=1))
    house.append(
        "R1",
        e.StepFailed(at=now(), index=1, reason="buzzy-main does not get ready"),
        e.ReleaseFailed(at=now(), reason="buzzy-main does not get ready", changed=("buzzy-main",)),
    )
    eventually(lambda: house.record.behind() == (), "everything is told")
    assert len(house.person("erin").messages(ON_CALL)) == 1


@pytest.mark.requirement("Q1")
def test_an_alert_that_is_told_late_is_ended_all_the_same(house: House) -> None:
    """The on-call channel could not be posted in until a later release had put the environment right."""
    house.workspace.remove(house.workspace.bot_user, ON_CALL)
    house.ready_for_approval()
    house.person("bob").react(house.person("bob").messages(STAGING)[0], TICK)
    eventually(lambda: house.queue.depth("deployment") == 2, "it is approved")
    house.run_steps("R1", count=1)
    house.append("R1", e.StepStarted(at=now(), index=1))
    failed = e.ReleaseFailed(at=now(), reason="it does not get ready", changed=("buzzy-main",))
    house.append("R1", e.StepFailed(at=now(), index=1, reason=failed.reason), failed)
    second = house.ask("/buzzy release 3.2.2 staging", STAGING)
    house.planned("R2", new="3.2.2")
    house.until(second, "waiting for")
    house.person("bob").react(second, TICK)
    eventually(lambda: house.record.load("R2").release.state is State.APPROVED, "it is approved")
    house.run_steps("R2")
    eventually(lambda: house.record.behind() == ("R1",), "the later one is told to its end")
    house.workspace.invite(house.workspace.bot_user, ON_CALL)
    house.stop()
    house.start()
    house.person("erin").wait_for_message(ON_CALL, "Put right by R2")
    eventually(lambda: house.record.behind() == (), "everything is told")
    assert len(house.person("erin").messages(ON_CALL)) == 1
    assert Told(house.store, "x").alerts("staging") == {}


def test_slacks_no_has_a_name_and_its_silence_another(quiet_house: House) -> None:
    """The gateway's three kinds of errors, from a real server."""
    workspace = quiet_house.workspace
    slack = Slack(web_client(workspace.bot_token, workspace.api_url))
    place = Place(STAGING, "1.000001")
    troubles: list[tuple[dict[str, Any], str]] = [
        ({"error": "channel_not_found"}, "RefusedError"),
        ({"status": 429, "retry_after": 7}, "RateLimitedError"),
        ({"status": 503}, "UnclearError"),
        ({"cut": "before"}, "UnclearError"),
        ({"error": "internal_error"}, "UnclearError"),
    ]
    for trouble, kind in troubles:
        workspace.fail("reactions.get", **trouble)
        with pytest.raises(SlackError) as caught:
            slack.reactions(place)
        assert type(caught.value).__name__ == kind
        assert getattr(caught.value, "retry_after", 7) == 7
    stranger = Slack(web_client("xoxb-wrong", workspace.api_url))
    with pytest.raises(SlackError, match="invalid_auth"):
        stranger.whoami()
    nobody = Slack(web_client(workspace.bot_token, "http://127.0.0.1:1/api/"))
    with pytest.raises(SlackError, match="URLError"):
        nobody.whoami()
