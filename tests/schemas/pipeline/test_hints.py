"""Common mistakes of a pipeline file get one message each, with what to write instead."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.loader import parse
from tests.schemas.pipeline.pipelines import GOOD, mutate


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "p.yaml", {})
    return [str(problem).removeprefix("p.yaml:") for problem in caught.value.problems]


def with_task(lines: str) -> str:
    return GOOD.replace("output:\n", f"  - name: extra\n    {lines}\noutput:\n", 1)


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('toxicity.labels = "a"', 'write "==" for "="'),
        ("size(text) > 3 and size(text) < 9", 'write "&&" for "and"'),
        ("size(text) > 3 AND size(text) < 9", 'write "&&" for "and"'),
        ("size(text) > 3 or size(text) < 9", 'write "||" for "or"'),
        ("not has(event.a)", 'write "!" for "not"'),
        ('not event.a = "b"', 'write "==" for "=", "!" for "not"'),
        ('event.a === "b"', 'write "==" for "==="'),
        ('event.a <> "b"', 'write "!=" for "<>"'),
        ("has(event.a) & has(event.b)", 'write "&&" for "&"'),
        ("has(event.a) | has(event.b)", 'write "||" for "|"'),
        ("event.a is null", 'write "==" for "is"'),
    ],
)
def test_operators_of_other_languages(condition: str, hint: str) -> None:
    (line,) = mistakes(with_task(f"task: ner\n    model: m\n    when: '{condition}'"))
    assert line.startswith("23:11 tasks[2].when: not CEL: ")
    assert line.endswith(f"; {hint}")


@pytest.mark.parametrize(
    "condition", ['event.a == "x and y" &&', "event.not == 1 &&", "event.is == 1 &&", "event.a >= 1 && ("]
)
def test_what_looks_like_an_operator_and_is_none_gets_no_hint(condition: str) -> None:
    (line,) = mistakes(with_task(f"task: ner\n    model: m\n    when: '{condition}'"))
    assert "write" not in line


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("len(text) > 3", 'CEL has no function "len"; write size()'),
        ("not(has(event.a))", 'CEL has no function "not"; write "!"'),
        ('text.startswith("a")', 'CEL has no function "startswith"; write startsWith()'),
        ("event.a == True", 'uses "True", which is not a task; write true'),
        ("event.a != None", 'uses "None", which is not a task; write null'),
    ],
)
def test_functions_and_constants_of_other_languages(condition: str, message: str) -> None:
    (line,) = mistakes(with_task(f"task: ner\n    model: m\n    when: '{condition}'"))
    assert line == f"23:11 tasks[2].when: {message}"


@pytest.mark.parametrize("value", ["*m", "[*m]"])
def test_merge_keys_are_named_and_what_they_bring_is_not_missing(value: str) -> None:
    text = GOOD.replace("  - name: toxicity", "  - &m\n    name: toxicity").replace(
        "    task: ner\n    model: dslim/bert-base-NER", f"    <<: {value}\n    threshold: 0.5"
    )
    assert mistakes(text.replace("    max_length: 128\n    stride: 32\n", "")) == [
        "16:5 tasks[1]: merge keys (<<) do not exist in YAML 1.2; repeat the fields"
    ]


def test_a_quoted_key_is_no_merge_key() -> None:
    assert mistakes(mutate("compute:\n", 'compute:\n  "<<": 1\n')) == ['25:3 compute["<<"]: unknown field']


@pytest.mark.parametrize(
    ("indented", "flat", "expected"),
    [
        (
            "  bootstrap.servers: localhost:9092\n  sasl.password: ${SECRET:-hush}\n",
            "bootstrap.servers: localhost:9092\nsasl.password: hush\n",
            ["3:1 bootstrap.servers: belongs to kafka: indent it below",
             "4:1 sasl.password: belongs to kafka: indent it below"],
        ),
        (
            '  topics: [posts, "comments"]\n  format: json\n  text: $.body\n',
            "topics: [posts]\nformat: json\ntext: $.body\n",
            [f"{line}:1 {name}: belongs to input: indent it below"
             for line, name in ((6, "topics"), (7, "format"), (8, "text"))],
        ),
        ("  device: cpu\n", "device: cpu\n", ["25:1 device: belongs to compute: indent it below"]),
    ],
)  # fmt: skip
def test_children_that_are_not_indented_are_the_only_mistake(indented: str, flat: str, expected: list[str]) -> None:
    assert mistakes(mutate(indented, flat)) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("max_tokens: 4", "is a field of batching: indent it below"),
        ("topics: [a]", "is a field of input: indent it below"),
        ("ssl.ca.location: x", "unknown field; settings of the Kafka client belong to kafka: indent it below"),
    ],
)
def test_a_field_at_the_top_that_belongs_to_a_section(line: str, message: str) -> None:
    (mistake,) = mistakes(f"{line}\n{GOOD}")
    assert mistake.endswith(f": {message}")


@pytest.mark.parametrize(
    ("word", "task"),
    [
        ("emotion", "text-classification"), ("Emotions", "text-classification"), ("intent", "text-classification"),
        ("toxicity", "moderation"), ("hate_speech", "moderation"), ("sentiment-analysis", "sentiment"),
        ("named entity recognition", "ner"), ("entities", "ner"), ("anonymize", "pii"), ("langid", "language"),
        ("embeddings", "embedding"), ("dedup", "similarity"), ("qa", "question-answering"), ("entailment", "nli"),
        ("coref", "coreference"), ("absa", "aspect-sentiment"), ("zero-shot-classification", "zero-shot"),
        ("nre", "ner"), ("moderaton", "moderation"), ("embeding", "embedding"),
    ],
)  # fmt: skip
def test_an_unknown_task_gets_a_suggestion_by_its_meaning(word: str, task: str) -> None:
    assert mistakes(with_task(f"task: {word}\n    model: m")) == [
        f'21:11 tasks[2].task: unknown task, did you mean "{task}"?'
    ]


@pytest.mark.parametrize("word", ["summarization", "translation"])
def test_tasks_that_write_texts_do_not_exist(word: str) -> None:
    (line,) = mistakes(with_task(f"task: {word}\n    model: m"))
    assert "no task writes texts" in line


@pytest.mark.parametrize("word", ["devotion", "xyz"])
def test_a_word_that_only_shares_letters_gets_no_suggestion(word: str) -> None:
    (line,) = mistakes(with_task(f"task: {word}\n    model: m"))
    assert "must be one of" in line


@pytest.mark.parametrize(("code", "right"), [("EN", "en"), ("En", "en"), ("en-US", "en"), ("zh_CN", "zh")])
def test_a_language_in_another_spelling_is_one_mistake(code: str, right: str) -> None:
    assert mistakes(with_task(f"task: language\n    languages: [de, {code}]")) == [
        f'22:21 tasks[2].languages[1]: must be written "{right}"'
    ]


@pytest.mark.parametrize(("code", "right"), [("us", "US"), ("uk", "GB"), ("De", "DE")])
def test_a_country_in_another_spelling_is_one_mistake(code: str, right: str) -> None:
    assert mistakes(with_task(f"task: pii\n    regions: [FR, {code}]")) == [
        f'22:19 tasks[2].regions[1]: must be written "{right}"'
    ]


@pytest.mark.parametrize("code", ["USA", "english", "x"])
def test_what_is_no_code_in_any_spelling_gets_the_rule(code: str) -> None:
    (line,) = mistakes(with_task(f"task: pii\n    regions: [{code}]"))
    assert line.endswith("must be a country code such as US (ISO 3166)")


@pytest.mark.parametrize("entity", ["PERSON", "LOCATION", "ORGANIZATION", "NRP", "PER"])
def test_entities_without_a_pattern_need_a_model_or_spans(entity: str) -> None:
    assert mistakes(with_task(f"task: pii\n    entities: [EMAIL_ADDRESS, {entity}]")) == [
        '22:31 tasks[2].entities[1]: needs "model:", or "spans:" with the name of another task: no pattern finds it'
    ]


def test_a_list_of_brokers_is_one_text() -> None:
    text = mutate("bootstrap.servers: localhost:9092", "bootstrap.servers: [a, b]")
    assert mistakes(text) == ["3:22 kafka.bootstrap.servers: must be one text, with commas between the entries"]


@pytest.mark.parametrize("name", ["Starter", "STARTER", '"starter "'])
def test_the_starter_is_written_in_small_letters(name: str) -> None:
    assert mistakes(mutate("unitary/toxic-bert", name)) == [
        '12:12 tasks[0].model: must be written "starter"; a folder of that name needs ./ in front'
    ]


def test_a_file_of_recognisers_is_named_as_such() -> None:
    assert mistakes("# mine\nrecognizers:\n  - name: a\n") == [
        '2:1 has recognisers, which the task pii names in "recognizers:", and is not a pipeline file'
    ]
