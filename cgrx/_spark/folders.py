"""Folders on whatever file system Spark finds behind a path or URL."""

from typing import Any


def holds_something(session: Any, folder: str) -> bool:
    """Whether there is such a folder, with something in it. Asked of Hadoop: Spark logs what it cannot read."""
    context = session.sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path(folder)
    files = path.getFileSystem(context._jsc.hadoopConfiguration())
    return bool(files.exists(path) and len(files.listStatus(path)))
