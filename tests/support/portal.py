"""Members of merchants and their browsers in the portal."""

import threading
from typing import Any

from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from config.portal.letters import THREAD
from ledger.actors import Actor
from payments.models import Merchant, MerchantMember
from payments.services.members import add_member

PASSWORD = "a long password with spaces"
SIGN_IN = reverse("portal:sign_in")
HOME = reverse("portal:overview")
Role = MerchantMember.Role


def member(merchant: Merchant, role: str = Role.OWNER, email: str = "ann@example.com") -> User:
    user = User.objects.filter(username=email).first()
    user = user or User.objects.create_user(email, email, PASSWORD)
    add_member(merchant, user, role=role, actor=Actor.system("tests"))
    return user


def visit(merchant: Merchant, role: str = Role.OWNER, email: str = "ann@example.com") -> Client:
    """A browser in which a member of the merchant is signed in."""
    client = Client()
    client.force_login(member(merchant, role, email))
    return client


def sign_in(email: str = "ann@example.com", password: str = PASSWORD, **extra: Any) -> Any:
    """The browser and what it was answered."""
    client = Client()
    return client, client.post(SIGN_IN, {"username": email, "password": password, **extra})


def letters() -> list[EmailMessage]:
    """What was sent since the test began, none of it still on its way."""
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join()
    return list(mail.outbox)


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())
