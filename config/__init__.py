"""The roof: settings, urls, the Celery app, API conventions, commands that span all floors."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
