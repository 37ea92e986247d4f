"""People and schedules in the back office: other apps' models in our look."""

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
