"""Which topics the names and patterns of ``input.topics`` mean."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.loader import parse
from schemas.pipeline.topics import InputTopics
from tests.schemas.pipeline.pipelines import GOOD

TOPICS = 'topics: [posts, "comments"]'
READS = InputTopics(["orders", "^posts-", "^news$"], ["posts-out", "posts-out.dead"])
EXISTING = ["orders", "posts-a", "posts-b", "news", "news2", "xposts-a", "posts-out", "posts-out.dead", "__posts-"]


def test_patterns_match_beginnings_and_never_what_the_pipeline_writes() -> None:
    assert READS.expanded(EXISTING) == ["orders", "news", "posts-a", "posts-b"]
    assert [topic for topic in EXISTING if topic in READS] == ["orders", "posts-a", "posts-b", "news"]
    assert READS.excluded() == ["posts-out", "posts-out.dead"]
    assert 5 not in READS


def test_no_pattern_matches_topics_of_kafka_itself() -> None:
    everything = InputTopics(["^.*"], ["out"])
    assert everything.expanded(["__consumer_offsets", "__transaction_state", "a", "out"]) == ["a"]


def test_a_pattern_without_a_topic_is_known() -> None:
    assert READS.unmatched(["orders", "posts-out", "news"]) == ["^posts-"]
    assert READS.unmatched(EXISTING) == []


def test_topics_that_one_pattern_matches_begin_together() -> None:
    overlapping = InputTopics(["b", "^a", "^(a1|c)"], ())
    existing = ["a1", "a2", "b", "c", "d"]
    assert overlapping.siblings("a2", existing) == ["a1", "a2"]
    assert overlapping.siblings("a1", existing) == ["a1", "a2", "c"]
    assert overlapping.siblings("b", existing) == ["b"]
    assert overlapping.siblings("a3", existing) == ["a1", "a2", "a3"], "a topic may be newer than the list"


@pytest.mark.parametrize(
    ("topics", "example"),
    [(["^p-.*", "b"], "b"), (["^posts-[a-z]+"], "posts-"), (["^.*x"], "topic"), (["^(a|b)"], "topic")],
)
def test_a_case_without_a_topic_has_one_all_the_same(topics: list[str], example: str) -> None:
    assert InputTopics(topics, ()).example == example


@pytest.mark.parametrize(
    ("topics", "problem"),
    [
        ("[^posts-(]", "topics[0]: is not a regular expression: missing ), unterminated subpattern (character 8)"),
        ("['^(?P<n>a)(?P<n>b)']", "topics[0]: is not a regular expression (character 14)"),
        ("['^a{99999999999}']", "topics[0]: is not a regular expression that can be used"),
        ("['posts-*']", 'topics[0]: must consist of letters, digits, ".", "_" and "-"; a pattern is a regular '
         'expression that begins with ^, such as "^posts-.*"'),
        ("['po sts']", 'topics[0]: must consist of letters, digits, ".", "_" and "-"'),
        ("[..]", "topics[0]: a topic cannot be named . or .."),
        ("['^a', '^a']", "topics[1]: appears twice"),
        ("['']", "topics[0]: must not be empty"),
        ("[5]", "topics[0]: must be text, put it in quotes"),
    ],
)  # fmt: skip
def test_mistakes(topics: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(TOPICS, f"topics: {topics}"), "p.yaml", {})
    assert [str(each).split("input.")[1] for each in caught.value.problems] == [problem]


def test_an_output_that_a_pattern_matches_is_no_input() -> None:
    reads = parse(GOOD.replace(TOPICS, "topics: ['^posts']"), environ={}).reads
    assert reads.expanded(["posts", "posts.enriched", "posts.dead", "posts2"]) == ["posts", "posts2"]
