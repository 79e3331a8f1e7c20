"""Who sits at this terminal, as far as the operating system can vouch for it, and who that is in Slack.

What is believed is what the kernel says, never what the environment says:

- The **real user id** of the process. `USER`, `LOGNAME` and `SUDO_USER` are words that anybody can set.
- The **login user id**, which Linux sets once when a person logs in and which `su` and `sudo` do not change.
  Where it is known, it must be the same user: somebody who became another one is not that person.
- **Root is nobody in particular**: every administrator can be root, and root can become anyone. So root is
  refused, whatever `buzzy.yaml` and `SUDO_USER` say.

This is a signature, not a lock. Whoever can write to Redis can write into the record without asking
`buzzy`; what keeps them out are the credentials in `REDIS_URL`. And whoever can edit the `buzzy.yaml` that is
read here can say that they are somebody else: it should belong to who administers the machine.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from releases.config import Config

LOGIN_UID = Path("/proc/self/loginuid")
NOBODY_LOGGED_IN = 2**32 - 1
"""What Linux says of processes that no login began: in a container, or under a service."""


class NotKnownError(Exception):
    """Nobody can say who this is; the text says what to do."""


@dataclass(frozen=True)
class Account:
    """The user of the system that runs this process, and the one who logged in, if that is known."""

    uid: int
    name: str
    login_uid: int | None
    login_name: str | None


def this_account() -> Account:
    """The account of this process."""
    uid, login = os.getuid(), _login_uid()
    return Account(uid, _name(uid), login, None if login is None else _name(login))


def person_of(account: Account, config: Config) -> str:
    """The id in Slack of whoever runs this. Raises `NotKnownError`."""
    if account.uid == 0:
        raise NotKnownError(
            "root is nobody in particular: every administrator can be root. "
            "Run this as yourself, without sudo."
        )
    if account.login_uid is not None and account.login_uid != account.uid:
        raise NotKnownError(
            f"You logged in as {account.login_name} and act as {account.name} now. "
            f"Run this as {account.login_name}, without sudo or su."
        )
    person = config.operators.get(account.name)
    if person is None:
        raise NotKnownError(
            f"buzzy.yaml does not say who {account.name} is. Whoever looks after it can add, with the "
            "member ID from your Slack profile:\n"
            f"    operators:\n      {account.name}: U…"
        )
    return person


def _login_uid() -> int | None:
    try:
        uid = int(LOGIN_UID.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None  # not Linux, or a kernel without audit
    return None if uid == NOBODY_LOGGED_IN else uid


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
