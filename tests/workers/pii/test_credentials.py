"""What headers and options of commands hand over. All values are invented."""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import values

FOUND = [
    ('curl -H "Authorization: Bearer q8Wz71Lk0PnVt5RbYc3Hd9Xs"', "q8Wz71Lk0PnVt5RbYc3Hd9Xs"),
    ("authorization: token q8Wz71Lk0PnVt5RbYc3Hd9Xs", "q8Wz71Lk0PnVt5RbYc3Hd9Xs"),
    ('{"Authorization": "Bearer q8Wz71Lk0PnVt5RbYc3Hd9Xs"}', "q8Wz71Lk0PnVt5RbYc3Hd9Xs"),
    ("Authorization: Basic b3BzOk44dy1rUXo0MS5wTA==", "b3BzOk44dy1rUXo0MS5wTA=="),
    ("curl --user ops:N8w-kQz41.pL -X POST", "N8w-kQz41.pL"),
    ("curl -s -u 'ops:N8w-kQz41.pL' -X POST", "N8w-kQz41.pL"),
    ("Cookie: theme=dark; sid=k29sd8f7g6h5j4k3l2m1n0b9v8; lang=en", "k29sd8f7g6h5j4k3l2m1n0b9v8"),
    ("Set-Cookie: sid=k29sd8f7g6h5j4k3l2m1n0b9v8; Path=/; HttpOnly", "k29sd8f7g6h5j4k3l2m1n0b9v8"),
    ("mysql -u root -pS3cr3t-7712x shop", "S3cr3t-7712x"),
    ("AZURE_STORAGE_KEY=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg==", "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg=="),
    ("Passwort: h7kQ2zPw9m", "h7kQ2zPw9m"),
]

CLEAN = [
    'curl -H "Authorization: Bearer $TOKEN" -u "$USER:$PASS"',
    "Authorization: Bearer <token>, Authorization: Bearer YOUR_TOKEN_HERE_123",
    "Basic instructions follow, basic cGxhaW4gdGV4dA==",
    "Cookie: theme=dark; lang=en; consent=accepted",
    "mysql -u root -p shop < dump.sql, mysql -p, mysql --port=3306",
    "curl -o out.json -u",
    "a cookie: two eggs, 250 g of flour",
]


@pytest.mark.parametrize(("text", "secret"), FOUND)
def test_what_is_handed_over_is_found(text: str, secret: str) -> None:
    assert values(text) == [("SECRET", secret)]


@pytest.mark.parametrize("text", CLEAN)
def test_names_of_variables_and_words_are_left_alone(text: str) -> None:
    assert values(text) == []
