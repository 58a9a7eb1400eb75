"""Logs: structlog, one line per event, as JSON or for people; libraries' logs take the same way.

Never a payload, a secret, or a traceback with local variables. To stderr: stdout is for answers.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Final, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["auto", "json", "console"]

# They write a line per job or request at info, arq with the job's arguments.
_TALKATIVE: Final = ("arq", "aiohttp.access", "asyncio")


def set_up(log_format: Format, level: str, role: str = "", stream: TextIO | None = None) -> None:
    """Sends all logs of this process to `stream` (default stderr). Call once, first thing."""
    target = stream or sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not target.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S.%f", utc=as_json),
    ]
    if as_json and role:
        shared.append(_Role(role))
    _configure_ours(shared)
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_json_end() if as_json else _console_end(target.isatty())),
            ],
        )
    )
    _route(handler, level.upper())


def _configure_ours(shared: Sequence[Processor]) -> None:
    """Hands what we log to the standard library's handlers, as the libraries do."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _route(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


def _json_end() -> list[Processor]:
    return [
        # The usual format: the text of a traceback, no locals.
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(serializer=_dumps),
    ]


def _console_end(colors: bool) -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=colors,
            pad_event_to=0,
            # The default one, of rich, prints local variables.
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def _dumps(event: EventDict, **_: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Role:
    """Adds which of our processes speaks."""

    def __init__(self, role: str) -> None:
        self._role = role

    def __call__(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        event["role"] = self._role
        return event
