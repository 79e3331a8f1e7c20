"""Slack's three entities, and nothing else: `&copy;` stays `&copy;`."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Text as Slack sends what a person typed."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """Text as a person reads it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
