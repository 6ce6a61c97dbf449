"""What processes share beside the database: one Redis or Valkey, and how to do without it while it is away.

Belongs here: connections, time limits, the breaker, scripts, messages. Never here: what they are used for.
"""

from freehold.remote.lane import Away, Command, Refused, Reply
from freehold.remote.server import RedisServer, Script
from freehold.remote.subscription import Subscription

__all__ = ["Away", "Command", "RedisServer", "Refused", "Reply", "Script", "Subscription"]
