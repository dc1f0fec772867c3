"""The device and the precision that models run in."""

from __future__ import annotations

import pytest
import torch

from schemas.errors import DeviceError
from schemas.pipeline.config import Compute
from workers.models.device import choose_device


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(DeviceError, match="torch sees 0 CUDA devices"):
        choose_device(Compute(device="cuda"))
    assert choose_device(Compute()) == (torch.device("cpu"), torch.float32)
