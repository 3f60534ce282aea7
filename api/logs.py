"""How the program logs: one JSON object a line, in UTC, without the values of variables."""

import sys

import structlog


def configure_logs() -> None:
    """Log as JSON on standard error; a traceback names its places and no local values."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
