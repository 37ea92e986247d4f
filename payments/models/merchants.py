"""Merchants and the API keys their machines use."""

import re
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from ledger.ids import new_id

MERCHANT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


def merchant_id() -> str:
    return new_id("mer")


def api_key_id() -> str:
    return new_id("key")


class Merchant(models.Model):
    """Whose sale it is; we owe them what they earn."""

    public_id = models.CharField(max_length=40, unique=True, default=merchant_id, editable=False)
    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(MERCHANT_CODE)],
        help_text="Short name; part of its account codes and never changed.",
    )
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="IANA zone whose midnight ends a business day."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class ApiKey(models.Model):
    """Lets a machine act for a merchant. Only the SHA-256 of the secret is kept."""

    class Scope(models.TextChoices):
        PAYMENTS_READ = "payments:read"
        PAYMENTS_WRITE = "payments:write"
        OPERATOR = "operator"

    public_id = models.CharField(max_length=40, unique=True, default=api_key_id, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(
        max_length=12, help_text="First characters of the key, to tell keys apart."
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope.choices))
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
