from fastapi import HTTPException, Request, status
from redis.asyncio import Redis

from src.config import settings

redis = Redis.from_url(str(settings.REDIS_URL))


class RateLimiter:
    """So many requests in a window, from one address."""

    def __init__(self, times: int, seconds: int) -> None:
        self.times = times
        self.seconds = seconds

    async def __call__(self, request: Request) -> None:
        host = request.client.host if request.client else "unknown"
        key = f"limit:{request.url.path}:{host}"
        count = await redis.incr(key)
        if count == 1:
            await redis.expire(key, self.seconds)
        if count > self.times:
            raise HTTPException(status.HTTP_429_TOO_MANY_REQUESTS, headers={"Retry-After": str(self.seconds)})
