"""The device and the precision that models run in."""

from __future__ import annotations

import pytest
import torch

from schemas.errors import NoDeviceError
from schemas.pipeline.config import Compute
from workers.models.device import choose_device
from workers.process.supervisor import NEEDS_PERSON


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_one_clear_line() -> None:
    for name in ("cuda", "cuda:7"):
        with pytest.raises(NoDeviceError, match=rf"^there is no device {name}: torch sees no CUDA devices") as caught:
            choose_device(Compute(device=name))
        assert caught.value.exit_status in NEEDS_PERSON, "or the supervisor would start it again for ever"
    assert choose_device(Compute()) == (torch.device("cpu"), torch.float32)
