"""What all scenarios' tests look through."""

from collections.abc import Callable

import pytest

_FETCH = "import sys, urllib.request as u; sys.stdout.write(u.urlopen(sys.argv[1], timeout=10).read().decode())"


@pytest.fixture
def fetch(host) -> Callable[[str], str]:
    """Fetch a URL from the machine itself; a bare machine has Python and no curl."""
    return lambda url: host.check_output(f'python3 -c "{_FETCH}" %s', url)
