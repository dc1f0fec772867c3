"""Sentences with personal data: our own, with the values that Faker makes up for many countries.

An address is one span up to the country, because that is what has to be taken out of a text.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from faker import Faker

from training.augment import Spans, filled

LOCALES = [
    "en_US", "en_GB", "en_AU", "en_CA", "en_IN", "de_DE", "fr_FR", "es_ES", "es_MX", "it_IT", "pl_PL", "nl_NL", "sv_SE",
    "da_DK", "fi_FI", "hu_HU", "cs_CZ", "pt_BR", "tr_TR", "no_NO", "hr_HR", "ro_RO",
]  # fmt: skip
ENGLISH = ["en_US", "en_GB", "en_AU", "en_CA"]
NATIONS = [
    "American", "Belgian", "Brazilian", "British", "Cambodian", "Chinese", "Cuban", "Czech", "Danish", "Dutch",
    "Egyptian", "Filipino", "Finnish", "French", "German", "Greek", "Hungarian", "Icelandic", "Indian", "Iranian",
    "Irish", "Italian", "Jamaican", "Japanese", "Kenyan", "Kurdish", "Mexican", "Moroccan", "Nigerian", "Norwegian",
    "Pakistani", "Peruvian", "Polish", "Portuguese", "Russian", "Scottish", "Serbian", "Spanish", "Swedish", "Swiss",
    "Syrian", "Thai", "Turkish", "Ukrainian", "Vietnamese", "Welsh", "Buddhist", "Catholic", "Christian", "Hindu",
    "Jewish", "Muslim", "Protestant", "Sikh",
]  # fmt: skip
FORMS = ["Mr.", "Mrs.", "Ms.", "Miss", "Dr.", "Prof.", "Professor", "Sir", "Madam", "Captain", "Rabbi", "Sister"]
PHONES = [
    "### ### ####", "###-###-####", "(###) ###-####", "###.###.####x###", "+1-###-###-####", "001-###-###-####x####",
    "0### #######", "0## ### ## ##", "## ## ## ##", "##-##-##-##", "0#### ######", "(0##) ### ####", "#### ####",
    "+44 #### ######", "+49 ### #######", "+33 # ## ## ## ##", "+41 (0)## ### ## ##", "(##) ####-####", "##########",
    "### ####",
]  # fmt: skip
TEMPLATES = [
    # addresses
    "I live at {ADDRESS}.", "Please send it to {PERSON}, {ADDRESS}.", "{ORGANIZATION} is at {ADDRESS}.",
    "Billing address: {ADDRESS}", "Deliver to:\n{PERSON}\n{ADDRESS}", "{PERSON}\n{ORGANIZATION}\n{ADDRESS}",
    "How do I get to {ADDRESS}?", "We have moved to {ADDRESS} last week.", "Address:   {ADDRESS}\nPhone:  {PHONE}",
    "The parcel for {ADDRESS} came back, please send it to {ADDRESS} instead.", "My new address is {ADDRESS}, thanks.",
    "{ORGANIZATION}\n\n{ADDRESS}", "She was seen near {STREET}.", "Meet me in front of {STREET} at noon.",
    "The fire on {STREET} is out, the fire brigade of {PLACE} says.", "ship to {ADDRESS} asap",
    "{FORM} {PERSON}, {ADDRESS}, called about the invoice", "Can you pick me up at {STREET} in {PLACE}?",
    "The flat in {STREET} costs {PLAIN} a month.", "Our office, {ADDRESS}, is closed on Fridays.",
    # people
    "{PERSON} was born on {DATE} in {PLACE}.", "I am {AGE} years old and work for {ORGANIZATION}.",
    "{PERSON}, {AGE}, from {PLACE}, is {NRP}.", "He moved from {PLACE} to {PLACE} in {YEAR}.",
    "I am {NRP} and my husband {GIVEN} is {NRP}.", "{GIVEN} turned {AGE} on {DATE}", "our {AGE} year old son {GIVEN}",
    "the {NRP} ambassador {PERSON}", "The {NRP} film by {PERSON} came out in {YEAR}.", "my name is {GIVEN}",
    "{PERSON} and {PERSON} met {GIVEN} in {PLACE}.", "Is {PERSON} in today?", "{GIVEN}, can you call {PERSON} back?",
    "{FORM} {SURNAME} will call you on {DATE}.", "Dear {FORM} {SURNAME},\nthank you for your letter of {DATE}.",
    "{PERSON} ({AGE}) has lived in {PLACE} since {YEAR}.", "It was {GIVEN} who told {GIVEN} about it.",
    "User: {PERSON}\nBot: Thank you, {GIVEN}.", "Agent: May I have your name? Customer: {PERSON}",
    "Between {YEAR} and {YEAR} {PERSON} lived in {PLACE}.", "In {YEAR} {SURNAME} wrote a song about {PLACE}.",
    "{SURNAME}, {SURNAME} and {SURNAME} founded {ORGANIZATION} in {PLACE}.", "my grandma {PERSON} is {AGE} now",
    "the {NRP} team beat {PLACE} in {YEAR}", "In {PLACE} most people are {NRP}.", "{GIVEN} {SURNAME} sr. and jr.",
    # work
    "{PERSON} is a {JOB} at {ORGANIZATION} in {PLACE}", "{FORM} {PERSON} teaches at {ORGANIZATION}.",
    "{PERSON}\n{JOB}\n{ORGANIZATION}\n{PHONE}", "I left {ORGANIZATION} in {YEAR}.", "{ORGANIZATION} hires a {JOB}.",
    "{PERSON}, {JOB} of {ORGANIZATION}, said so on {DATE}.", "we are looking for a {JOB} in {PLACE}",
    "{ORGANIZATION} bought {ORGANIZATION} for {PLAIN}.", "They made {GIVEN} {JOB}.", "The {JOB} from {PLACE} is ill.",
    "the appointment with {FORM} {PERSON} is on {DATE} at {ORGANIZATION}", "{ORGANIZATION}, established {YEAR}",
    "I ordered from {ORGANIZATION} on {DATE}.", "He works as a {JOB}, she is with {ORGANIZATION}.",
    # numbers
    "Can you charge my card {CREDIT_CARD}? {PERSON}", "My phone is {PHONE}, ask for {GIVEN}.",
    "call {PHONE} or {PHONE}",
    "Reach me at {EMAIL_ADDRESS} or {PHONE}.", "tel: {PHONE}, fax: {PHONE}", "Is {PHONE} still your number?",
    "hi this is {PERSON} from {ORGANIZATION}, my ssn is {US_SSN}", "please transfer to {IBAN_CODE}, holder {PERSON}",
    "Logged in from {IP_ADDRESS} as {EMAIL_ADDRESS}", "see {URL} or write to {PERSON}", "my zip is {ZIP_CODE}",
    "zip code {ZIP_CODE}, phone {PHONE}", "my driver's license is {LICENSE}", "{PHONE} is {GIVEN}'s mobile",
    "Which state is {ZIP_CODE} in?", "We missed your call from {PHONE} on {DATE}.", "I blocked the card {CREDIT_CARD}",
    # nothing
    "Chapter {PLAIN} is longer than chapter {PLAIN}.", "Order {PLAIN} has not arrived.", "Room {PLAIN}, second floor",
    "The score was {PLAIN} to {PLAIN}.", "How do I reset the password?", "It costs {PLAIN} dollars.",
    "Version {PLAIN} has {PLAIN} new features.", "about {PLAIN} people came", "Take {PLAIN} tablets a day.",
    "God knows why the street is closed.", "The title of the song is unknown.", "Thanks, see you at the corner.",
    "My card was declined, what now?", "the address is wrong and the phone is dead", "Section {PLAIN} of the law",
]  # fmt: skip


def sentences(count: int, seed: int) -> list[tuple[str, Spans]]:
    """(text, spans with Presidio's labels)."""
    chance = random.Random(seed)
    world, english = Faker(LOCALES, use_weighting=False), Faker(ENGLISH)
    world.seed_instance(seed)
    english.seed_instance(seed)

    def any_of(*ways: Callable[[], str]) -> Callable[[], str]:
        def one() -> str:
            return chance.choice(ways)()

        return one

    def digits(pattern: str) -> str:
        return "".join(str(chance.randint(0, 9)) if mark == "#" else mark for mark in pattern)

    def own(make: Callable[[Faker], str]) -> Callable[[], str]:
        return lambda: make(chance.choice((world, english)))

    def address() -> str:
        text = str(chance.choice((world, world, english)).address())
        if chance.random() < 0.3:
            text = f"{text}{chance.choice((', ', chr(10), ' '))}{english.country()}"
        if chance.random() < 0.2:
            text = f"{chance.randint(1, 9999)}{chance.choice((' ', ', '))}{text}"
        return text.replace("\n", chance.choice(("\n", "\n", ", ", ", ", " ", "\n ")))

    street = own(lambda fake: str(fake.street_address()).split("\n", maxsplit=1)[0])
    ways: dict[str, tuple[str, Callable[[], str]]] = {
        "ADDRESS": ("STREET_ADDRESS", address),
        "STREET": ("STREET_ADDRESS", street),
        "PERSON": ("PERSON", own(lambda fake: f"{fake.first_name()} {fake.last_name()}")),
        "GIVEN": ("PERSON", own(lambda fake: fake.first_name())),
        "SURNAME": ("PERSON", own(lambda fake: fake.last_name())),
        "PLACE": ("LOCATION", any_of(world.city, english.city, english.country, english.country)),
        "ORGANIZATION": (
            "ORGANIZATION",
            any_of(world.company, english.company, lambda: f"{english.last_name()} {english.company_suffix()}",
                   lambda: english.catch_phrase().title().rsplit(" ", 1)[0], lambda: english.domain_word().title()),
        ),
        "JOB": ("TITLE", lambda: chance.choice((english.job(), english.job().lower()))),
        "FORM": ("TITLE", lambda: chance.choice(FORMS)),
        "AGE": ("AGE", lambda: str(chance.randint(1, 99))),
        "NRP": ("NRP", lambda: chance.choice(NATIONS)),
        "YEAR": ("DATE_TIME", lambda: str(chance.randint(1900, 2030))),
        "DATE": ("DATE_TIME", lambda: english.date(chance.choice((
            "%B %d", "%B %d, %Y", "%m/%d/%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d %B %Y", "%A", "%d.%m.%Y", "%B %Y",
        )))),
        "ZIP_CODE": ("ZIP_CODE", any_of(world.postcode, english.postcode)),
        "CREDIT_CARD": ("CREDIT_CARD", english.credit_card_number),
        "PHONE": ("PHONE_NUMBER", any_of(world.phone_number, lambda: digits(chance.choice(PHONES)))),
        "EMAIL_ADDRESS": ("EMAIL_ADDRESS", world.email),
        "URL": ("URL", english.domain_name),
        "IBAN_CODE": ("IBAN_CODE", english.iban),
        "US_SSN": ("US_SSN", lambda: digits("###-##-####")),
        "IP_ADDRESS": ("IP_ADDRESS", english.ipv4),
        "LICENSE": ("US_DRIVER_LICENSE", lambda: chance.choice("ABCDEFGHS") + digits("#######")),
        "PLAIN": ("", lambda: str(chance.randint(2, 900))),
    }  # fmt: skip
    return [filled(chance, TEMPLATES, ways, lower=0.2) for _ in range(count)]
