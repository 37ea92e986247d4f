"""Merchants and the API keys their machines use."""

import re
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from ledger.ids import new_id
from payments.models.gateways import Gateway

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
    gateway = models.ForeignKey(
        Gateway,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="merchants",
        help_text="Takes its payments; empty: the first one that can.",
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class MerchantMember(models.Model):
    """A person who acts for a merchant, and what the role lets that person do."""

    class Role(models.TextChoices):
        OWNER = "owner"  # everything, members included
        ADMIN = "admin"  # everything but members
        DEVELOPER = "developer"  # API keys, webhooks and reading
        VIEWER = "viewer"  # reading

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="members")
    role = models.CharField(max_length=9, choices=Role)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["merchant", "user"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "merchant"], name="payments_member_once_per_merchant"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "admin", "developer", "viewer"]),
                name="payments_member_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} of {self.merchant}"


class ApiKey(models.Model):
    """Lets a machine act for a merchant. Only the SHA-256 of the secret is kept."""

    class Scope(models.TextChoices):
        PAYMENTS_READ = "payments:read"
        PAYMENTS_WRITE = "payments:write"
        REFUNDS_WRITE = "refunds:write"
        ACCOUNTS_READ = "accounts:read"
        ACCOUNTS_WRITE = "accounts:write"
        REPORTS_READ = "reports:read"
        EVENTS_READ = "events:read"
        WEBHOOKS_WRITE = "webhooks:write"
        KEYS_WRITE = "keys:write"
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
    replaced_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaces",
        help_text="The key it was rotated to; both work until this one expires.",
    )
    created_by = models.CharField(max_length=120, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
