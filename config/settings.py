"""Settings, read from the environment. `.env.example` documents every variable."""

from ipaddress import ip_network
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from config import brokers, embedded, logs
from config.api_settings import (
    RATE_LIMITS,
    REST_FRAMEWORK,
    SIMPLE_JWT,
    SPECTACULAR_SETTINGS,
    TRUSTED_PROXIES,
)
from config.back_office.looks import UNFOLD
from config.environment import (
    ALLOWED_HOSTS,
    BASE_DIR,
    CELERY_BROKER_URL,
    CSRF_TRUSTED_ORIGINS,
    DATABASE_URL,
    DEBUG,
    EMAIL_FROM,
    EMAIL_URL,
    INSECURE_SECRET_KEY,
    IS_PRODUCTION,
    METRICS_PORT,
    METRICS_TOKEN,
    REDIS_URL,
    SECOND_FACTOR_REQUIRED,
    SECRET_KEY,
    SQS_QUEUE_URL,
    TIEOUT_ENV,
    WEBHOOK_SECRETS_KEYS,
    env,
)
from ledger.errors import DomainError
from ledger.money import Money

# --- Applications --------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "config.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "config.apps.RoofConfig",
    "ledger",
    "payments",
    "settlements",
    "reconciliation",
]
MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "config.middleware.RateLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.PagesMiddleware",
]
# What only people's pages need; the API has no cookies.
PAGES_MIDDLEWARE = [
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.people.sessions.SessionAgeMiddleware",
    "config.people.traces.TracesMiddleware",
    "config.people.step_up.StepUpMiddleware",
    "config.back_office.middleware.BackOfficeMiddleware",
]
# Django looks for sessions, messages, people and CSRF in MIDDLEWARE only.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410", "security.W003"]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- PostgreSQL ----------------------------------------------------------------------------

