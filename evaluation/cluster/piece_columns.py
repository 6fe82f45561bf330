"""The columns of a piece as Arrow reads them: runs of equal values, and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]


def find_runs(chunks: Sequence[pa.Array]) -> tuple[Positions, pa.Array]:
    """Find where a column changes.

    Returns
    -------
    starts
        The rows at which a run of equal values begins; missing ones are equal.
    values
        The value of each run: text, or numbers as they are. A missing text is "".
    """
    starts, values, before = [], [], 0
    for chunk in chunks:
        if pa.types.is_integer(chunk.type) and not chunk.null_count:
            codes, distinct = chunk.to_numpy(), None
        else:
            coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
            codes = coded.indices.fill_null(-1).to_numpy()
            distinct = coded.dictionary.cast(pa.string())
        new = np.flatnonzero(np.concatenate([[len(codes) > 0], codes[1:] != codes[:-1]]))
        starts.append(new + before)
        if distinct is None:
            values.append(chunk.take(pa.array(new)))
        else:
            at = codes[new]
            taken = distinct.take(pa.array(at, mask=at < 0))
            values.append(taken.fill_null(""))
        before += len(chunk)
    if len({value.type for value in values}) > 1:
        values = [value.cast(pa.string()) for value in values]
    first, joined = np.concatenate(starts), pa.concat_arrays(values)
    # The last value of a chunk goes on in the next, and a dictionary may hold one twice.
    same = np.concatenate([[False], compare_neighbours(pc.equal, joined)])
    if same.any():
        first, joined = first[~same], joined.filter(pa.array(~same))
    return first, joined


def compare_neighbours(by: Callable[..., pa.Array], values: pa.Array) -> Bools:
    """Compare each value with the one before."""
    result: Bools = by(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
    return result


def as_plain(column: pa.Array) -> pa.Array:
    """Keep the dictionaries of text alone; a pandas category may be of numbers."""
    if (
        pa.types.is_dictionary(column.type)
        and not pa.types.is_string(column.type.value_type)
        and not pa.types.is_large_string(column.type.value_type)
    ):
        return column.dictionary_decode()
    return column


def join_numbers(chunks: Sequence[pa.Array]) -> Floats:
    """Give a column as numbers, NaN where missing."""
    floats = [chunk.cast(pa.float64(), safe=False) for chunk in chunks]
    return np.concatenate([chunk.to_numpy(zero_copy_only=False) for chunk in floats])
