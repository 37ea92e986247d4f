"""How a person likes to look at a list of the back office."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class SavedView(models.Model):
    """The filters, order and search of one list under a name. Its owner alone changes it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_views"
    )
    list_of = models.CharField(max_length=80, help_text="Label of the model that is listed.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1_000, blank=True, help_text="Query string of the list.")
    is_shared = models.BooleanField("for everybody", default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "list_of", "name"], name="ledger_savedview_once_per_name"
            ),
        ]
        indexes = [
            models.Index(
                fields=["list_of"],
                name="ledger_savedview_shared",
                condition=models.Q(is_shared=True),
            )
        ]

    def __str__(self) -> str:
        return self.name
