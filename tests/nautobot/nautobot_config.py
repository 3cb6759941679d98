"""A Nautobot for tests on loopback: everything else comes from NAUTOBOT_* variables."""
import os

from nautobot.core.settings import *  # noqa: F401,F403
from nautobot.core.settings_funcs import parse_redis_connection

SECRET_KEY = os.environ["NAUTOBOT_SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLATION_METRICS_ENABLED = False
# One Redis for both servers.
_database = int(os.environ["REDIS_DATABASE"])
CELERY_BROKER_URL = parse_redis_connection(redis_database=_database)
CACHES["default"]["LOCATION"] = parse_redis_connection(redis_database=_database + 1)  # noqa: F405
PLUGINS = ["nautobot_ssot"]
