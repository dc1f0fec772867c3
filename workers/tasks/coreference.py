"""``coreference``: which words of a text speak of one and the same."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.document import Annotation, Document
from workers.encoder.reading import Reading
from workers.tasks.base import Task


class Coreference(Task):
    """Clusters of two or more spans, as the head finds them over the whole text; see ``workers/heads/fcoref.py``.

    Spans are of whole words, as the model was trained. A span that two clusters claim stays in the earlier one.
    """

    head_kind = "coreference"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        (reading,) = readings
        text = document.text
        taken: set[tuple[int, int]] = set()
        clusters = []
        for cluster in reading.scores[0]:
            # Tokens within one word are one span.
            spans = sorted(set(cluster) - taken)
            if len(spans) > 1:
                taken.update(spans)
                clusters.append({"spans": [{"start": a, "end": b, "text": text[a:b]} for a, b in spans]})
        return {
            "clusters": sorted(clusters, key=lambda cluster: (cluster["spans"][0]["start"], cluster["spans"][0]["end"]))
        }
