"""A mapping that cannot be changed and, unlike a mapping proxy, can be pickled: tasks travel to workers."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

__all__ = ["ReadOnlyMap"]

_Value_co = TypeVar("_Value_co", covariant=True)


class ReadOnlyMap(Mapping[str, _Value_co], Generic[_Value_co]):
    """The items of `items` as they are now; equal to any mapping of the same items."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, _Value_co]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> _Value_co:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)
