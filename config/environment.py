"""Where this runs: the environment, the servers it names, and what production refuses."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from config import embedded

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

TIEOUT_ENV = env.str("TIEOUT_ENV", default="development")
if TIEOUT_ENV not in {"development", "test", "production"}:
    raise ImproperlyConfigured(
        f"TIEOUT_ENV is {TIEOUT_ENV!r}; use development, test or production."
    )
IS_PRODUCTION = TIEOUT_ENV == "production"
DEBUG = env.bool("DEBUG", default=False)

INSECURE_SECRET_KEY = "development-only-key-that-production-refuses-to-start-with-0123456789"
SECRET_KEY = env.str("SECRET_KEY", default=INSECURE_SECRET_KEY)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
SQS_QUEUE_URL = env.str("SQS_QUEUE_URL", default="")
# Whoever sends it may read /metrics; empty: nobody but operators.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Where a worker shows its own, to that token only; 0: nowhere.
METRICS_PORT = env.int("METRICS_PORT", default=0)
# Encrypt the secrets of webhook endpoints: the first one seals, each opens. None: SECRET_KEY does.
WEBHOOK_SECRETS_KEYS = env.list("WEBHOOK_SECRETS_KEY", default=[])

# Where e-mail is handed in. Production sends none unless it is said, and never prints one: there
# are links in it that open accounts.
EMAIL_URL = env.str("EMAIL_URL", default="" if IS_PRODUCTION else "consolemail://")
EMAIL_FROM = env.str("EMAIL_FROM", default="" if IS_PRODUCTION else "tieout@localhost")

# Whether people of the back office show a code of their phone besides the password.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=IS_PRODUCTION)

if IS_PRODUCTION:
    unsafe = [
        name
        for name, is_unsafe in {
            "SECRET_KEY": SECRET_KEY == INSECURE_SECRET_KEY or len(SECRET_KEY) < 50,
            "ALLOWED_HOSTS": not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS,
            "DEBUG": DEBUG,
            "DATABASE_URL": not DATABASE_URL,
            "REDIS_URL": not REDIS_URL,
            "METRICS_TOKEN": 0 < len(METRICS_TOKEN) < 32,
            "WEBHOOK_SECRETS_KEY": any(len(key) < 32 for key in WEBHOOK_SECRETS_KEYS),
            "SECOND_FACTOR_REQUIRED": not SECOND_FACTOR_REQUIRED,
            "EMAIL_URL": EMAIL_URL != "" and not EMAIL_URL.startswith("smtp"),
            "EMAIL_FROM": EMAIL_URL != "" and not EMAIL_FROM,
        }.items()
        if is_unsafe
    ]
    if unsafe:
        raise ImproperlyConfigured(
            f"TIEOUT_ENV=production refuses to start: {', '.join(unsafe)} unset or unsafe."
        )

# A bare checkout brings its own servers. For sockets, kombu has names of its own.
DATABASE_URL = DATABASE_URL or embedded.database_url()
REDIS_URL = REDIS_URL or embedded.redis_url()
CELERY_BROKER_URL = CELERY_BROKER_URL or REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
