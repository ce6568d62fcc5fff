"""The state of a run between two ticks: kept, written to bytes, and taken up again."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, fields

import numpy as np

from payment_simulator.errors import InputError
from payment_simulator.kernels import layout as k
from payment_simulator.kernels.run import Base

_FORMAT = 1


@dataclass(frozen=True)
class Snapshot:
    """All that a run needs to go on as if it had never stopped.

    Attributes
    ----------
    next_tick : int
        The tick that is played next.
    seed, sample : int
        Where the arrivals of the run come from.
    scenario_hash : str
        Of the scenario it belongs to; another scenario does not take it up.
    registers : tuple of tuple of str
        Names of the state registers of every bank.
    base : Base
        The state itself.
    arrivals : ndarray[int64], shape (arrivals, A_N)
        All arrivals of the run, those to come included.
    log, trace, bill, note : ndarray
        What was written down so far; see :class:`payment_simulator.kernels.layout.World`.
    """

    next_tick: int
    seed: int
    sample: int
    scenario_hash: str
    registers: tuple[tuple[str, ...], ...]
    base: Base
    arrivals: k.Ints
    log: k.Ints
    trace: k.Ints
    bill: k.Floats
    note: k.Floats

    def to_bytes(self) -> bytes:
        """Return the snapshot as bytes (NumPy's ``npz``, nothing in it is code)."""
        meta = {
            "format": _FORMAT,
            "next_tick": self.next_tick,
            "seed": self.seed,
            "sample": self.sample,
            "scenario_hash": self.scenario_hash,
            "registers": self.registers,
        }
        arrays = {f"base_{name}": value for name, value in self.base._asdict().items()}
        for name in ("arrivals", "log", "trace", "bill", "note"):
            arrays[name] = getattr(self, name)
        file = io.BytesIO()
        text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
        np.savez_compressed(file, meta=text, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Snapshot:
        """Return the snapshot that was written to bytes.

        Raises
        ------
        InputError
            The bytes are no snapshot, or one of another format.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            meta = json.loads(arrays.pop("meta").tobytes())
            base = Base(**{name: arrays.pop(f"base_{name}") for name in Base._fields})
            found = meta.pop("format")
            meta["registers"] = tuple(tuple(names) for names in meta["registers"])
            if found == _FORMAT and set(meta) | set(arrays) | {"base"} == {
                field.name for field in fields(cls)
            }:
                return cls(base=base, **meta, **arrays)
        except Exception as error:
            raise InputError(
                f"these {len(data)} bytes are not a snapshot of a run ({type(error).__name__}); "
                "expected what Snapshot.to_bytes() gave"
            ) from error
        raise InputError(
            f"the snapshot has format {found!r}; expected {_FORMAT}, of this version of the package"
        )


def capture(w: k.World) -> Base:
    """Return a copy of the state of a world."""
    made, n_ticks = int(w.clock[k.C_PAYMENTS]), int(w.rule[k.R_TICKS])
    first = int(w.rule[k.R_TIMERS])
    timer = w.wide[first : first + n_ticks] if first != k.NONE else w.wide[:0]
    return Base(
        clock=w.clock.copy(),
        bank=w.bank.copy(),
        sums=w.sums.copy(),
        pay=w.pay[:made].copy(),
        pair=w.pair[: k.X_VALUE + 1].copy(),
        due=w.tick[:, k.Y_DUE_FIRST : k.Y_DUE_LAST + 1].copy(),
        timer=timer.copy(),
    )
