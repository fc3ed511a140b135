"""Orders of tasks, each run warm, with every task held against what it gave cold."""

from bundlekit.isolation.compare import Observation, cell_of
from bundlekit.isolation.culprits import Candidate
from bundlekit.isolation.laboratory import Laboratory, Segment
from bundlekit.isolation.plan import REPEATED
from bundlekit.isolation.state import State, Watches
from bundlekit.model.isolation import Cell, Order, Run

__all__ = ["WarmOrders"]


class WarmOrders:
    """Runs orders and holds each task against what it gave cold, in `first`.

    `state` is what the tasks of the order A A B A left, `problems` what of it could not be seen.
    """

    def __init__(self, laboratory: Laboratory, first: dict[int, Observation], watches: Watches) -> None:
        self._laboratory, self._first, self._watches = laboratory, first, watches
        self.state = State()
        self.problems: list[str] = []

    def run(self, order: Order) -> tuple[Run, list[Candidate]]:
        """Return the cells of an order, and the differences in it; where a process ends, another goes on."""
        cells: list[Cell] = []
        pids: list[int | None] = []
        candidates: list[Candidate] = []
        seconds = 0.0
        left = order.tasks
        while left:
            is_watched = order.name == REPEATED and left is order.tasks
            segment = self._watched(left) if is_watched else self._laboratory.warm(left)
            for place, warm in enumerate(segment.observations):
                task = left[place]
                cell = cell_of(self._first[task], warm)
                cells.append(cell)
                # What is known already was perhaps seen in another process, by which the start of an order is shared.
                pids.append(segment.observations[-1].pid)
                seconds += warm.seconds
                if cell is not Cell.SAME:
                    candidates.append(Candidate(task, order.name, left[:place], cell, warm))
            if not segment.has_ended:
                break
            left = left[len(segment.observations) :]
        rest = len(order.tasks) - len(cells)
        cells += [Cell.SKIPPED] * rest
        pids += [None] * rest
        return Run(order, tuple(cells), tuple(pids), seconds), candidates

    def _watched(self, tasks: tuple[int, ...]) -> Segment:
        look = self._watches()
        segment = self._laboratory.warm_again(tasks, look.between)
        self.state = State(tuple(look.native.changes(tasks)), tuple(look.python.changes(tasks)))
        self.problems = look.problems()
        return segment
