# As much of pyspark as cgrx uses. It is an extra that the environments of the type checkers lack: it asks for an older
# pandas than the rest.
