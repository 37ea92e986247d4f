"""People who are logged in through the API."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from ledger.ids import new_id


def login_id() -> str:
    return new_id("login")


class Login(models.Model):
    """A person gave the right password, and the tokens that came from it count until it ends.

    Only the id of the newest refresh token is kept: an older one that comes back was stolen.
    """

    public_id = models.CharField(max_length=40, unique=True, default=login_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="logins"
    )
    refresh_id = models.CharField(max_length=32, help_text="Of the newest refresh token.")
    credentials = models.CharField(
        max_length=128,
        editable=False,
        help_text="Django's hash of the password's hash: another password ends the login.",
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.public_id
