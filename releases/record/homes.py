"""Who looks at their App Home: opened lately, and what they are to be told there.

Slack says when somebody opens their home and never when they leave it. So those are kept up to date who
opened it within the last hour, and of those the fifty who did so last; whoever comes back opens it anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from releases.record import scripts
from releases.record.store import Store

LEAD_MS = 10_000
"""How long a bot is believed to keep the homes without a sign; longer than any one of its calls to Slack."""

LATELY_MS = 3_600_000
MOST = 50
NOTICE_SECONDS = 600
"""How long an answer stands on a home, unless it is opened anew before."""


@dataclass(frozen=True)
class Viewer:
    """Somebody who has opened their home lately. `opened` is when, in Redis' own milliseconds."""

    user: str
    opened: int
    notice: str = ""
    """An answer that is to be shown there; empty without one. Text of whoever wrote it."""


class Homes:
    """The homes in Redis. All methods raise `RecordUnavailableError` when it does not answer."""

    def __init__(self, store: Store, keeper: str = "") -> None:
        """`keeper` names a bot among all that share the store; only those who keep homes need one."""
        self._store = store
        self._keeper = keeper

    def lead(self) -> bool:
        """Become, or stay, the one bot that keeps the homes; False while another does."""
        key = self._store.key("homes", "keeper")
        return bool(self._store.run(scripts.LEAD, [key], [self._keeper, LEAD_MS]))

    def step_down(self) -> None:
        """Let another bot keep them at once."""
        self._store.run(scripts.LEAD, [self._store.key("homes", "keeper")], [self._keeper, 0])

    def opened(self, user: str) -> None:
        """Somebody looks at their home now: what they were told there before, they have seen."""
        self.say(user, "")

    def say(self, user: str, notice: str) -> None:
        """Show somebody an answer on their home, in place of the last; an empty one takes that away."""
        key = self._store.key
        self._store.run(
            scripts.LOOKED_AT,
            [key("homes"), key("homes", "wake"), key("home", user)],
            [user, LATELY_MS, MOST, notice, NOTICE_SECONDS],
        )

    def forget(self, user: str) -> None:
        """Keep somebody's home no more, until they open it again."""
        self._store.call("ZREM", self._store.key("homes"), user)

    def viewers(self) -> tuple[Viewer, ...]:
        """Whose homes are kept up to date, the latest first."""
        key = self._store.key
        now = self._store.now_ms()
        flat = self._store.run(scripts.VIEWERS, [key("homes")], [now - LATELY_MS, key("home", "")])
        return tuple(Viewer(flat[i], int(flat[i + 1]), flat[i + 2]) for i in range(0, len(flat), 3))

    def wait(self, seconds: float) -> None:
        """Wait until somebody opens theirs, at most so long."""
        self._store.call("BLPOP", self._store.key("homes", "wake"), max(seconds, 0.01))

    def stir(self) -> None:
        """End the wait of whoever waits."""
        self._store.call("LPUSH", self._store.key("homes", "wake"), "1")
