"""The relay: turns what happened into messages, in order and once, and goes on where another one stopped."""

from bot.relay.relay import Relay

__all__ = ["Relay"]
