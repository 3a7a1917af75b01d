"""Reads the tensors of a file that torch before 1.6 saved, without torch, running nothing it names."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_TYPES: Final = {"FloatStorage": "<f4", "LongStorage": "<i8", "IntStorage": "<i4", "DoubleStorage": "<f8"}


class _Storage:
    """A run of numbers, which lie after the pickles, in the order of their keys."""

    def __init__(self, kind: str, size: int) -> None:
        self.kind = kind
        self.size = size
        self.values: NDArray[Any] = np.zeros(0)


class _Tensor:
    def __init__(
        self, storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *rest: Any
    ) -> None:
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride

    def array(self) -> NDArray[np.float32]:
        values = self.storage.values[self.offset :]
        strides = [step * values.itemsize for step in self.stride]
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(values, self.shape, strides), np.float32)


class _Tensors(pickle.Unpickler):
    """Makes tensors, dictionaries and numbers; whatever else the file names is refused."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _TYPES:
            return name
        if module == "torch" and name in ("device", "Size"):
            return lambda *_: None
        raise pickle.UnpicklingError(f"The file names {module}.{name}, which no weights need.")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, _, size, *_ = pid
        return self.storages.setdefault(key, _Storage(kind, size))


def read_weights(path: Path, state: str) -> Weights:
    """The tensors under the key `state`, by their names. Raises `pickle.UnpicklingError`, `OSError`."""
    with path.open("rb") as file:
        if _Tensors(file).load() != _MAGIC:
            raise pickle.UnpicklingError(f"{path.name} is no file of torch's older format.")
        for _ in ("version", "machine"):
            _Tensors(file).load()
        tensors = _Tensors(file)
        saved = tensors.load()
        for key in _Tensors(file).load():
            storage = tensors.storages[key]
            dtype = np.dtype(_TYPES[storage.kind])
            (size,) = np.frombuffer(file.read(8), "<i8")
            storage.values = np.frombuffer(file.read(int(size) * dtype.itemsize), dtype)
    return {name: tensor.array() for name, tensor in saved[state].items()}
