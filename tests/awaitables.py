"""What the tests of bridges between plain code and the loop wait for."""

from __future__ import annotations

import asyncio
from typing import Any


async def soon(value: object) -> Any:
    await asyncio.sleep(0)
    return value


async def fail(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error
