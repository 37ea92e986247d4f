"""People of the back office and their browsers."""

import time
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.people.roles import Role

PASSWORD = "a long password with spaces"
SIGN_IN = reverse("admin:login")


def person(name: str, *roles: Role, **fields: Any) -> User:
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, **fields)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def browser_of(user: User) -> Client:
    """Signed in, where no second factor is required."""
    client = Client()
    client.force_login(user)
    return client


def enrolled(user: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, name="phone")


def code_of(device: TOTPDevice, *, steps: int = 0) -> str:
    """What the phone shows now, or so many half minutes later."""
    return f"{totp(device.bin_key, drift=steps):06d}"


def sign_in(name: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    client = client or Client()
    client.post(SIGN_IN, {"username": name, "password": password})
    return client


def older_by(client: Client, seconds: float, *names: str) -> None:
    """What the session knows of these times is so much longer ago."""
    session = client.session
    for name in names:
        session[name] = session.get(name, time.time()) - seconds
    session.save()
