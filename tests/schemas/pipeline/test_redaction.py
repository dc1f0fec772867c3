"""``redact:``: every mistake has its place and a suggestion, and equal meanings are equal models."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.labels import LOCALES, PATTERNED
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import parse
from schemas.pipeline.redaction import OPERATORS, Hash, Operator, Redact, Replace
from schemas.pipeline.redaction_checks import doubts, possible_labels
from tests.schemas.pipeline.pipelines import GOOD

HASH, ENCRYPT = "hash: {env: HASH_KEY}", "encrypt: [{id: k1, env: KEY_1}]"
PII = "tasks:\n  - {name: pii, task: pii}\n"


REDACTED = "topic: posts.enriched\n  text: redacted"


def wrong(redact: str, text: str = GOOD, output: str = REDACTED) -> list[str]:
    """Return the mistakes of ``redact: {...}`` behind a good file; they are at the ``»`` in it, if it has one."""
    column = f"redact: {{{redact}".find("»") + 1
    text = text.replace("topic: posts.enriched", output)
    try:
        parse(f"{text}redact: {{{redact.replace('»', '')}}}\n", environ={})
    except ConfigError as error:
        assert not column or {problem.column for problem in error.problems} == {column}
        return [f"{problem.path}: {problem.message}" for problem in error.problems]
    return []


NO_HASH_KEY = 'needs a key, redact.keys.hash: write hash: {env: HASH_KEY}, and set it with "openssl rand -hex 32"'
NO_ENCRYPTION_KEY = (
    'needs a key, redact.keys.encrypt: write encrypt: [{id: k1, env: KEY_1}], and set it with "openssl rand -hex 32"'
)
NO_KEY = "must be the name of an environment variable in capitals, not the key itself"
ONE_OF = f"must be one of {', '.join(OPERATORS)}"
MISTAKES = {
    "unknown operator": ("default: »hsh", [f'redact.default: {ONE_OF}, did you mean "hash"?']),
    "operator like no other": ("default: »zzz", [f"redact.default: {ONE_OF}"]),
    "unknown operator with options": ("labels: {A: {»mas: {}}}",
        ['redact.labels.A.mas: unknown operator, did you mean "mask"?']),
    "option in place of an operator": ("labels: {A: {»numbered: true}}",
        ["redact.labels.A.numbered: is an option of replace: write replace: {numbered: ...}"]),
    "two operators": ("labels: {A: »{mask: {}, remove: {}}}",
        ["redact.labels.A: must name exactly one operator"]),
    "no operator": ("labels: {A: »{}}", ["redact.labels.A: must name exactly one operator"]),
    "operator of the wrong type": ("default: »3", ["redact.default: must be a mapping of fields"]),
    "unknown option": ("default: {mask: {»keep: 3}}",
        ['redact.default.mask.keep: unknown field, did you mean "keep_last"?']),
    "option of another operator": ("default: {remove: {»keep_last: 3}}",
        ["redact.default.remove.keep_last: unknown field"]),
    "range of an option": ("default: {mask: {keep_last: »-4}}",
        ["redact.default.mask.keep_last: must be between 0 and 1000"]),
    "two characters": ("default: {mask: {character: »ab}}",
        ["redact.default.mask.character: must be at most 1 characters"]),
    "invisible character": ('default: {mask: {character: »"\\u200b"}}',
        ["redact.default.mask.character: must be a visible character"]),
    "number of a fixed text": ("default: {replace: »{numbered: true, text: x}}",
        ["redact.default.replace: numbered and text cannot be used together"]),
    "short hash": (f"default: {{hash: {{length: »8}}}}, keys: {{{HASH}}}",
        ["redact.default.hash.length: must be between 16 and 64"]),
    "hash without key": ("default: »hash", [f"redact.default: {NO_HASH_KEY}"]),
    "surrogate without key": ("labels: {PERSON: »surrogate}", [f"redact.labels.PERSON: {NO_HASH_KEY}"]),
    "encrypt without key": (f"fields: {{$.a: »{{encrypt: {{}}}}}}, keys: {{{HASH}}}",
        [f'redact.fields["$.a"]: {NO_ENCRYPTION_KEY}']),
    "mode": (f"default: {{encrypt: {{mode: »ecb}}}}, keys: {{{ENCRYPT}}}",
        ["redact.default.encrypt.mode: must be one of siv, gcm"]),
    "path": ("fields: {»user.email: remove}", ["redact.fields.user.email: must start with $, for example $.body"]),
    "no path from a place on": ('fields: {»"$.a b": remove}',
        ['redact.fields["$.a b"]: not a path from character 4 on; use $.name, $[\'any name\'] or $[0]']),
    "header": ("headers: {x-user: »delete}", [f"redact.headers.x-user: {ONE_OF}"]),
    "key that equals others": ("key: »mask", ["redact.key: must be one of hash, encrypt, remove, which keep "
        "different keys different and equal keys equal"]),
    "key that never equals": (f"key: »{{encrypt: {{mode: gcm}}}}, keys: {{{ENCRYPT}}}",
        ["redact.key: must be one of hash, encrypt, remove, which keep different keys different and equal keys "
         "equal"]),
    "task": ("tasks: [»entites]", ['redact.tasks[0]: there is no task with that name, did you mean "entities"?']),
    "task without spans": ("tasks: [»toxicity]",
        ["redact.tasks[0]: names a task of kind moderation, which finds no spans"]),
    "locale": (f"labels: {{PERSON: {{surrogate: {{locale: »de_de}}}}}}, keys: {{{HASH}}}",
        ['redact.labels.PERSON.surrogate.locale: is not a locale that surrogates can be of, did you mean "de_DE"?']),
    "surrogate of what": (f"fields: {{$.a: »surrogate}}, keys: {{{HASH}}}",
        ['redact.fields["$.a"]: surrogate cannot be used here, because the kind of the value is not known']),
    "key in the file": ("default: hash, keys: {hash: »abc}", ["redact.keys.hash: must be a mapping of fields, for "
        "example {env: HASH_KEY}; a key itself must not be in the file"]),
    "one key to encrypt": ("default: encrypt, keys: {encrypt: »{id: k, env: A}}",
        ["redact.keys.encrypt: must be a list, for example [{id: k1, env: KEY_1}]"]),
    "key in place of its name": ("keys: {hash: {env: »c0ffee}}", [f"redact.keys.hash.env: {NO_KEY}"]),
    "hex in place of a name": (f"keys: {{hash: {{env: »{'AB' * 16}}}}}",
        ["redact.keys.hash.env: must be the name of an environment variable, not the key itself"]),
    "key from two places": ("keys: {hash: »{env: A, file: b}}",
        ["redact.keys.hash: needs exactly one of env, file"]),
    "key from nowhere": ("keys: {encrypt: [»{id: k}]}", ["redact.keys.encrypt[0]: needs exactly one of env, file"]),
    "no keys": ("keys: {encrypt: »[]}", ["redact.keys.encrypt: must not be empty"]),
    "id": ("keys: {encrypt: [{id: »k 1, env: A}]}",
        ['redact.keys.encrypt[0].id: must consist of letters, digits, "_" and "-"']),
    "equal ids": ("keys: {encrypt: »[{id: k, env: A}, {id: k, env: B}]}",
        ["redact.keys.encrypt: contains the same id twice"]),
}  # fmt: skip


@pytest.mark.parametrize(("redact", "lines"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_with_its_column(redact: str, lines: list[str]) -> None:
    assert "»" in redact
    assert wrong(redact) == lines


def test_mistakes_are_reported_together() -> None:
    assert len(wrong("default: hsh, labels: {A: encrypt}, key: mask, tasks: [x], keys: {hash: {env: a}}")) == 5


def test_a_section_without_mistakes() -> None:
    assert wrong("") == []
    assert wrong(f"default: hash, fields: {{'$.a[*].b': remove}}, keys: {{{HASH}, {ENCRYPT}}}") == []


def test_the_section_and_redacted_outputs_need_each_other() -> None:
    unused = ["redact: changes nothing: set output.text, or that of a route, to redacted"]
    assert wrong("", output="topic: posts.enriched") == unused
    assert wrong("", output="topic: posts.enriched\n  routes: [{when: 'true', topic: a}]") == unused
    assert wrong("", output="topic: posts.enriched\n  text: original") == unused
    assert wrong("key: remove", output="topic: posts.enriched\n  text: none") == []
    (misspelt,) = wrong("", output="topic: posts.enriched\n  text: redact")
    assert misspelt.startswith("output.text: must be one of")
    assert wrong("", output="topic: posts.enriched\n  routes: [{when: 'true', topic: a, text: redacted}]") == []
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace("topic: posts.enriched", REDACTED), "p.yaml", environ={})
    assert str(caught.value) == "p.yaml:22:9 output.text: needs a section redact, which may be empty: redact: {}"
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace("topic: posts.enriched", "topic: a\n  original_offsets: true"), "p.yaml", environ={})
    assert str(caught.value) == "p.yaml:22:21 output.original_offsets: needs text: redacted"


def test_labels_that_no_task_can_find_are_mistakes() -> None:
    start, tasks = GOOD.split("tasks:\n")[0], GOOD.split("output:")[1]
    text = f"{start}{PII}output:{tasks}"
    asked = "labels: {EMAIL_ADRESS: mask, PERSON: mask, zz: mask}"
    first, second, third = (line.split(": ", 1) for line in wrong(asked, text))
    assert first[1] == 'is not a label that the redacted tasks find, did you mean "EMAIL_ADDRESS"?'
    assert second == ["redact.labels.PERSON", "is not a label that the redacted tasks find; it needs a model, or to "
        "be among the entities of a task"]  # fmt: skip
    assert third[1].startswith("is not a label that the redacted tasks find; they find ABA_ROUTING_NUMBER, AR_CUIT,")
    assert wrong("labels: {US_SSN: mask}", text) == []


def test_what_finds_nothing_is_a_mistake() -> None:
    text = GOOD.replace("task: ner", "task: token-classification")
    assert wrong("", text) == ["redact: finds nothing to redact: no task is of kind pii or ner; add one, or set tasks"]
    assert wrong("tasks: [entities]", text) == wrong("fields: {$.a: remove}", text) == []


def test_encrypted_dead_letters_need_a_key() -> None:
    text = GOOD.replace("dead_letter: posts.dead", "dead_letter: {topic: posts.dead, text: encrypted}")
    with pytest.raises(ConfigError) as caught:
        parse(text, "p.yaml", environ={})
    assert str(caught.value) == f"p.yaml:22:42 output.dead_letter.text: {NO_ENCRYPTION_KEY}"
    # Then the section may have nothing to redact.
    text = text.replace("task: ner", "task: token-classification")
    plain = "topic: posts.enriched"
    assert wrong(f"keys: {{{ENCRYPT}}}", text, plain) == []
    assert len(wrong(f"keys: {{{ENCRYPT}}}", text.replace("text: encrypted", "text: none"), plain)) == 1


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ({"task": "pii"}, frozenset(PATTERNED)),
        ({"task": "pii", "entities": ["US_SSN"]}, {"US_SSN"}),
        ({"task": "pii", "model": "starter"}, None),
        ({"task": "pii", "spans": ["who"]}, None),
        ({"task": "pii", "recognizers": "more.yaml"}, None),
        ({"task": "ner", "model": "starter"}, None),
        ({"task": "moderation"}, set()),
    ],
)
def test_labels_are_known_where_only_patterns_find_them(task: dict[str, object], labels: set[str] | None) -> None:
    assert possible_labels({}, [task]) == labels


def test_a_name_and_its_empty_options_are_the_same() -> None:
    short = Redact.model_validate({"default": "hash", "labels": {"PERSON": "replace"}})
    long = Redact.model_validate({"default": {"hash": {}}, "labels": {"PERSON": {"replace": {"numbered": False}}}})
    assert short == long
    assert short.model_dump(exclude_defaults=True) == long.model_dump(exclude_defaults=True)
    assert short.default == Operator(hash=Hash())


def test_a_label_has_its_operator_or_the_default() -> None:
    redact = Redact.model_validate({"labels": {"IP_ADDRESS": "remove"}, "fields": {"$.a": "mask"}, "key": "hash"})
    assert redact.operator_for("IP_ADDRESS").name == "remove"
    assert redact.operator_for("PERSON") == Operator(replace=Replace())
    assert {path: operator.name for path, operator in redact.operators()} == {
        ("default",): "replace", ("labels", "IP_ADDRESS"): "remove", ("fields", "$.a"): "mask", ("key",): "hash",
    }  # fmt: skip


def test_the_locales_are_those_of_the_library() -> None:
    from faker.config import AVAILABLE_LOCALES

    assert set(AVAILABLE_LOCALES) - {"fr_QC"} == set(LOCALES)


def test_ids_depend_on_what_is_redacted_but_not_on_where_keys_are() -> None:
    pipeline = parse(GOOD, environ={})

    def identity(**fields: object) -> str:
        return config_hash(pipeline.model_copy(update={"redact": Redact.model_validate(fields)}))

    assert identity() != config_hash(pipeline)
    assert (
        identity(default="replace", keys={"hash": {"env": "A"}}) == identity(keys={"hash": {"file": "b"}}) == identity()
    )
    assert len({identity(), identity(default="hash"), identity(labels={"A": "hash"}), identity(elsewhere=False)}) == 4


def test_ids_depend_on_the_fingerprint_of_keys() -> None:
    pipeline = parse(GOOD, environ={})
    assert len({config_hash(pipeline), config_hash(pipeline, "abc"), config_hash(pipeline, "abd")}) == 3
    assert config_hash(pipeline, "") == config_hash(pipeline)


def test_labels_that_look_misspelt_and_unused_keys_are_doubtful() -> None:
    pipeline = parse(GOOD.replace("topic: posts.enriched", REDACTED) + "redact: {}\n", environ={})

    def doubtful(**fields: object) -> dict[str, str]:
        redact = Redact.model_validate(fields)
        raw = pipeline.model_copy(update={"redact": redact}).model_dump(exclude_none=True)
        return {".".join(map(str, path)): message for path, message in doubts(raw)}

    assert doubtful(labels={"EMAIL_ADRESS": "mask", "PERSON": "mask", "GPE": "mask", "STREET_ADDRESS": "mask"}) == {
        "redact.labels.EMAIL_ADRESS": 'is not a common label, did you mean "EMAIL_ADDRESS"? If no task finds it, it '
        "does nothing"
    }  # fmt: skip
    keys = {"hash": {"env": "A"}, "encrypt": [{"id": "k", "env": "B"}]}
    assert doubtful(keys=keys) == {
        "redact.keys.hash": "is used by no operator", "redact.keys.encrypt": "is used by no operator and no dead letter"
    }  # fmt: skip
    assert doubtful(keys=keys, default="hash", key="encrypt") == {}
    assert doubtful(keys=keys, labels={"PERSON": "surrogate"}, headers={"x": "encrypt"}) == {}
    assert list(doubts(parse(GOOD, environ={}).model_dump(exclude_none=True))) == []


def test_labels_and_fields_without_a_redacted_output_are_doubtful() -> None:
    for written in ("labels: {PERSON: mask}", "fields: {$.author: remove}"):
        for text, messages in (("redacted", []), ("none", ["no output has text: redacted, so no text and no event is "
                "redacted"])):  # fmt: skip
            output = f"topic: posts.enriched\n  text: {text}"
            raw = parse(f"{GOOD.replace('topic: posts.enriched', output)}redact: {{{written}}}\n", environ={})
            assert [message for _, message in doubts(raw.model_dump(exclude_none=True))] == messages


def test_a_field_that_is_part_of_another_is_doubtful() -> None:
    text = GOOD.replace("topic: posts.enriched", REDACTED)
    fields = "{$.user.name: mask, $.user: remove, $.users: mask, $.a.b.c: mask, '$.a[*]': mask, '$.a.b': mask}"
    reported = doubts(parse(f"{text}redact: {{fields: {fields}}}\n", environ={}).model_dump(exclude_none=True))
    assert list(reported) == [
        (("redact", "fields", path), f"has no effect: it is part of {outer}, which is redacted as a whole")
        for path, outer in (("$.user.name", "$.user"), ("$.a.b.c", "$.a[*]"))
    ]


@pytest.mark.parametrize(
    ("tasks", "places"),
    [
        ("[{name: a, task: ner, model: starter, when: 'true'}, {name: p, task: pii}]", [("tasks", 0, "when")]),
        ("[{name: p, task: pii, spans: [a]}, {name: a, task: ner, model: starter, when: 'true'}]",
         [("tasks", 0, "spans"), ("tasks", 1, "when")]),
        ("[{name: a, task: ner, model: starter}, {name: t, task: sentiment, model: starter, when: 'true'}]", []),
    ],
    ids=["a condition", "the spans of a task with one", "a task that is not redacted"],
)  # fmt: skip
def test_redacted_tasks_that_do_not_always_run_are_doubtful(tasks: str, places: list[object]) -> None:
    start, end = GOOD.split("tasks:\n")[0], GOOD.split("output:")[1]
    text = f"{start}tasks: {tasks}\noutput:{end.replace('topic: posts.enriched', REDACTED)}redact: {{}}\n"
    reported = list(doubts(parse(text, environ={}).model_dump(exclude_none=True)))
    assert [path for path, _ in reported] == places
    assert {message for _, message in reported} <= {
        "events for which the task does not run are published without redacting what only it finds"
    }
