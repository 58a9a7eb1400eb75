"""The tree of a set's destinations: which row writes which place of the record."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.dataprep.language.syntax import Each, Step, show_path


class DestinationTaken(ValueError):
    """Two rows write the same place, or one writes an object and another an array there.

    `position`: the step at fault, from 0.
    """

    def __init__(self, message: str, position: int) -> None:
        self.position = position
        super().__init__(message)


class Destination:
    """One place of the record: the row that writes it, and the places below."""

    __slots__ = ("children", "path", "row")

    def __init__(self, path: tuple[Step, ...] = ()) -> None:
        self.path = path
        self.row: int | None = None
        self.children: dict[Step, Destination] = {}

    def place(self, steps: tuple[Step, ...], row: int) -> None:
        """Notes that a row writes at a path. Raises DestinationTaken."""
        node = self
        for position, step in enumerate(steps):
            node._agree(step, position)
            node = node.children.setdefault(step, Destination((*node.path, step)))
        if node.row is not None:
            message = f"{show_path(steps)} is written by row #{node.row} already"
            raise DestinationTaken(message, len(steps) - 1)
        node.row = row

    def _agree(self, step: Step, position: int) -> None:
        for other, child in self.children.items():
            if type(other) is not type(step):
                row = next(child.leaves()).row
                raise DestinationTaken(
                    f"{show_path(self.path)} is {_form(other)} in row #{row}, "
                    f"and {_form(step)} here",
                    position,
                )
            break  # those that are there agree with one another

    def leaves(self) -> Iterator[Destination]:
        """The places here and below that a row writes; what holds another comes before it."""
        if self.row is not None:
            yield self
        for child in self.children.values():
            yield from child.leaves()

    def row_at(self, pointer: str) -> int | None:
        """The row that writes the place of a JSON pointer, or one that it lies in.

        Elements that came out empty are left out of a record: where several rows write elements
        of one array by number, the answer may be of a neighbour.
        """
        node, row = self, self.row
        for part in pointer.split("/")[1:]:
            child = node._at(part.replace("~1", "/").replace("~0", "~"))
            if child is None:
                break
            node = child
            row = row if node.row is None else node.row
        return row

    def _at(self, name: str) -> Destination | None:
        if name in self.children:
            return self.children[name]
        if not name.isdecimal():
            return None
        numbered = sorted(step for step in self.children if isinstance(step, int))
        if numbered:
            return self.children[numbered[min(int(name), len(numbered) - 1)]]
        return self.children.get(Each.EACH)


def _form(step: Step) -> str:
    if isinstance(step, str):
        return "an object"
    return "an array made by a loop" if isinstance(step, Each) else "an array by its elements"
