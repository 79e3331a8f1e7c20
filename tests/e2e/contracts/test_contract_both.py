"""What the contracts observed is the same on the sandbox's cluster and on a real one, field by field."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.e2e.contracts.normal import differences

pytestmark = pytest.mark.e2e


def test_sandbox_is_as_the_real_cluster(
    observations: Mapping[str, Mapping[str, Any]], tell: Callable[[str], None]
) -> None:
    """Every contract that was observed on both clusters was observed to be the same."""
    both = {name: found for name, found in observations.items() if len(found) == 2}
    if not both:
        pytest.skip("the contracts were not run on both clusters")
    found = {name: differences(each["sandbox"], each["real"]) for name, each in both.items()}
    wrong = {name: lines for name, lines in found.items() if lines}
    tell(f"{len(both)} contracts, {len(both) - len(wrong)} equal on both")
    assert not wrong, "\n".join(f"{name}{line}" for name, lines in wrong.items() for line in lines)
