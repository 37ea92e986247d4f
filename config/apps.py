"""Our roof, and the back office as Django's admin site."""

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class RoofConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config.changes import CARRIERS
        from config.people.roles import define_roles
        from config.portal.letters import tell_of_disabled_endpoint
        from ledger.changes import register
        from payments.services.webhook_outcomes import endpoint_disabled

        register(CARRIERS)
        endpoint_disabled.connect(tell_of_disabled_endpoint)
        # After the last application, when all permissions exist.
        last = list(apps.get_app_configs())[-1]
        post_migrate.connect(define_roles, sender=last, dispatch_uid="config.define_roles")


class BackOfficeConfig(AdminConfig):
    default_site = "config.people.site.BackOffice"
