"""Our own sentences with personal data, filled with values that Faker makes up for many countries.

Addresses are labelled as in the labelled templates: one span up to the country in a sentence or under a heading, but a
span for each part on an envelope, and for house and town if there is nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

from faker import Faker

from training.augment import Spans, filled

Ways = dict[str, tuple[str, Callable[[], str]]]
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
# Faker's own dates end at the current time, so the same seed would give other sentences a second later.
LATEST = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
PARTS = {"{HOUSE}": "{DOOR}\n{UNIT}\n{CITY}\n{COUNTRY} {CODE}", "{DOOR}": "{NUMBER} {ROAD}"}
TEMPLATES = [
    # addresses
    "I live at {ADDRESS}.", "Please send it to {PERSON}, {ADDRESS}.", "{ORGANIZATION} is at {ADDRESS}.",
    "Billing address: {ADDRESS}", "{ORGANIZATION} can be found at {ADDRESS}", "Visit {ORGANIZATION} at {ADDRESS}!",
    "{JOB}\n{ORGANIZATION}\n{ADDRESS}", "Where is {ORGANIZATION}? At {ADDRESS}.",
    "the office of {ORGANIZATION}: {ADDRESS}",
    "How do I get to {ADDRESS}?", "We have moved to {ADDRESS} last week.", "Address:   {ADDRESS}\nPhone:  {PHONE}",
    "The parcel for {ADDRESS} came back, please send it to {ADDRESS} instead.", "My new address is {ADDRESS}, thanks.",
    "{ORGANIZATION}\n\n{ADDRESS}", "She was seen near {STREET}.", "Meet me in front of {STREET} at noon.",
    "The fire on {STREET} is out, the fire brigade of {PLACE} says.", "ship to {ADDRESS} asap",
    "{FORM} {PERSON}, {ADDRESS}, called about the invoice", "Can you pick me up at {STREET} in {PLACE}?",
    "The flat in {STREET} costs {PLAIN} a month.", "Our office, {ADDRESS}, is closed on Fridays.",
    # addresses in parts
    "{PERSON}\n{HOUSE}", "{PERSON}\n\n{HOUSE}", "{HOUSE}", "{HOUSE}\n{PHONE}", "Ship to {PERSON}\n{HOUSE}",
    "Deliver to:\n{PERSON}\n{HOUSE}", "{FORM} {PERSON}\n{HOUSE}", "{PERSON}\n{PERSON}\n{HOUSE}", "From:\n{HOUSE}",
    "-- \n{PERSON}\n{HOUSE}\n{PHONE}", "{PERSON}\n{HOUSE}\nTel. {PHONE}\n{EMAIL_ADDRESS}",
    "{PERSON}\n\n{CITY}\n{COUNTRY}",
    "* {PERSON}\n* {DOOR}\n* {UNIT}\n* {CITY}\n* {COUNTRY} {CODE}", "{PERSON}\n{DOOR}\n{CITY}\n{COUNTRY}",
    "| {PERSON}\n| {ORGANIZATION}\n| {DOOR}\n| {UNIT}\n| {CITY}\n| {COUNTRY} {CODE}",
    "{PERSON}\n{DOOR}\n{CITY}, {STATE} {ZIP_CODE}", "{FORM} {PERSON}\n{DOOR}\n{CITY} {STATE} {ZIP_CODE}",
    "{UNIT} {DOOR}\n{CITY} {STATE} {ZIP_CODE}", "{FORM} {PERSON} {UNIT} {DOOR} {CITY} {STATE} {ZIP_CODE}",
    "Invoice for {PERSON}\n   {DOOR} {UNIT}\n   {CITY}\n   {STATE}\n   {ZIP_CODE}",
    "Home address\n{DOOR} {UNIT}\n{CITY}\n{COUNTRY}\n{ZIP_CODE}", "{PERSON}, {DOOR}, {CITY}",
    "{PERSON} has a flat at {DOOR}, {CITY}.", "We are staying at {DOOR}, {CITY}",
    "{GIVEN} grew up at {DOOR}, {CITY}.", "Come to {DOOR}, {CITY} on {DATE}.",
    "The party is at {DOOR}, {GIVEN} says.", "{GIVEN} told {GIVEN} where: {DOOR}",
    "There was a fire at {DOOR}, {CITY}.", "They met at {ORGANIZATION}, {DOOR}, {CITY}.",
    "{ORGANIZATION} has opened a shop at {DOOR}, {CITY}.", "I get off at {DOOR}.",
    "His house, {DOOR}, was sold in {YEAR}.", "Our branch in {CITY} {ZIP_CODE} hires.",
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
    "a {YEAR} {NRP} novel by {PERSON}", "The {NRP} police have arrested {PERSON}.", "an {NRP} company from {PLACE}",
    "{NRP} cooking is popular in {PLACE}.", "{GIVEN} is very kind.", "Why is {GIVEN} late?", "the {SURNAME} case",
    "an early {SURNAME}, a late {SURNAME}", "the new album by {PERSON} was made for {ORGANIZATION}",
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
    "We want a nurse or a teacher with eight years of experience.", "The princess arrived this morning.",
    "A bakery, a design studio and a bank are in the house.", "The songwriter and the singer fell out.",
    "It was on this street that the clubs were.", "Personal details, phone, mail and website follow.",
    "Chapter {PLAIN} is longer than chapter {PLAIN}.", "Order {PLAIN} has not arrived.", "Room {PLAIN}, second floor",
    "The score was {PLAIN} to {PLAIN}.", "How do I reset the password?", "It costs {PLAIN} dollars.",
    "Version {PLAIN} has {PLAIN} new features.", "about {PLAIN} people came", "Take {PLAIN} tablets a day.",
    "God knows why the street is closed.", "The title of the song is unknown.", "Thanks, see you at the corner.",
    "My card was declined, what now?", "the address is wrong and the phone is dead", "Section {PLAIN} of the law",
]  # fmt: skip


def sentences(count: int, seed: int) -> list[tuple[str, Spans]]:
    """(text, spans with Presidio's labels)."""
    chance = random.Random(seed)
    values = ways(chance, seed)
    made = []
    for _ in range(count):
        template = chance.choice(TEMPLATES)
        for part, gaps in PARTS.items():
            template = template.replace(part, gaps)
        if chance.random() < 0.4:
            # As in letters with indented lines.
            template = template.replace("\n", "\n ")
        made.append(filled(chance, [template], values, lower=0.2))
    return made


def ways(chance: random.Random, seed: int) -> Ways:
    """Return per gap of a template its label and a function that makes up a value."""
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

    def road() -> str:
        name = str(chance.choice((world, english)).street_name())
        drawn, number = chance.random(), chance.randint(1, 300)
        return (
            name if drawn < 0.5 else f"{name} {number}" if drawn < 0.8 else f"{number} {name}" if drawn < 0.95
            else f"P.O. Box {number}"
        )  # fmt: skip

    def city() -> str:
        name = str(chance.choice((world, english)).city())
        return name.upper() if chance.random() < 0.15 else name

    def unit() -> str:
        return f"{chance.choice(('Apt.', 'Apt.', 'Suite', 'Suite', 'Flat', 'Unit'))} {chance.randint(1, 999):03d}"

    def state() -> str:
        return "".join(chance.choices("ABCDEFGHIKLMNOPRSTVWZ", k=chance.choice((2, 2, 2, 3))))

    street = own(lambda fake: str(fake.street_address()).split("\n", maxsplit=1)[0])
    return {
        "ADDRESS": ("STREET_ADDRESS", address),
        "STREET": ("STREET_ADDRESS", street),
        "NUMBER": ("STREET_ADDRESS", lambda: str(chance.randint(1, 10 ** chance.randint(2, 5)))),
        "ROAD": ("STREET_ADDRESS", road),
        "UNIT": ("STREET_ADDRESS", unit),
        "CODE": ("STREET_ADDRESS", any_of(world.postcode, english.postcode)),
        "CITY": ("LOCATION", city),
        "STATE": ("LOCATION", state),
        "COUNTRY": ("LOCATION", english.country),
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
        "DATE": ("DATE_TIME", lambda: datetime.fromtimestamp(chance.randrange(LATEST), UTC).strftime(chance.choice((
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
