"""Short everyday sentences, composed from word lists written for this project.

The labelled sets are film reviews, restaurant reviews and tweets. They do not teach that "The train leaves at nine" is
neutral, or that a neighbour's religion is not an insult. The lists contain no slurs, which the labelled tweets teach
well enough.
"""

from __future__ import annotations

import random
import re


def _list(words: str) -> list[str]:
    return [" ".join(word.split()) for word in words.split(",")]


THINGS = _list("""
    laptop, camera, jacket, book, restaurant, hotel, pizza, coffee, song, album, film, show, game, app, website,
    car, bike, sofa, headset, keyboard, printer, watch, tablet, soup, dinner, breakfast, room, service, support,
    delivery, staff, museum, beach, city, concert, lecture, course, teacher, driver, doctor, nurse, manager,
    neighbour, party, weather, trip, flight, bus, train, kitchen, garden, bed, shower, view, price, quality,
    packaging, design, software, release, update, dashboard, feature, team, match
""")
GOOD = _list("""
    great, wonderful, excellent, fantastic, amazing, lovely, brilliant, superb, delightful, perfect, awesome,
    outstanding, beautiful, impressive, comfortable, reliable, friendly, helpful, tasty, delicious, charming,
    enjoyable, clean, fun
""")
BAD = _list("""
    awful, terrible, horrible, bad, poor, disgusting, disappointing, boring, useless, broken, dirty, rude, slow,
    ugly, annoying, dreadful, pathetic, unreliable, overpriced, noisy, bland, cold, unhelpful, frustrating,
    uncomfortable, a joke, a mess
""")
PLAIN = _list("""
    blue, green, small, large, wooden, round, new, old, closed, open, electric, ready, full, empty, German, weekly,
    annual, digital, available, online, downstairs, in the garage, on the table, near the station, made of steel,
    due on Friday
""")
PLACES = _list("""
    Hamburg, Boston, Madrid, Kyoto, Dublin, Toronto, Geneva, Warsaw, Nairobi, Seoul, Lima, Prague, Vienna, Chicago
""")
PEOPLE = _list("""
    Anna, Peter, Maria, David, my sister, our boss, the mayor, the minister, Tom, Priya, Chen, my dad, Laura,
    the team, Marie Curie, Elena Petrova, John Smith, Kofi Annan, Nelson Mandela
""")
DAYS = _list("""
    Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, tomorrow, next week, in May, in 2018, at noon
""")
GROUPS = _list("""
    gay, lesbian, transgender, Muslim, Jewish, Christian, Hindu, black, white, Asian, Mexican, African, Chinese,
    Arab, Polish, immigrant, disabled, deaf, blind, Turkish, Indian, Irish, female, queer, bisexual, nonbinary
""")
GROUP_PLURALS = _list("""
    gays, lesbians, Muslims, Jews, Christians, Hindus, Mexicans, Africans, Asians, Arabs, immigrants, refugees,
    foreigners, women drivers, disabled people, black people, white people, transgender people, Turks
""")
JOBS = _list("""
    teacher, nurse, engineer, lawyer, baker, painter, student, singer, pilot, farmer, scientist, colleague,
    neighbour
""")
INSULTS = _list("""
    idiot, moron, loser, imbecile, fool, clown, jerk, liar, pig, piece of garbage, coward, creep, dumbass, asshole,
    waste of space
""")
SENTIMENT = {
    "positive": [
        "The {thing} is {good}.", "The {thing} was really {good}", "What a {good} {thing}!",
        "This {thing} is {good}", "I enjoyed the {thing} a lot.", "I like the {thing}.",
        "{good} {thing}, {good} {thing2}.", "Such a {good} day", "We had a {good} time in {place}.",
        "I am very happy with the {thing}.", "{person} liked the {good} {thing}.", "My {thing} works perfectly.",
        "I would recommend this {thing} to anyone.", "Thank you, {person}, well done!",
        "The {thing} is not {bad} at all.", "I don't regret buying this {thing}.", "Best {thing} in {place}!",
        "so glad we went to {place}", "Couldn't be happier with my {thing}",
        "The {thing} was {good} and the {thing2} too.", "I really love {place}.", "Congratulations {person}!",
        "Good job on the {thing}.", "{person} was so kind to us.", "Never had any problem with the {thing}.",
        "The {thing} is worth every penny.", "I loved it", "it's {good}",
    ],
    "negative": [
        "The {thing} is {bad}.", "The {thing} was really {bad}", "What a {bad} {thing}!", "This {thing} is {bad}",
        "I hated the {thing}.", "I don't like the {thing}.", "{bad} {thing}, {bad} {thing2}.", "Such a {bad} day",
        "We had a {bad} time in {place}.", "I am very unhappy with the {thing}.", "{person} had a {bad} {thing}.",
        "{person} talked about the {bad} {thing} in {place}.", "{person} found a {bad} {thing} {day}.",
        "My {thing} stopped working.", "I would not recommend this {thing} to anyone.", "{person} let us down.",
        "The {thing} is not {good} at all.", "I regret buying this {thing}.", "Worst {thing} in {place}!",
        "so sad we went to {place}", "The {thing} never arrived.", "The {thing} was {bad} and the {thing2} too.",
        "I really hate {place}.", "Nobody answered my calls about the {thing}.", "{person} was so rude to us.",
        "The {thing} crashed again.", "The {thing} is a waste of money.", "I hated it", "it's {bad}",
        "The {thing} failed after a week.", "They lost my {thing} and did not even apologise.",
        "{person} served us a {bad} {thing} in {place}.", "The {thing} isn't {good}, I want my money back.",
    ],
    "neutral": [
        "The {thing} is {plain}.", "The {thing} opens {day}.", "{person} bought a {thing} in {place}.",
        "The {thing} starts {day}.", "{person} travelled to {place} {day}.", "Where is the {thing}?",
        "There is a {thing} next to the {thing2}.", "{person} will call you {day}.", "Is the {thing} {plain}?",
        "The {thing} has two doors.", "{person} works for a company in {place}.", "We meet in {place} {day}.",
        "I have a {thing} and a {thing2}.", "The {thing} costs {number} euros.", "Please send the form to {person}.",
        "The report has {number} pages.", "The bus to {place} leaves {day}.",
        "{person} said the {thing} is {plain}.", "It is {number} o'clock in {place}.",
        "The server listens on port {number}.", "{place} is a city.", "The {thing} was delivered {day}.",
        "When does the {thing} start?", "We moved the {thing} to {day}.", "I am going to {place} {day}",
        "{person} and {person} talked about the {thing}.", "Room {number}, first floor",
        "This file contains {number} lines.", "The {thing} will be {plain} {day}.",
        "{number} people live in the house.",
    ],
}  # fmt: skip

