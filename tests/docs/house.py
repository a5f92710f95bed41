"""The picture of the house: docs/images/house.svg, drawn from the table `ROOMS` of tests/house/plan.py.

Each room is a box on its floor, and an arrow leads down to each room that it imports, unless a longer way of arrows
says the same. The drawing follows Sugiyama's method for layered graphs:

1. An arrow that passes several floors gets a joint on each floor between, so that it runs around the boxes.
2. The order within floors is improved by medians, downwards and upwards, and the one with the fewest crossings is kept.
3. The places are those nearest to the neighbours' that keep the distances: isotonic regression, floor by floor.

Nothing is drawn by chance, so the same table gives the same file.
"""

import ast
import statistics
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, pairwise

from tests.docs.sheet import Box, Sheet
from tests.house import plan

PICTURE = plan.ROOT / "docs" / "images" / "house.svg"

BOX_WIDTH, BOX_HEIGHT = 218, 74
FLOOR_HEIGHT = 118
GAP, LANE = 26, 22
"""Between two boxes; around the joint of an arrow."""
MARGIN, LABELS = 18, 34
LINE_CHARACTERS, LINES = 33, 3
SWEEPS = 40

Node = str
"""A room; or the joint of an arrow on a floor between, `importer>imported@floor`."""
Edge = tuple[Node, Node]


def arrows(rooms: Mapping[str, Iterable[str]] = plan.ROOMS) -> list[Edge]:
    """The imports that no longer way implies, each from the importing room to the imported one."""
    reached: dict[str, set[str]] = {}
    found: list[Edge] = []
    for room, used in rooms.items():
        implied = set[str]().union(*(reached[each] for each in used))
        found.extend((room, each) for each in used if each not in implied)
        reached[room] = implied | set(used)
    return found


def purpose(room: str) -> str:
    """The first sentence of its docstring."""
    place = plan.ROOT / room.replace(".", "/") if room.startswith("operators") else plan.ROOT / "cgrx"
    if not room.startswith("operators") and room != "cgrx":
        place /= room.replace(".", "/")
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = " ".join((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0].split())
    return text.partition(". ")[0].rstrip(".")


def counts() -> str:
    """The size of the house, in a sentence."""
    imports, floors = sum(len(used) for used in plan.ROOMS.values()), max(plan.floors().values()) + 1
    return (
        f"Now it is {len(plan.ROOMS)} rooms on {floors} floors, with {imports} imports from room to room and no circle;"
        f" {len(arrows())} arrows are enough to draw them."
    )


def table() -> str:
    """Each room, from high to low: what it is for, and what it imports."""
    lines = ["| room | what it is for | imports |", "| --- | --- | --- |"]
    for room, used in reversed(plan.ROOMS.items()):
        lines.append(f"| `{room}` | {purpose(room)} | {', '.join(f'`{each}`' for each in used) or 'nothing of cgrx'} |")
    return "\n".join(lines)


def first_words(room: str) -> list[str]:
    """As much of its purpose as a box holds, cut only where a clause ends."""
    text = purpose(room).replace("`", "")
    head = text.partition(":")[0]
    if len(head.split()) > 2:
        text = head
    while len(textwrap.wrap(text, LINE_CHARACTERS)) > LINES:
        text = text[: max(text.rfind(mark) for mark in ",;:")]
    lines = len(textwrap.wrap(text, LINE_CHARACTERS))
    # The narrowest that needs no further line: no word stands alone in the last.
    width = next(each for each in range(8, LINE_CHARACTERS + 1) if len(textwrap.wrap(text, each)) == lines)
    return textwrap.wrap(text, width)


def draw() -> Sheet:
    """The picture."""
    floors = plan.floors()
    layers, edges = _with_joints(floors)
    order = _ordered(layers, edges)
    x = _placed(order, edges)
    height = len(order) * FLOOR_HEIGHT + 2 * MARGIN - (FLOOR_HEIGHT - BOX_HEIGHT)
    left = min(x[room] for room in floors) - BOX_WIDTH / 2
    left = min(left, *(x.values())) - LABELS - MARGIN
    width = max(x[room] for room in floors) + BOX_WIDTH / 2 + MARGIN - left

    def top(floor: int) -> float:
        return height - MARGIN - BOX_HEIGHT - floor * FLOOR_HEIGHT

    def across(place: float) -> float:
        return place - left

    sheet = Sheet(
        "The rooms of cgrx on their floors, and what each imports",
        "; ".join(f"{room} imports {', '.join(used)}" for room, used in reversed(plan.ROOMS.items()) if used),
        height,
        round(width),
    )
    for floor in range(len(order)):
        middle = top(floor) + BOX_HEIGHT / 2
        sheet.line([(LABELS, middle), (round(width - MARGIN), middle)], "panel")
        sheet.text(LABELS - 8, middle + 4, str(floor), "soft", at="end")
    _draw_arrows(sheet, edges, lambda node: across(x[node]), top, floors)
    for room, floor in floors.items():
        _draw_room(sheet, room, Box(round(across(x[room]) - BOX_WIDTH / 2, 1), top(floor), BOX_WIDTH, BOX_HEIGHT))
    return sheet


