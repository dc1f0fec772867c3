"""What tests of a broker of their own may rely on."""

from __future__ import annotations

import base64

from tests.kafka.node import _cluster_id


def test_each_cluster_has_an_id_of_its_own() -> None:
    ids = [_cluster_id(f"/tmp/{number}") for number in range(200)]
    assert len(set(ids)) == 200
    assert {len(base64.urlsafe_b64decode(cluster + "==")) for cluster in ids} == {16}
    assert [cluster for cluster in ids if cluster.startswith("-")] == []
