"""What a checkpoint is of: beside Spark's own files, the pipelines that the state in it belongs to."""

import json
from collections.abc import Sequence
from typing import Any

import attrs

from cgrx._shards.shard import Shard
from cgrx._spark.folders import holds_something
from cgrx._spark.groups import Keyed


@attrs.frozen
class Checkpoint:
    """A folder, on any file system that Spark writes to. `folder/cgrx` has a line for each group that has begun."""

    folder: str
    session: Any

    def begin(self, groups: Sequence[Keyed], shards: int) -> bool:
        """Note what it is of, and return whether it is new. Compare, where an earlier run has noted it.

        Groups may come and go between runs: those that are new begin, the others go on.

        Raises:
            StateError: a group was another pipeline.
            ValueError: it has another number of shards.
        """
        known = self._read()
        for line in known.values():
            if line["shards"] != shards:
                raise ValueError(f"shards={shards}, but the checkpoint {self.folder} was begun with {line['shards']}")
        new: list[str] = []
        for keyed in groups:
            if keyed.key in known:
                Shard.restore(keyed.group, bytes.fromhex(known[keyed.key]["state"]))
            else:
                state = Shard(keyed.group).snapshot().hex()
                new.append(json.dumps({"key": keyed.key, "shards": shards, "state": state}))
        if new:
            lines = self.session.createDataFrame([(line,) for line in new], "value string")
            lines.coalesce(1).write.mode("append").text(f"{self.folder}/cgrx")
        return not known

    def _read(self) -> dict[str, Any]:
        if not holds_something(self.session, f"{self.folder}/cgrx"):
            return {}
        lines = self.session.read.text(f"{self.folder}/cgrx").collect()
        found = [json.loads(line.value) for line in lines]
        return {each["key"]: each for each in found}
