"""The settings for the server of tests.support.contract: hashing passwords is made cheap."""

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
