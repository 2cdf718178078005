"""How many connections are kept for later requests, and for how long.

requests keeps ten to each host, and closes the others at once. Two hundred greenlets that ask
every now and then would connect anew nearly every time; and two hundred that have asked once
must not hold two hundred descriptors for the rest of the day.
"""

from __future__ import annotations

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

from requests.adapters import DEFAULT_POOLSIZE

# To each host, for as long as the session lasts.
KEPT = DEFAULT_POOLSIZE
# Those beyond that are kept for so many seconds after they were used.
SPARE_SECONDS = 3.0
MOST_SPARE = 1000


def most_spare() -> int:
    """Return how many connections beyond those of requests may be kept to a host.

    At most a quarter of the descriptors that this process may have.
    """
    if resource is None:
        return MOST_SPARE
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where there is no limit, it is negative.
    return min(MOST_SPARE, limit // 4) if limit >= 0 else MOST_SPARE