def _draw_room(sheet: Sheet, room: str, box: Box) -> None:
    is_pure = room.partition(".")[0] in plan.PURE_ROOMS
    is_public = not any(part.startswith("_") for part in room.split("."))
    sheet.box(box, edge="proof" if is_pure else "rule", round_by=8, thick=2.5 if is_public else 1)
    lines = first_words(room)
    down = round(box.y + (BOX_HEIGHT - 17 - 13.5 * len(lines)) / 2 + 13, 1)
    sheet.text(box.middle, down, room, "head", at="middle", within=box, colour="proof" if is_pure else "ink")
    for number, line in enumerate(lines):
        sheet.text(box.middle, down + 17 + 13.5 * number, line, "small", at="middle", within=box)


# --- where everything stands ----------------------------------------------------------------------------------------


def _with_joints(floors: Mapping[str, int]) -> tuple[list[list[Node]], list[Edge]]:
    """The nodes of each floor, and the edges between neighbouring floors."""
    layers: list[list[Node]] = [[] for _ in range(max(floors.values()) + 1)]
    for room, floor in floors.items():
        layers[floor].append(room)
    edges: list[Edge] = []
    for upper, lower in arrows():
        joints = [f"{upper}>{lower}@{floor}" for floor in range(floors[upper] - 1, floors[lower], -1)]
        for joint in joints:
            layers[int(joint.rpartition("@")[2])].append(joint)
        edges.extend(pairwise([upper, *joints, lower]))
    return layers, edges


def _neighbours(edges: Sequence[Edge]) -> tuple[dict[Node, list[Node]], dict[Node, list[Node]]]:
    above, below = defaultdict[Node, list[Node]](list), defaultdict[Node, list[Node]](list)
    for upper, lower in edges:
        below[upper].append(lower)
        above[lower].append(upper)
    return above, below


def _ordered(layers: list[list[Node]], edges: list[Edge]) -> list[list[Node]]:
    above, below = _neighbours(edges)
    order = best = [list(layer) for layer in layers]
    fewest = _crossings(order, below)
    for sweep in range(SWEEPS):
        upwards = sweep % 2 == 0
        order = [list(layer) for layer in order]
        numbers = range(1, len(order)) if upwards else range(len(order) - 2, -1, -1)
        for number in numbers:
            beside = order[number - 1 if upwards else number + 1]
            place = {node: index for index, node in enumerate(beside)}
            own = {node: index for index, node in enumerate(order[number])}
            near = below if upwards else above
            middles = {
                node: statistics.fmean(place[each] for each in near[node]) if near[node] else own[node] for node in own
            }
            order[number].sort(key=lambda node: (middles[node], own[node]))
        _swapped(order, above, below)
        if (crossings := _crossings(order, below)) < fewest:
            best, fewest = order, crossings
    return best


def _crossings(order: list[list[Node]], below: Mapping[Node, list[Node]]) -> int:
    found = 0
    for lower, upper in pairwise(order):
        place = {node: index for index, node in enumerate(lower)}
        found += sum(_crossed(one, other, below, place) for one, other in combinations(upper, 2))
    return found


def _crossed(left: Node, right: Node, near: Mapping[Node, list[Node]], place: Mapping[Node, int]) -> int:
    """How many edges of two nodes cross, if one stands left of the other."""
    return sum(place[one] > place[other] for one in near[left] for other in near[right])


