"""Log records as JSON, one object a line, for what collects the logs of services."""

import json
import logging
from datetime import UTC, datetime

from cgrx._model.plain import plain_fields
from cgrx._model.status import Status


class JsonFormatter(logging.Formatter):
    """Formats log records as JSON, one object a line, with what a feed's status tells as fields of their own.

        handler = logging.StreamHandler()
        handler.setFormatter(cgrx.JsonFormatter())
        logging.basicConfig(level=logging.INFO, handlers=[handler])

    Of every record: `time` (ISO 8601, UTC, milliseconds), `level` (`"WARNING"`), `logger` and `message`. Of those of
    the logger `cgrx` that tell a status: `status`, the name of its class; the fields of the status by their names, such
    as `at_ms`, `channel`, `error` (`{"type": ..., "message": ...}`) and `retry_in_s`; `left_out`, how many of its kind
    were held back since the line before; and `recorded`, true where a replay tells what was recorded. Where
    there is a traceback, `exception` holds it.

    Every character is ASCII, so no text of a server can break a line or steer a terminal. The API key is in no line, as
    in nothing that cgrx logs.

    Examples:
        >>> import logging
        >>> record = logging.makeLogRecord(
        ...     {"name": "cgrx", "levelname": "INFO", "msg": "connected", "created": 0}
        ... )
        >>> print(cgrx.JsonFormatter().format(record))
        {"time": "1970-01-01T00:00:00.000Z", "level": "INFO", "logger": "cgrx", "message": "connected"}
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        status: object = getattr(record, "status", None)
        if isinstance(status, Status):
            fields |= {**plain_fields(status), "left_out": getattr(record, "left_out", 0)}
            fields |= {"recorded": True} if getattr(record, "recorded", False) else {}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)