# A web request may wait 2 s for a lock and run 30 s; batch services raise these per transaction.
POSTGRES_TIMEOUTS = {
    "statement_timeout": "30s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "60s",
    # A client whose machine is gone is given up after a minute, with whatever it had begun.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
DATABASES = {
    "default": {
        **environ.Env.db_url_config(DATABASE_URL),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=5,
    application_name="tieout",
    # Statements that ask for it keep their plan; behind a pooler that shares connections between
    # transactions this has to be None.
    prepare_threshold=5,
    options=" ".join(f"-c {name}={value}" for name, value in POSTGRES_TIMEOUTS.items()),
)

# --- Proof of the ledger -------------------------------------------------------------------

# Where the hashes of seals are kept outside the database.
LEDGER_ANCHOR_FILE = env.str("LEDGER_ANCHOR_FILE", default="") or str(
    embedded.data_dir() / "anchors.log"
)
LEDGER_ANCHOR_URL = env.str("LEDGER_ANCHOR_URL", default="")

# --- Payments ------------------------------------------------------------------------------

# For how long a repeated request gets the answer it got; what it did stays unique for ever.
IDEMPOTENCY_DAYS = env.int("IDEMPOTENCY_DAYS", default=30)

# How long the simulated processor takes for each request.
SIMULATOR_LATENCY_SECONDS = env.float("SIMULATOR_LATENCY_SECONDS", default=0.0)

# --- Webhooks ------------------------------------------------------------------------------

# What is inside is out of reach for endpoints, unless it is listed here.
WEBHOOK_ALLOW_HTTP = env.bool("WEBHOOK_ALLOW_HTTP", default=not IS_PRODUCTION)
try:
    WEBHOOK_ALLOWED_NETWORKS = [
        ip_network(text)
        for text in env.list(
            "WEBHOOK_ALLOWED_NETWORKS", default=[] if IS_PRODUCTION else ["127.0.0.0/8", "::1/128"]
        )
    ]
    _ports = env.list("WEBHOOK_EXTRA_PORTS", default=[] if IS_PRODUCTION else ["*"])
    WEBHOOK_PORTS = (
        range(1, 65_536)
        if "*" in _ports
        else {443, 8443, *map(int, _ports), *([80] if WEBHOOK_ALLOW_HTTP else [])}
    )
except ValueError as problem:
    raise ImproperlyConfigured(f"WEBHOOK_ALLOWED_NETWORKS or _EXTRA_PORTS: {problem}") from None
# All deliveries go through this proxy, which then decides what they may reach.
WEBHOOK_EGRESS_PROXY = env.str("WEBHOOK_EGRESS_PROXY", default="")
if WEBHOOK_EGRESS_PROXY and not WEBHOOK_EGRESS_PROXY.startswith("http://"):
    raise ImproperlyConfigured("WEBHOOK_EGRESS_PROXY is not an http:// URL.")

# --- The timetable -------------------------------------------------------------------------

# Its midnight ends the platform's business day; each merchant has a zone of its own.
PLATFORM_ZONE = ZoneInfo(env.str("PLATFORM_TIME_ZONE", default="UTC"))

# --- Settlement ----------------------------------------------------------------------------

# Payouts below this many minor units need no person to approve them; none unless it is said.
try:
    PAYOUT_APPROVAL_THRESHOLD = {
        currency: Money.of(text, currency).amount
        for currency, text in env.dict("PAYOUT_APPROVAL_THRESHOLD", default={}).items()
    }
except DomainError as problem:
    raise ImproperlyConfigured(f"PAYOUT_APPROVAL_THRESHOLD: {problem}") from None

# --- Reconciliation ------------------------------------------------------------------------

# Folder with one folder per source; what is put there is loaded. Empty: there is none.
STATEMENT_INBOX = env.str("STATEMENT_INBOX", default="")

# --- Redis and Celery ----------------------------------------------------------------------

# A slow or paused Redis may cost a caller this long, never more.
REDIS_TIMEOUT_SECONDS = 0.25
# How long connecting to a broker may take whoever rings, off the request's path.
DOORBELL_TIMEOUT_SECONDS = env.float("DOORBELL_TIMEOUT_SECONDS", default=0.25)
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are none to clean up
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# What nobody listens to, and on SQS would be a queue per worker.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not brokers.is_sqs(CELERY_BROKER_URL)
CELERY_TASK_DEFAULT_QUEUE = brokers.queue_name(CELERY_BROKER_URL, SQS_QUEUE_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = brokers.transport_options(
    CELERY_BROKER_URL, SQS_QUEUE_URL, connect_seconds=REDIS_TIMEOUT_SECONDS
)
# On top of these, for the doorbell.
BROKER_PUBLISHING_OPTIONS = brokers.publishing_options(
    CELERY_BROKER_URL, connect_seconds=DOORBELL_TIMEOUT_SECONDS
)
CELERY_BEAT_SCHEDULER = "config.beat:EditableScheduler"

# --- People, language, time, static files --------------------------------------------------

AUTHENTICATION_BACKENDS = ["config.people.sign_in.PasswordBackend"]
# Wrong passwords or codes after which nobody may guess for so long: of a person, from an address.
LOCKOUT_TRIES = env.int("LOCKOUT_TRIES", default=10)
LOCKOUT_TRIES_PER_ADDRESS = env.int(
    "LOCKOUT_TRIES_PER_ADDRESS", default=30 if IS_PRODUCTION else 1000
)
LOCKOUT_MINUTES = env.int("LOCKOUT_MINUTES", default=30)
OTP_TOTP_ISSUER = "Tieout"
# That lockout counts wrong codes as well; django-otp's own would only be a second one.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0
# People sign in again after a time without activity, and after a working day.
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=15)
SESSION_HOURS = env.int("SESSION_HOURS", default=12)
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
# Messages show secrets once; in a cookie they could be read.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
PASSWORD_RESET_TIMEOUT = 24 * 3600  # the link on which somebody new sets a password
# Of everybody: an account of a merchant's member may become that of somebody on the staff.
PASSWORD_LENGTH_MIN = 12
PASSWORD_VALIDATORS: dict[str, dict[str, object]] = {
    "MinimumLengthValidator": {"min_length": PASSWORD_LENGTH_MIN},
    "UserAttributeSimilarityValidator": {},
    "CommonPasswordValidator": {},
    "NumericPasswordValidator": {},
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in PASSWORD_VALIDATORS.items()
]
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["config.formats"]
LOGIN_REDIRECT_URL = "/admin/"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Without `collectstatic` files are looked for when they are asked for, not all at every start.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not IS_PRODUCTION

# --- E-mail --------------------------------------------------------------------------------

SENDS_EMAIL = EMAIL_URL != ""
globals().update(env.email_url_config(EMAIL_URL or "dummymail://"))
DEFAULT_FROM_EMAIL = EMAIL_FROM
EMAIL_TIMEOUT = 10  # seconds for each step of handing one in

# --- Transport security, in production -----------------------------------------------------

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_PRODUCTION else None
SECURE_SSL_REDIRECT = IS_PRODUCTION
# Probes speak plain HTTP from inside the network.
SECURE_REDIRECT_EXEMPT = [r"^api/v1/(health|ready|metrics)$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_HSTS_PRELOAD = IS_PRODUCTION
SESSION_COOKIE_SECURE = IS_PRODUCTION
CSRF_COOKIE_SECURE = IS_PRODUCTION

# --- Logging -------------------------------------------------------------------------------

LOG_FORMAT = env.str("LOG_FORMAT", default="json" if IS_PRODUCTION else "line")
if LOG_FORMAT not in logs.FORMATTERS:
    raise ImproperlyConfigured(f"LOG_FORMAT is {LOG_FORMAT!r}; use line or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": logs.FORMATTERS,
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # A line per message or request says nothing that rows do not say better.
        "httpx": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},
    },
}
