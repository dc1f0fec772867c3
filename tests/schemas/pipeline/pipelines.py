"""A good pipeline file for tests to start from."""

GOOD = """\
pipeline: social-moderation
kafka:
  bootstrap.servers: localhost:9092
  sasl.password: ${SECRET:-hush}
input:
  topics: [posts, "comments"]
  format: json
  text: $.body
tasks:
  - name: toxicity
    task: moderation
    model: unitary/toxic-bert
    threshold: {default: 0.5, hate: 0.25}
  - name: entities
    task: ner
    model: dslim/bert-base-NER
    revision: d1a3e8f
    max_length: 128
    stride: 32
output:
  topic: posts.enriched
  dead_letter: posts.dead
batching: {max_tokens: 16384, linger_ms: 5}
compute:
  device: cpu
"""
UNREACHABLE = """\
pipeline: tiny
kafka: {bootstrap.servers: "127.0.0.1:1"}
input: {topics: [posts]}
tasks: [{name: tone, task: sentiment, model: starter}]
output: {topic: posts.enriched}
"""
"""A file that names a port on which no broker listens."""


def mutate(old: str, new: str) -> str:
    """Return GOOD with ``old`` replaced by ``new``; fails unless ``old`` occurs exactly once."""
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)
