"""The errors of what is kept and handed on: recordings, logs, engines, and the systems behind sinks."""

from cgrx._model.errors import CgrxError


class SinkUnavailableError(CgrxError):
    """The system behind a sink cannot take anything now.

    Cause:
        It is away, slow, or asks to wait.

    Remedy:
        None is needed for a short time. Look at the system where `DeliveryHeld` lasts; `buffer=` and `spill=` say how
        much may wait meanwhile.

    Tried again:
        yes: the sink keeps the batch, connects again (or keeps its connection, where it was asked to wait), and writes
        the same batch once more, after 30 seconds at the latest or when the system allows it

    Attributes:
        reason (str): what the system or its client said.
        retry_after_s (float | None): how long it asks to wait, in seconds; None where it does not say.

    Examples:
        >>> error = cgrx.sinks.SinkUnavailableError(
        ...     "hooks.example: HTTP status 429", retry_after_s=3.0
        ... )
        >>> print(error, error.retry_after_s)
        hooks.example: HTTP status 429 3.0
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class SinkRefusedError(CgrxError):
    """The system behind a sink refuses its user or its shape: the credentials, the table, the topic.

    Cause:
        A wrong password or token, a table with other columns, a topic that does not exist, a folder without permission.

    Remedy:
        The message names it and what to do. Mend it in that system, or give another target.

    Tried again:
        not on entering, where it is raised; later yes: the sink holds the batch as if the system were away, since such
        things are mended

    Attributes:
        reason (str): what is refused, and the remedy where one is known.

    Examples:
        >>> print(
        ...     cgrx.sinks.SinkRefusedError(
        ...         "out is no file of DuckDB: give another path"
        ...     )
        ... )
        out is no file of DuckDB: give another path
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SinkDataError(CgrxError):
    """The system behind a sink refuses the data of a batch.

    Cause:
        A value does not fit the column, the item is too large, or it is neither a row nor an event.

    Remedy:
        Read the refused items in the file of `dead_letters=`, with their reasons; change the rows or the table.

    Tried again:
        yes: the sink halves the batch until the refused item is alone, which is then a dead letter; the others are
        delivered

    Attributes:
        reason (str): what is refused.

    Examples:
        >>> print(cgrx.sinks.SinkDataError("'BTC' is neither a row nor an event"))
        'BTC' is neither a row nor an event
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RecordedError(CgrxError):
    """An error of the recorded or published feed, read back.

    Cause:
        The feed met it then; a replay, a shard or `consume` tells of it now.

    Remedy:
        See the class that `type_name` names.

    Attributes:
        type_name (str): the name of its type.
        message (str): its text.

    Examples:
        >>> print(
        ...     cgrx.RecordedError(
        ...         "DisconnectedError", "connection closed with code 1012"
        ...     )
        ... )
        DisconnectedError: connection closed with code 1012
    """

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(type_name, message)
        self.type_name = type_name
        self.message = message

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}"


class RecordingError(CgrxError):
    """A recording cannot be read or written.

    Cause:
        There is none in the folder, a file of it is damaged or missing, another recorder writes there, or the disk is
        full or too slow.

    Remedy:
        `cgrx verify FOLDER` lists all that is damaged, with its place. Record into a new folder, or make room.

    Attributes:
        file (str): which file or folder.
        place (str | None): where in it; None: as a whole.
        reason (str): what is wrong.

    Examples:
        >>> try:
        ...     cgrx.Recording("no-such-folder")
        ... except cgrx.RecordingError as error:
        ...     print(error.reason)
        there is no recording here: its manifest is missing
    """

    def __init__(self, file: str, place: str | None, reason: str) -> None:
        super().__init__(f"{file}{f', {place}' if place else ''}: {reason}")
        self.file = file
        self.place = place
        self.reason = reason


class EngineError(CgrxError):
    """An engine such as Spark has given up.

    Cause:
        A job failed in it, or it cannot start: Spark needs Java 17 or later.

    Remedy:
        Read `reason`, and the log of the engine. A query with a checkpoint goes on from there when it is started again.

    Attributes:
        engine (str): its name, such as `"Spark"`.
        reason (str): what failed it.

    Examples:
        >>> print(cgrx.EngineError("Spark", "Job aborted"))
        Spark: Job aborted
    """

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"{engine}: {reason}")
        self.engine = engine
        self.reason = reason


class RecordError(CgrxError):
    """What stands on a log is no record.

    Cause:
        Something else than `cgrx.publish` writes to the topic, or the value was damaged on its way.

    Remedy:
        Give the records of cgrx a topic of their own. `consume` tells of such a value as `MalformedInput`, and reads
        on.

    Attributes:
        key (str): the key under which it stands, shortened.
        value (str): what stands there, shortened.
        reason (str): why it is no record.
        place (str | None): where on the log; None: not known.

    Examples:
        >>> try:
        ...     cgrx.Record.decode("liquidationOrders", b"hello")
        ... except cgrx.RecordError as error:
        ...     print(error.key, error.value)
        'liquidationOrders' b'hello'
    """

    def __init__(self, key: str, value: str, reason: str, place: str | None = None) -> None:
        super().__init__(f"{f'{place}: ' if place else ''}no record under the key {key}: {reason}; its value: {value}")
        self.key = key
        self.value = value
        self.reason = reason
        self.place = place


class LogError(CgrxError):
    """A log cannot be read.

    Cause:
        There is no such topic, the user may not read it, or the brokers of an engine stay away.

    Remedy:
        Create the topic, grant the right, or mend the address, as the message says.

    Attributes:
        reason (str): what is wrong.

    Examples:
        >>> print(cgrx.LogError("kafka signals at broker:9092: there is no such topic"))
        kafka signals at broker:9092: there is no such topic
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
