"""Enriched events for people: text with its spans marked, annotations in a few words. Needs only rich."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from zlib import crc32

import orjson
from rich.text import Text

_SPAN_STYLES = {
    "PERSON": "bold black on bright_cyan",
    "LOCATION": "bold black on bright_green",
    "ORGANIZATION": "bold black on bright_yellow",
}
_OTHER_SPANS = ("bold black on bright_magenta", "bold black on bright_blue", "bold black on white")
_TONES = {"negative": "red", "very negative": "red", "positive": "green", "very positive": "green"}
FLAG = "\N{BLACK FLAG}"

# Control characters could control the terminal, and directional ones reorder the line. Each is replaced by one
# character, so that offsets stay valid.
_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = {
    **{code: 0x2400 + code for code in range(0x20)},
    **dict.fromkeys((*range(0x7F, 0xA0), *_DIRECTIONS), 0xFFFD),
    ord("\t"): 0x20,
    ord("\n"): ord("\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"),
    ord("\r"): 0x20,
}


def readable(text: str) -> str:
    """Return ``text`` with the same length and without characters that control a terminal."""
    return text.translate(_CONTROLS)


def highlighted(text: str, spans: Iterable[Mapping[str, Any]] = (), most: int | None = None) -> Text:
    """Return ``text`` with its spans marked, cut to ``most`` characters."""
    cropped = text if most is None or len(text) <= most else text[: most - 1] + "…"
    marked = Text(readable(cropped))
    for span in spans:
        marked.stylize(span_style(span["label"]), span["start"], span["end"])
    return marked


def span_style(label: str) -> str:
    """Return the style of a label, the same in every run."""
    return _SPAN_STYLES.get(label) or _OTHER_SPANS[crc32(label.encode()) % len(_OTHER_SPANS)]


def tone_style(label: str) -> str:
    """Return the color of a sentiment."""
    return _TONES.get(label, "yellow")


def spans_of(event: Mapping[str, Any], shadows: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the spans of all tasks but ``shadows``."""
    annotations = [annotation for name, annotation in event["annotations"].items() if name not in shadows]
    return [span for annotation in annotations for span in annotation.get("spans", ())]


def described(annotation: Mapping[str, Any]) -> Text:
    """Return an annotation of any kind as one line."""
    if "spans" in annotation:
        return Text("  ").join(_spans(annotation["spans"])) if annotation["spans"] else Text("none", "dim")
    if "scores" in annotation:
        label = annotation["label"]
        return Text.assemble((readable(label), tone_style(label)), f" {annotation['score']:.2f}")
    if "labels" in annotation:
        return Text("  ").join(_labels(annotation["labels"]))
    if "clusters" in annotation:
        return _listed(" = ".join(map(_words, cluster["spans"])) for cluster in annotation["clusters"])
    if "aspects" in annotation:
        return _listed(
            f"{item.get('aspect', '')}: {item['label']} {item['score']:.2f}" for item in annotation["aspects"]
        )
    if "hypotheses" in annotation:
        return _listed(
            f"{item['hypothesis']}: {item['label']} {item['score']:.2f}" for item in annotation["hypotheses"]
        )
    if "answers" in annotation:
        return _listed(f"{item.get('question', '')} {_answer(item)}" for item in annotation["answers"])
    if "paraphrase" in annotation:
        return Text(f"{'yes' if annotation['paraphrase'] else 'no'} {annotation['score']:.2f}")
    if "duplicate_of" in annotation:
        return Text(f"duplicate of {annotation['duplicate_of']}" if annotation["duplicate_of"] else "new")
    if "vector" in annotation:
        return Text(f"{len(annotation['vector'])} dimensions", "dim")
    if "score" in annotation:
        return Text(f"{annotation['score']:.2f}")
    return Text(readable(orjson.dumps(annotation.get("custom")).decode()))


def moment(timestamp_ms: int) -> str:
    """Return a record's timestamp in local time, or a question mark if it has none."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(timestamp_ms / 1000)) if timestamp_ms >= 0 else "?"


def headline(event: Mapping[str, Any]) -> Text:
    """Return one line about an event from a topic: when it was produced, where it was read, and its routes."""
    source = event["source"]
    stamp = source["timestamp_ms"]
    line = f"{moment(-1 if stamp is None else stamp)} {source['topic']}[{source['partition']}]@{source['offset']}"
    return Text(readable(line + "".join(f" → {route}" for route in event.get("routed", ()))), "dim")


def block(event: Mapping[str, Any], shadows: Mapping[str, str] = MappingProxyType({})) -> Text:
    """Return an event as several lines: its text or texts, each annotation, and its notices.

    ``shadows``: the tasks among them that are shadows, and which tasks these are compared with.
    """
    lines = list(_texts(event, shadows)) if "text" in event else []
    width = max(map(len, event["annotations"]), default=0)
    for name, annotation in event["annotations"].items():
        mark = Text(f"  (shadow of {shadows[name]})", "dim") if name in shadows else Text()
        lines.append(Text.assemble(f"  {name:{width}}  ", described(annotation), mark))
    lines += [Text(f"  {_noticed(notice)}", "dim") for notice in event["notices"]]
    return Text("\n").join(lines)


def _texts(event: Mapping[str, Any], shadows: Collection[str]) -> Iterator[Text]:
    """Yield the text of ``event``, or each of several behind its path, with the spans of tasks marked."""
    whole = highlighted(event["text"], spans_of(event, shadows))
    if "fields" not in event:
        yield whole
    for field in event.get("fields", ()):
        yield Text.assemble((f"{readable(field['path'])}  ", "dim"), whole[field["start"] : field["end"]])


def _noticed(notice: Mapping[str, Any]) -> str:
    if notice["kind"] == "replaced":
        return readable(f"replaced {notice['count']} values of the input: {', '.join(notice['paths'])}")
    if notice["kind"] == "unread":
        return f"{notice['task']}: the model does not know {notice['share']:.0%} of the text"
    if notice["kind"] == "missing":
        return readable(f"nothing at {', '.join(notice['paths'])}")
    return f"{notice['task']} read {notice['kept']} of {notice['of']} characters"


def _spans(spans: Iterable[Mapping[str, Any]]) -> Iterator[Text]:
    for span in spans:
        words = readable(_words(span))
        label = readable(span["label"])
        yield Text.assemble((words, span_style(span["label"])), (f" {label} {span['score']:.2f}", "dim"))


def _listed(lines: Iterable[str]) -> Text:
    return Text(readable("; ".join(lines))) or Text("none", "dim")


def _answer(answered: Mapping[str, Any]) -> str:
    answer = answered["answer"]
    return f"no answer {answered['null_score']:.2f}" if answer is None else f"{_words(answer)} {answer['score']:.2f}"


def _words(span: Mapping[str, Any]) -> str:
    return str(span.get("text", f"{span['start']}-{span['end']}"))


def _labels(labels: Iterable[Mapping[str, Any]]) -> Iterator[Text]:
    for label in labels:
        words = f"{readable(label['label'])} {label['score']:.2f}"
        yield Text(f"{FLAG} {words}", "bold red") if label["flagged"] else Text(words, "dim")
