"""The names of one configuration, as the grammar takes them."""

from __future__ import annotations

from releases import grammar
from releases.config import Config, strategies_of


def vocabulary_of(config: Config) -> grammar.Vocabulary:
    """The names that commands may use."""
    return grammar.Vocabulary(
        environments=tuple(config.environments),
        services=tuple(service.name for service in config.services),
        strategies=strategies_of(config),
        standbys=config.standbys,
    )
