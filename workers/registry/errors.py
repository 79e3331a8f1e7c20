"""What can go wrong with a registry. The type says whether trying again can help; the text is for people.

No text holds a payload, a header or a credential: it may be shown in a channel.
"""

from __future__ import annotations


class RegistryError(Exception):
    """The registry did not give what it was asked for. Its text is a sentence without a full stop."""


class RegistryAwayError(RegistryError):
    """The same request may succeed in a moment."""


class RegistryUnreachableError(RegistryAwayError):
    """No usable answer came."""

    def __init__(self, host: str, why: str) -> None:
        """`why` is a few words, such as `connection refused`."""
        super().__init__(f"the registry {host} does not answer ({why})")
        self.why = why


class RegistryBusyError(RegistryAwayError):
    """The registry wants to be left alone for a while."""

    def __init__(self, host: str, retry_after: float) -> None:
        """`retry_after` is in seconds, as the registry says; 0 when it does not."""
        super().__init__(f"the registry {host} has too much to do just now, or had too many requests from us")
        self.retry_after = retry_after


class RegistryLoginError(RegistryError):
    """The registry does not know who Buzzy is, or wants to."""

    def __init__(self, host: str, repository: str, *, logged_in: bool) -> None:
        """`logged_in` says whether a name and a password were sent."""
        if logged_in:
            what = f"the registry {host} does not accept Buzzy's login for {repository}; is it expired?"
        else:
            what = (
                f"the registry {host} shows {repository} to nobody without a login: it is private, or there "
                f"is none of that name (REGISTRY_USERNAME and REGISTRY_PASSWORD, or REGISTRY_CONFIG)"
            )
        super().__init__(what)


class RegistryForbiddenError(RegistryError):
    """The registry knows who Buzzy is and does not let it read."""

    def __init__(self, host: str, repository: str) -> None:
        """The login needs the right to pull."""
        super().__init__(
            f"the registry {host} does not let Buzzy read {repository}: its login may not pull it"
        )


class ImageMissingError(RegistryError):
    """There is no such image."""

    def __init__(self, host: str, repository: str, reference: str) -> None:
        """`reference` is a tag or a digest; empty for the repository as a whole."""
        super().__init__(f"the registry {host} has no {repository}{_joined(reference)}")
        self.repository = repository
        self.reference = reference


class RegistryAnswerError(RegistryError):
    """An answer came, and it is none that could be used."""

    def __init__(self, host: str, what: str) -> None:
        """`what` goes on after `the registry answers with`."""
        super().__init__(f"the registry {host} answers with {what}")


def _joined(reference: str) -> str:
    if not reference:
        return ""
    return f"@{reference}" if ":" in reference else f":{reference}"
