"""People and schedules in our look, and closing with what all floors know."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.closing import close_period
from ledger.actors import Actor
from ledger.admin import AccountingPeriodAdmin
from ledger.models import AccountingPeriod

for model in (User, Group, PeriodicTask, ClockedSchedule, SolarSchedule):
    admin.site.unregister(model)
for schedule in (CrontabSchedule, IntervalSchedule):
    admin.site.unregister(schedule)
    admin.site.register(schedule, ModelAdmin)


@admin.register(User)
class OurUserAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class OurGroupAdmin(GroupAdmin, ModelAdmin):
    pass


@admin.register(PeriodicTask)
class OurPeriodicTaskAdmin(PeriodicTaskAdmin, ModelAdmin):
    pass


@admin.register(AccountingPeriod)
class OurAccountingPeriodAdmin(AccountingPeriodAdmin):
    def close_period(self, period: AccountingPeriod, *, actor: Actor, reason: str) -> object:
        return close_period(period.code, actor=actor, reason=reason)
