"""Whose turn it is: the next in line is told when an environment opens, the one after when it is free again.

The environment is not kept for them: whoever comes first takes it. So nothing hangs when somebody who is told
has gone home; after a while the next one is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from releases.closing import Closed, Traveller, closing, pass_by
from releases.config import Config, Environment
from releases.notices import Turn
from releases.record.closures import Called, Closures, line_text
from releases.record.record import MovedError, Record

TURN = timedelta(minutes=10)
"""How long somebody who was told has, before the next one is told as well."""


def call_next(
    closures: Closures, record: Record, config: Config, environment: Environment, now: datetime
) -> bool:
    """Tell the next in line if it is their turn; whether somebody was told."""
    name = environment.name
    board = closures.board(name)
    if not board.waiting or record.holder(name) is not None:
        return False
    epoch, called = record.epoch(name), board.called
    if called is not None and called.epoch == epoch and now - called.at < TURN:
        return False
    first, *behind = board.waiting
    standing = closing(config, environment, board.made, now)
    if isinstance(pass_by(Traveller("release", first.by.id), name, standing), Closed):
        return False
    changes = {
        ("waiting", name): line_text(behind),
        ("called", name): Called(by=first.by.id, at=now, epoch=epoch).model_dump_json(),
    }
    turn = Turn(at=now, channel=environment.channel, environment=name, waiter=first, behind=tuple(behind))
    try:
        closures.write(board, changes, [turn])
    except MovedError:
        return False  # whoever wrote first looks as well, and so does the next look
    return True
