"""Release after release through the whole house: each ends well, and none leaves anything behind."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from bot.messages.thread import thread_message
from bot.relay.story import tale_of
from releases import events as e
from releases.record import Record, Store
from releases.record.queue import QUEUES
from sandbox.cluster import SERVICES_OF_BUZZY
from sandbox.cluster.seed import SeedService
from sandbox.workspace import Message
from tests.e2e.houses import CHANNELS, House

pytestmark = pytest.mark.e2e

RELEASES = int(os.environ.get("BUZZY_RELEASES", "5"))
SERVICES = (*SERVICES_OF_BUZZY, SeedService("buzzy-search"))
ENVIRONMENT = "development"

POSTS = 14
"""What a release comes to in its channel, with room for one more. Slack takes one a second, so it is the
threads that take the time, not the rollouts: nobody waits for one before the next release."""


@pytest.mark.requirement("C2", "Q1")
@pytest.mark.usefixtures("plane")
@pytest.mark.timeout(120 + RELEASES * POSTS * 3)
def test_release_after_release(open_house: Callable[..., House], tell: Callable[[str], None]) -> None:
    """All of them 🟢, five services each; one message, one whole thread each; Redis as tidy as before."""
    house = open_house(ENVIRONMENT, services=SERVICES)
    record = Record(Store.connect(house.redis.url))
    began = time.monotonic()
    spans = [_release(house, number) for number in range(1, RELEASES + 1)]
    released = time.monotonic() - began
    house.alice.wait(lambda: not record.behind(), RELEASES * POSTS * 2, "all is told")
    told = time.monotonic() - began

    messages = house.alice.messages(CHANNELS[ENVIRONMENT])
    assert len(messages) == RELEASES
    for number, message in enumerate(messages, 1):
        _assert_told(house, record, f"R{number}", message)
    _assert_nothing_is_left(house, record)
    tell(
        f"{RELEASES} releases of {len(SERVICES)} services in {released:.1f} s, a release "
        f"{statistics.median(spans):.2f} s (median) to {max(spans):.2f} s (longest); "
        f"their last line stood in Slack after {told:.1f} s"
    )


def _release(house: House, number: int) -> float:
    """One release from the command to 🟢, and how many seconds that took."""
    version = f"3.2.{number}"
    began = time.monotonic()
    message = house.ask(f"/buzzy release {version} {ENVIRONMENT}", ENVIRONMENT)
    message = house.until(message, "🟢")
    took = time.monotonic() - began
    assert f"R{number} " in message
    assert f"buzzy {version}" in message
    assert house.images(ENVIRONMENT) == {service.name: version for service in SERVICES}
    return took


def _assert_told(house: House, record: Record, release: str, message: Message) -> None:
    """The release went straight to its end, and its thread has each of its lines once, in order."""
    events = record.events(release)
    kinds = [type(event) for event in events]
    assert kinds[-1] is e.ReleaseFinished
    assert not {e.Interrupted, e.StepFailed, e.ReplanRequested} & set(kinds), kinds
    assert kinds.count(e.StepFinished) == len(SERVICES) + 2  # and configuration, verification
    assert f"{release} " in message
    tale = tale_of(release, events)
    wanted = [
        f"{release}:{index}"
        for index, (state, event) in enumerate(zip(tale.states, events, strict=True), 1)
        if thread_message(state, event, "buzzy") is not None
    ]
    assert [_id(reply) for reply in house.alice.thread(message)] == wanted


def _id(message: Message) -> str:
    """Which event a message tells, as the bot wrote it beside it."""
    return str(message.data["metadata"]["event_payload"]["id"])


def _assert_nothing_is_left(house: House, record: Record) -> None:
    """Nothing waits, nobody holds anything, no job failed or is thought to be running."""
    assert record.behind() == record.idle() == ()
    assert record.holder(ENVIRONMENT) is None
    with redis.Redis.from_url(house.redis.url) as client:
        environment = client.hgetall(f"buzzy:environment:{ENVIRONMENT}")
        assert set(environment) == {b"epoch"}
        assert client.smembers("buzzy:active") == set()
        for name in QUEUES:
            queue = Queue(name, connection=client, serializer=JSONSerializer)
            registries = (queue.started_job_registry, queue.failed_job_registry, queue.deferred_job_registry)
            assert (name, queue.count, *(len(each) for each in registries)) == (name, 0, 0, 0, 0)
