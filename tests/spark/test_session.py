"""The session of Spark: the one given, the active one, or one on this machine; and the cause of an error of Spark's."""

from typing import Any

import pytest

from cgrx import EngineError
from cgrx._spark.failure import understood

pyspark_sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed; `nox -s spark` brings it")


class Conf:
    """Settings."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def set(self, name: str, value: Any) -> None:
        self.values[name] = value


class Session:
    """A session, and what builds one."""

    active: Any = None

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.conf = Conf()
        self.built: dict[str, Any] = {}

    @classmethod
    def getActiveSession(cls) -> Any:  # noqa: N802 - Spark's name
        return cls.active

    def newSession(self) -> "Session":  # noqa: N802 - Spark's name
        return Session(f"new of {self.name}")

    def appName(self, name: str) -> "Session":  # noqa: N802 - Spark's name
        self.name = name
        return self

    def config(self, name: str, value: Any) -> "Session":
        self.built[name] = value
        return self

    def getOrCreate(self) -> "Session":  # noqa: N802 - Spark's name
        return self


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    class Sessions(Session):
        builder = Session()

    monkeypatch.setattr(pyspark_sql, "SparkSession", Sessions)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setenv("PYSPARK_PYTHON", "python")
    monkeypatch.setenv("JAVA_HOME", "/java")
    return Sessions


def test_the_one_given_and_the_active_one(sessions: Any) -> None:
    from cgrx._spark.session import session_of

    assert session_of(Session("given")).name == "new of given"  # type: ignore[arg-type]  # a stand-in
    sessions.active = Session("active")
    found = session_of(None)
    assert found.name == "new of active"
    assert found.conf.values["spark.sql.streaming.stateStore.providerClass"].endswith("RocksDBStateStoreProvider")


def test_one_on_this_machine(sessions: Any) -> None:
    from cgrx._spark.session import session_of

    assert session_of(None).name == "new of cgrx"
    assert sessions.builder.built["spark.master"] == "local[*]"


def test_where_spark_submit_says_it_runs(sessions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from cgrx._spark.session import session_of

    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    session_of(None)
    assert sessions.builder.built == {}


def test_without_java(sessions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from cgrx._spark.session import session_of

    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineError, match="it needs Java 17 or later"):
        session_of(None)


def test_the_error_behind_an_error() -> None:
    from pyspark.errors import PySparkException

    ours = LookupError("of a callback")
    assert understood(ours) is ours
    text = "Job aborted\nTraceback (most recent call last):\n  File x\ncgrx._model.errors.StateError: another one\n\tat"
    assert str(understood(PySparkException(text))) == "Spark: StateError: another one"
    of_source = f"{text.removesuffix('at')} SQLSTATE: 38000\n=== Streaming Query ===\nIdentifier: [id = a]\n"
    assert str(understood(PySparkException(of_source))) == "Spark: StateError: another one"
    assert str(understood(PySparkException("[NO_DISK] No disk.\nmore"))) == "Spark: [NO_DISK] No disk."