def _swapped(order: list[list[Node]], above: Mapping[Node, list[Node]], below: Mapping[Node, list[Node]]) -> None:
    """Swap neighbours on a floor for as long as that leaves fewer crossings."""
    better = True
    while better:
        better = False
        for floor, layer in enumerate(order):
            sides = [(near, each) for near, each in ((below, floor - 1), (above, floor + 1)) if 0 <= each < len(order)]
            places = [(near, {node: index for index, node in enumerate(order[each])}) for near, each in sides]
            for number in range(len(layer) - 1):
                left, right = layer[number : number + 2]
                gained = sum(
                    _crossed(left, right, near, place) - _crossed(right, left, near, place) for near, place in places
                )
                if gained > 0:
                    layer[number : number + 2] = [right, left]
                    better = True


def _distance(one: Node, other: Node) -> float:
    half = sum(LANE / 2 if ">" in node else BOX_WIDTH / 2 for node in (one, other))
    return half + (GAP if ">" not in one + other else LANE / 2)


def _placed(order: list[list[Node]], edges: list[Edge]) -> dict[Node, float]:
    above, below = _neighbours(edges)
    x: dict[Node, float] = {}
    for layer in order:
        x |= _nearest(layer, dict.fromkeys(layer, 0.0), dict.fromkeys(layer, 1.0))
    for sweep in range(SWEEPS * 4):
        for layer in order if sweep % 2 == 0 else reversed(order):
            wanted = {node: statistics.fmean(x[each] for each in above[node] + below[node]) for node in layer}
            # A joint pulls harder: arrows that run straight read best.
            weights = {node: 4.0 if ">" in node else 1.0 for node in layer}
            x |= _nearest(layer, wanted, weights)
    # Last from below, so that chains of rooms stand upright.
    for layer in order[1:]:
        wanted = {node: statistics.fmean(x[each] for each in below[node]) for node in layer}
        x |= _nearest(layer, wanted, {node: 4.0 if ">" in node else 1.0 for node in layer})
    return x


def _nearest(layer: list[Node], wanted: Mapping[Node, float], weights: Mapping[Node, float]) -> dict[Node, float]:
    """The places nearest to those wanted, in squares, that keep the order and the distances."""
    shifts = [0.0]
    for one, other in pairwise(layer):
        shifts.append(shifts[-1] + _distance(one, other))
    # Without the distances, the places must not fall: pool those that would, until none does.
    pools: list[tuple[float, float, int]] = []  # mean, weight, nodes
    for node, shift in zip(layer, shifts, strict=True):
        pools.append((wanted[node] - shift, weights[node], 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (mean, weight, count), (last, last_weight, last_count) = pools[-2:]
            total = weight + last_weight
            pools[-2:] = [((mean * weight + last * last_weight) / total, total, count + last_count)]
    means = [mean for mean, _, count in pools for _ in range(count)]
    return {node: mean + shift for node, mean, shift in zip(layer, means, shifts, strict=True)}


# --- arrows ---------------------------------------------------------------------------------------------------------


def _draw_arrows(
    sheet: Sheet,
    edges: list[Edge],
    across: Callable[[Node], float],
    top: Callable[[int], float],
    floors: Mapping[str, int],
) -> None:
    """Each arrow as a smooth line from the bottom of a box to the top of another, through its joints."""
    above, below = _neighbours(edges)
    follows = {upper: lower for upper, lower in edges if ">" in upper}
    for upper, lower in edges:
        if ">" in upper:
            continue
        floor = floors[upper]
        points = [(_port(upper, lower, below[upper], across), top(floor) + BOX_HEIGHT)]
        before, node = upper, lower
        while ">" in node:
            floor -= 1
            points += [(across(node), top(floor) - 6), (across(node), top(floor) + BOX_HEIGHT + 6)]
            before, node = node, follows[node]
        end = (_port(node, before, above[node], across), top(floors[node]) - 7)
        _draw_line(sheet, [*points, end])


def _port(box: Node, other: Node, others: list[Node], across: Callable[[Node], float]) -> float:
    """Where on the edge of a box the arrow from or to another begins: side by side, in the order of the others."""
    ranked = sorted(others, key=across)
    room = min(26.0, (BOX_WIDTH - 40) / len(ranked))
    return across(box) + (ranked.index(other) - (len(ranked) - 1) / 2) * room


def _draw_line(sheet: Sheet, points: list[tuple[float, float]]) -> None:
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        if abs(to_x - x) < 0.5:
            path.append(f"V{to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    sheet.path("".join(path), "rule", width=1.3)
    sheet.head(f"M{x:.1f} {y + 7:.1f}l-4.5 -9h9z")
