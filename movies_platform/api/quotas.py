"""How much each caller may ask for: units in a minute of the clock.

Counted in this process, or in Redis (`MOVIES_API_REDIS`), for all workers and nodes together, in one step: a library
of rate limits would take a second one for the headers. While Redis is away each process counts for itself, so that
an outage there refuses nobody.
"""

import logging
import math
import time
from typing import Any

from movies_platform.api.answers import UNIT
from movies_platform.api.auth import Caller
from movies_platform.api.problems import Problem
from movies_platform.settings import Settings

WINDOW = 60  # seconds
_TIMEOUT, _PAUSE = 0.2, 2.0  # seconds to wait for Redis; to leave it alone after that
_CALLERS = 100_000
_PREFIX = "movies-api:quota"
_COUNT = "local n = redis.call('INCRBY', KEYS[1], ARGV[1]) if n == tonumber(ARGV[1]) then " \
         "redis.call('EXPIRE', KEYS[1], ARGV[2]) end return n"  # fmt: skip
_log = logging.getLogger(__name__)
Headers = list[tuple[bytes, bytes]]


class Quotas:
    """Charges callers for their questions."""

    def __init__(self, chosen: Settings):
        self._default = chosen.api_quota
        self._window, self._used = 0, dict[str, int]()
        self._redis: Any = None
        self._away_until = 0.0
        if chosen.api_redis:
            import redis.asyncio

            self._redis = redis.asyncio.from_url(
                chosen.api_redis, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
            )
            self._count = self._redis.register_script(_COUNT)

    async def charge(self, caller: Caller, cost: int) -> Headers:
        """Take `cost` units; the RateLimit headers. Raises Problem: 429 where they are not left, 400 if never."""
        limit, now = caller.quota or self._default, time.time()
        if cost > limit:
            raise Problem(
                400, f"This costs {cost:,} units, more than your {limit:,} of a minute. Ask for at most "
                f"{limit * UNIT:,} rows (limit), of a file for less than {limit:,} MB at a time (Range).",
            )  # fmt: skip
        window = int(now // WINDOW)
        if self._redis is None:
            used = self._charge_here(caller.name, window, cost)
        else:
            used = await self._charge_redis(caller.name, window, cost)
        seconds = math.ceil((window + 1) * WINDOW - now)
        if used > limit:
            raise Problem(429, f"Your {limit:,} units of this minute are used up. Go on in {seconds} seconds.",
                          {"RateLimit-Limit": str(limit), "RateLimit-Remaining": "0", "RateLimit-Reset": str(seconds),
                           "Retry-After": str(seconds)})  # fmt: skip
        return [(b"ratelimit-limit", b"%d" % limit), (b"ratelimit-remaining", b"%d" % (limit - used)),
                (b"ratelimit-reset", b"%d" % seconds)]  # fmt: skip

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.aclose()

    def _charge_here(self, caller: str, window: int, cost: int) -> int:
        if window != self._window or len(self._used) > _CALLERS:
            self._window, self._used = window, {}
        used = self._used[caller] = self._used.get(caller, 0) + cost
        return used

    async def _charge_redis(self, caller: str, window: int, cost: int) -> int:
        import redis.exceptions

        if time.monotonic() >= self._away_until:
            try:
                return int(await self._count(keys=[f"{_PREFIX}:{caller}:{window}"], args=[cost, 2 * WINDOW]))
            except (redis.exceptions.RedisError, OSError) as problem:
                self._away_until = time.monotonic() + _PAUSE
                _log.warning("Redis does not count (%s): each process counts for itself", type(problem).__name__)
        return self._charge_here(caller, window, cost)
