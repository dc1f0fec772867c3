"""``coreference``: which words of a text refer to the same thing."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.document import Annotation, Document
from workers.encoder.reading import Reading
from workers.tasks.base import Task


class Coreference(Task):
    """Clusters of two or more spans, which the head resolves over the whole text (``workers/heads/fcoref.py``).

    Spans consist of whole words, as in training. A span that is in two clusters stays in the first one.
    """

    head_kind = "coreference"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``clusters``, sorted by their first span, each with its ``spans`` in text order."""
        (reading,) = readings
        text = document.text
        taken: set[tuple[int, int]] = set()
        clusters = []
        for cluster in reading.scores[0]:
            # A set, because several tokens of one word give the same span.
            spans = sorted(set(cluster) - taken)
            if len(spans) > 1:
                taken.update(spans)
                clusters.append({"spans": [{"start": a, "end": b, "text": text[a:b]} for a, b in spans]})
        return {
            "clusters": sorted(clusters, key=lambda cluster: (cluster["spans"][0]["start"], cluster["spans"][0]["end"]))
        }
