"""The arithmetic of a run: chosen when it begins, noted in its folder, and kept on resume."""

from __future__ import annotations

from collections.abc import Callable

import torch

from apnet.devices import Precision, choose_precision
from apnet.embedding import checked_precision
from apnet.training.processes import total
from apnet.training.session import Session


def settle_precision(session: Session, notify: Callable[[str], None]) -> Precision:
    """Returns the arithmetic of a run and notes it in the run's folder.

    A run whose recipe says ``auto`` keeps what its folder notes, on every machine; ``--set
    precision=...`` changes it. A new run takes bf16 where it is faster and agrees with float32 on
    some of the training images, in every process.

    Args:
        session: its network is on its device.
        notify: told where bf16 does not agree, or is slow here; one process tells.
    """
    wanted, run = session.job.recipe.precision, session.job.run
    tell = notify if session.processes.leads else (lambda _text: None)
    noted = run.precision()
    if noted is not None and wanted in ("auto", noted):
        if wanted == "auto" and noted == "bf16" != choose_precision("auto", session.device):
            tell(
                "the run goes on in bf16, as it began, but this device gains nothing from that; "
                "--set precision=float32 changes it"
            )
        return noted
    found = checked_precision(
        wanted, session.network, session.training.records, session.config.image_size, notify=tell
    )
    agreed = total(torch.tensor([float(found == "bf16")], device=session.device), session.processes)
    precision: Precision = "bf16" if agreed.item() == session.processes.world else "float32"
    if session.processes.leads:
        run.note_precision(precision)
    return precision
