"""People and schedules in our look, and closing with what all floors know."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin

from config.closing import close_period
from config.people.screens import PersonAdmin, RoleAdmin
from ledger.actors import Actor
from ledger.admin import AccountingPeriodAdmin
from ledger.models import AccountingPeriod
from ledger.services import audit

# Secrets of second factors have no page at all.
for model in (
    *(User, Group, TOTPDevice, StaticDevice),
    *(PeriodicTask, ClockedSchedule, SolarSchedule),
):
    admin.site.unregister(model)
for schedule in (CrontabSchedule, IntervalSchedule):
    admin.site.unregister(schedule)
    admin.site.register(schedule, ModelAdmin)


admin.site.register(User, PersonAdmin)
admin.site.register(Group, RoleAdmin)


@admin.register(PeriodicTask)
class OurPeriodicTaskAdmin(PeriodicTaskAdmin, ModelAdmin):
    """The timetable of beat, which only superusers change, in the sight of the audit trail."""

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit.record(
            "periodic_task.changed" if change else "periodic_task.added",
            _subject(obj),
            actor=Actor.user(request.user),
            before={name: str(form.initial.get(name)) for name in form.changed_data},
            after={name: str(form.cleaned_data[name]) for name in form.changed_data},
        )

    def delete_model(self, request: HttpRequest, obj: PeriodicTask) -> None:
        audit.record("periodic_task.deleted", _subject(obj), actor=Actor.user(request.user))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for task in queryset:
            self.delete_model(request, task)


def _subject(task: PeriodicTask) -> str:
    return f"periodic_task:{task.name}"[:80]


@admin.register(AccountingPeriod)
class OurAccountingPeriodAdmin(AccountingPeriodAdmin):
    def close_period(self, period: AccountingPeriod, *, actor: Actor, reason: str) -> object:
        return close_period(period.code, actor=actor, reason=reason)
