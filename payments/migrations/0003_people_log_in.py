"""People who are logged in through the API."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import payments.models.logins


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0002_authorisations_transfers_members_and_keys"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Login",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=payments.models.logins.login_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "refresh_id",
                    models.CharField(help_text="Of the newest refresh token.", max_length=32),
                ),
                (
                    "credentials",
                    models.CharField(
                        editable=False,
                        help_text="Django's hash of the password's hash: another password ends the login.",
                        max_length=128,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="logins",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["-id"]},
        ),
    ]
