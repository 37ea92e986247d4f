"""The one view of benchmarks/bare.py."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

TABLE = "CREATE TABLE bare_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)"


def insert_row(request: HttpRequest) -> HttpResponse:
    connection.health_check_done = True
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bare_row (body) VALUES (%s) RETURNING id", [request.body.decode()]
        )
        body = b'{"id":%d}' % cursor.fetchone()[0]
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return HttpResponse(body, status=202, headers=headers)


urlpatterns = [path("bare", insert_row)]
