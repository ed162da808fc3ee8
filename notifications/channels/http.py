"""What Telegram and webhooks have in common: one request, and what its answer means."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from notifications.channels.errors import UnreachableError

MAXIMUM_ANSWER_BYTES = 65_536
LONGEST_PAUSE_S = 3600.0


async def post(
    url: str, *, data: Any, headers: Mapping[str, str], timeout_s: float, shown: str
) -> tuple[int, bytes, float | None]:
    """POST once, following no redirect; status, the beginning of the body, and the pause that the answer asks for.

    `shown` stands for the URL in errors, which may hold a secret. Raises UnreachableError.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        # An environment's HTTPS_PROXY counts: many factories have no other way out.
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.post(url, data=data, headers=headers, allow_redirects=False) as answer,
        ):
            body = await answer.content.read(MAXIMUM_ANSWER_BYTES)
            return answer.status, body, _pause_s(answer.headers.get("Retry-After"))
    except aiohttp.InvalidURL:
        raise UnreachableError(f"{shown}: is no address") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as problem:
        told = str(problem).replace(url, shown) or type(problem).__name__
        raise UnreachableError(f"{shown}: {told}") from None


def _pause_s(header: str | None) -> float | None:
    # A date is allowed too; who sends one is asked again at our own pace.
    return min(float(header), LONGEST_PAUSE_S) if header is not None and header.isdigit() else None