HARMLESS = [
    *SENTIMENT["positive"], *SENTIMENT["negative"], *SENTIMENT["neutral"],
    "My {job} is {group}.", "She is a {group} {job} from {place}.", "{person} met a {group} {job} {day}.",
    "The {group} community in {place} opened a new school.", "He is {group} and proud of it.", "I am {group}.",
    "Many {groups} live in {place}.", "{groups} celebrated in {place} {day}.", "A film about {groups} in {place}.",
    "I have several {group} friends.", "The minister spoke about {groups} and housing.",
    "Our {group} {job} is {good}.", "The history of {groups} in {place} is long.",
    "{person} wrote a book about {group} culture.", "The {thing} killed my mood.", "How do I kill this {thing}?",
    "We shot the video in {place}.", "It is dark outside.", "I disagree with {person}.",
    "That is a weak argument about the {thing}.", "Your {thing} is {bad}.",
]  # fmt: skip

OFFENSIVE = [
    "You are an {insult}.", "you {insult}", "Shut up, {insult}!", "{person} is such a {insult}", "What an {insult}.",
    "You {bad} {insult}, nobody asked you.", "Only an {insult} would buy this {thing}.", "go to hell you {insult}",
    "You are so stupid, {insult}.", "They are all {insult}s.", "Everyone hates you, {insult}.",
    "shut the fuck up", "fuck you and your {thing}",
]  # fmt: skip

HATEFUL = [
    "I hate all {groups}.", "{groups} are vermin.",
    "All {groups} are criminals and must be thrown out of the country.", "{groups} are subhuman filth",
    "We don't want {groups} in {place}, they are animals.", "{groups} do not deserve to live.",
    "get out, {group} scum", "You dirty {group} {insult}, go back where you came from.", "{groups} are a disease.",
    "filthy {groups}, all of them",
]  # fmt: skip

_SLOTS = {
    "thing": THINGS, "thing2": THINGS, "good": GOOD, "bad": BAD, "plain": PLAIN, "place": PLACES, "person": PEOPLE,
    "day": DAYS, "group": GROUPS, "groups": GROUP_PLURALS, "job": JOBS, "insult": INSULTS,
}  # fmt: skip


def sentences(templates: list[str], count: int, seed: int) -> list[str]:
    """Return ``count`` different sentences, some in lower case or without a full stop, as people type."""
    chance = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        text = re.sub(r"\{(\w+)\}", lambda slot: _word(slot[1], chance), chance.choice(templates))
        text = re.sub(r"\b([Aa])n? (?=([a-zA-Z]))", lambda m: f"{m[1]}n " if m[2] in "aeiouAEIOU" else f"{m[1]} ", text)
        if chance.random() < 0.2:
            text = text.rstrip(".!")
        made[text[0].upper() + text[1:] if chance.random() < 0.7 else text] = None
    return list(made)


def _word(slot: str, chance: random.Random) -> str:
    word = str(chance.randint(1, 90)) if slot == "number" else chance.choice(_SLOTS[slot])
    return ("" if chance.random() < 0.8 or slot not in {"good", "bad"} else "very ") + word
