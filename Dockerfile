# One image for all roles: the command says which (docker-compose.yml).

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/sluice
WORKDIR /src
# First what changes rarely. Every package is checked against its hash.
COPY config/requirements/run.lock ./
RUN /opt/sluice/bin/pip install --quiet --require-hashes --no-deps -r run.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY worker worker
COPY config config
RUN /opt/sluice/bin/pip install --quiet --no-deps --no-build-isolation . \
 && /opt/sluice/bin/python -m compileall -q /opt/sluice/lib

FROM python:3.11-slim-bookworm
# A named volume that is mounted there takes its owner from the image.
RUN useradd --system --uid 10001 --user-group --no-create-home sluice \
 && install -d -o sluice -g sluice -m 0700 /var/lib/sluice
COPY --from=build /opt/sluice /opt/sluice
COPY config /etc/sluice
ENV PATH=/opt/sluice/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SLUICE_CONFIG_DIR=/etc/sluice \
    SLUICE_DATA_DIR=/var/lib/sluice \
    SLUICE_GENERATED_DIR=/var/lib/sluice/config \
    SLUICE_LOG_FORMAT=json \
    SLUICE_RECEIVER_HOST=0.0.0.0 \
    SLUICE_WORKER_METRICS_HOST=0.0.0.0 \
    SLUICE_CONSOLE_HOST=0.0.0.0 \
    SLUICE_SANDBOX_HOST=0.0.0.0
WORKDIR /tmp
USER sluice
# 8070 console, 8080 receiver, 8081 worker's metrics, 8090 sandbox
EXPOSE 8070 8080 8081 8090
STOPSIGNAL SIGTERM
ENTRYPOINT ["sluice"]
CMD ["serve-receiver"]
# No HEALTHCHECK here: what is healthy depends on the role (docker-compose.yml).
