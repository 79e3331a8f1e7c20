"""Who did something, and by which door."""

from __future__ import annotations

from typing import Literal

from releases.frozen import Frozen


class Actor(Frozen):
    """Who did something: a person of Slack by id, or Buzzy itself."""

    id: str
    name: str


BUZZY = Actor(id="buzzy", name="Buzzy")
"""The actor of what the bot does by itself."""


Via = Literal["reaction", "button", "command", "command line"]
"""How somebody gave an answer: on the release's message, by a line typed in Slack, or in a terminal."""


AskedVia = Literal["slack", "command line"]
"""Where somebody asked for something: in Slack, or in a terminal with `buzzy do`."""
