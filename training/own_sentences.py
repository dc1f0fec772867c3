"""Varied sentences, written for this project and never trained on, with the answers of a careful person.

Some contain insults or mild slurs, to test whether moderation can tell their use from their mention.
"""

from __future__ import annotations

from dataclasses import dataclass

Named = tuple[tuple[str, str], ...]
POSITIVE, NEGATIVE, NEUTRAL = frozenset({"positive"}), frozenset({"negative"}), frozenset({"neutral"})
MIXED = NEGATIVE | POSITIVE | NEUTRAL
NOT_GOOD, NOT_BAD = NEGATIVE | NEUTRAL, POSITIVE | NEUTRAL
PER, LOC, ORG = "PERSON", "LOCATION", "ORGANIZATION"


@dataclass(frozen=True)
class Single:
    """A sentence with the expected answers; those that are None are not asked.

    - ``tone``: the acceptable labels of sentiment; ``flagged``: whether moderation should flag it.
    - ``names``: all people, places and organisations in it; ``personal``: findings of ``pii`` that must be there.
    """

    kind: str
    text: str
    tone: frozenset[str] | None = None
    flagged: bool | None = False
    names: Named | None = None
    personal: Named | None = None


@dataclass(frozen=True)
class Pair:
    """A text with a question about it.

    ``asked``: an aspect, a hypothesis, a question, labels, or the first place of a word whose antecedent or part of
    speech is ``expected``.
    """

    task: str
    text: str
    asked: str | tuple[str, ...]
    expected: str


SINGLES = [
    Single("sarcasm", "Oh wonderful, my train is late for the third time this week.", NEGATIVE),
    Single("sarcasm", "Five stars for making me wait on hold until my phone died.", NEGATIVE),
    Single("sarcasm", "What a genius idea to put the charger where nobody can reach it.", NEGATIVE),
    Single("sarcasm", "Truly the highlight of my holiday: a cockroach in the bath.", NEGATIVE),
    Single("negation", "I would not say the food was bad.", NOT_BAD),
    Single("negation", "There was nothing I did not like about the boat ride.", POSITIVE),
    Single("negation", "The sequel fails to be funny even once.", NEGATIVE),
    Single("negation", "It was far from perfect, and I left early.", NEGATIVE),
    Single("negation", "You could do a lot worse than this little bistro.", POSITIVE),
    Single("mixed", "Gorgeous garden, shame about the breakfast.", MIXED),
    Single("mixed", "The plot is thin, yet I could not put the thing down.", NOT_BAD),
    Single("plain news", "The factory in Wolfsburg will close two lines in March.", NOT_GOOD, False,
           (("Wolfsburg", LOC),)),
    Single("plain news", "Greenland and Canada signed an agreement on fishing quotas.", NEUTRAL, False,
           (("Greenland", LOC), ("Canada", LOC))),
    Single("plain news", "The Nobel committee will announce the laureate at eleven.", NEUTRAL),
    Single("question", "What time does the last ferry to Ystad go?", NEUTRAL, False, (("Ystad", LOC),)),
    Single("question", "can someone explain how the voucher works", NEUTRAL),
    Single("bug report", "App closes by itself whenever I open the second tab.", NEGATIVE),
    Single("bug report", "Since Friday's patch my orders no longer sync.", NEGATIVE),
    Single("names in lower case", "met up with fatou ndiaye in bamako, she sends her love", NOT_BAD, False,
           (("fatou ndiaye", PER), ("bamako", LOC))),
    Single("names in lower case", "is greta thunberg speaking in bremen tomorrow?", NEUTRAL, False,
           (("greta thunberg", PER), ("bremen", LOC))),
    Single("names in lower case", "my contract with verizon ends in june", NEUTRAL, False, (("verizon", ORG),)),
    Single("names in lower case", "unai emery leaves aston villa", NEUTRAL, False,
           (("unai emery", PER), ("aston villa", ORG))),
    Single("names", "Ngozi Okonjo-Iweala spoke at the World Trade Organization in Lausanne.", NEUTRAL, False,
           (("Ngozi Okonjo-Iweala", PER), ("World Trade Organization", ORG), ("Lausanne", LOC))),
    Single("names", "Jensen Huang told Bloomberg that Nvidia would invest in Malaysia.", NEUTRAL, False,
           (("Jensen Huang", PER), ("Bloomberg", ORG), ("Nvidia", ORG), ("Malaysia", LOC))),
    Single("names", "Jordan beat Jordan: the player's team won in Amman.", None, False, None),
    Single("names", "Thanks to Aunt Rosalind and little Bartholomew for coming.", POSITIVE, False,
           (("Rosalind", PER), ("Bartholomew", PER))),
    Single("names", "May will meet April in Paris in June.", NEUTRAL, False,
           (("May", PER), ("April", PER), ("Paris", LOC))),
    Single("code-switching", "Das Essen was honestly so good, danke nochmal!", POSITIVE),
    Single("code-switching", "Ay qué rico, this soup is to die for", POSITIVE),
    Single("code-switching", "the meeting was bakwas yaar, total waste of an afternoon", NEGATIVE),
    Single("emoji", "new puppy \N{DOG FACE}\N{SMILING FACE WITH HEART-SHAPED EYES}", POSITIVE),
    Single("emoji", "stuck in traffic again \N{FACE WITH ROLLING EYES}\N{POUTING FACE}", NEGATIVE),
    Single("emoji", "he said yes!!! \N{RING}\N{PARTY POPPER}", POSITIVE),
    Single("emoji", "rent went up \N{CRYING FACE}", NEGATIVE),
    Single("all caps", "BEST CONCERT OF MY WHOLE LIFE", POSITIVE),
    Single("all caps", "WHY IS THE WIFI DOWN AGAIN", NEGATIVE),
    Single("typos", "teh hotle was realy dissapointing tbh", NEGATIVE),
    Single("typos", "absolutly lvoed evrything abuot it", POSITIVE),
    Single("hashtags and handles", "@lufthansa lost my suitcase in Stuttgart #fail #neveragain", NEGATIVE, False,
           (("Stuttgart", LOC),)),
    Single("hashtags and handles", "So proud of our girls! #worldchampions #gold", POSITIVE),
    Single("profanity as praise", "holy crap that solo was insane, what a band", POSITIVE, False),
    Single("profanity as praise", "Best damn burger this side of the river.", POSITIVE, False),
    Single("profanity as praise", "this track goes so fucking hard", POSITIVE, None),
    Single("profanity", "my bloody laptop froze again", NEGATIVE, False),
    Single("insult", "You absolute walnut, learn how to park.", NEGATIVE, True),
    Single("insult", "she is a two-faced bitch and you know it", NEGATIVE, True),
    Single("insult", "hey @user, you have the brain of a potato", NEGATIVE, True),
    Single("polite insult", "With all due respect, sir, you are not the sharpest knife in the drawer.", NEGATIVE, True),
    Single("threat", "I know where you live and I am coming for you tonight.", NEGATIVE, True),
    Single("threat", "say that again and i will break your legs", NEGATIVE, True),
    Single("hate", "Those people are a plague, ship the whole lot of Muslims out.", NEGATIVE, True),
    Single("hate", "gays should not be allowed near children, they are all perverts", NEGATIVE, True),
    Single("polite hate", "I simply believe that women lack the intellect for science.", None, True),
    Single("quoted slur", "Yesterday a stranger called my brother a \"fag\" on the bus, and nobody stood up.", NEGATIVE,
           False),
    Single("quoted slur", "The article explains why \"retard\" is a hurtful word.", None, False),
    Single("reclaimed slur", "Proud dyke here, happy to answer your questions!", POSITIVE, False),
    Single("reclaimed slur", "my queer little family made pancakes this morning", NOT_BAD, False),
    Single("counter-speech", "Please stop calling refugees parasites. They are human beings.", None, False),
    Single("counter-speech", "Anyone who says Jews run the world is repeating an old lie.", None, False),
    Single("counter-speech", "Saying \"go back home\" to my neighbours is racist, and I told him so.", None, False),
    Single("dialect, African American English", "She been cooking all day, that gumbo finna be so good",
           POSITIVE),
    Single("dialect, African American English", "ain't nobody got time for that line at the DMV", NEGATIVE),
    Single("dialect, Scots", "Och, the weans were pure knackered but they had a braw day oot.", POSITIVE, False),
    Single("dialect, Indian English", "Kindly do the needful and revert back at the earliest.", NEUTRAL, False),
    Single("figurative", "That comedian slays me every single time.", POSITIVE, False),
    Single("figurative", "Our striker is a killer in front of the goal.", NOT_BAD, False),
    Single("phone number in prose", "Give Ludmila a ring on 020 7946 0958 before noon.", NEUTRAL, False, None,
           (("020 7946 0958", "PHONE_NUMBER"), ("Ludmila", PER))),
    Single("personal data", "I'm Oluwaseun Adebayo, born 4 May 1987, and I live at 12 Rosebery Avenue in Leith.", None,
           False, None, (("Oluwaseun Adebayo", PER), ("12 Rosebery Avenue", "STREET_ADDRESS"))),
    Single("personal data", "card number is 4111 1111 1111 1111, exp next year, name on it Henrik Solberg", None, False,
           None, (("4111 1111 1111 1111", "CREDIT_CARD"), ("Henrik Solberg", PER))),
    Single("personal data", "pls mail the invoice to h.tanaka@example.org, not to my boss", NEUTRAL, False, None,
           (("h.tanaka@example.org", "EMAIL_ADDRESS"),)),
    Single("no personal data", "Chapter 12 covers tables, chapter 13 covers chairs.", NEUTRAL, False, (), ()),
    Single("long", "We arrived late because the motorway was closed, the key box would not open, the boiler was off "
           "and the baby cried for hours, but when the sun came up over the bay and the owner brought us rolls and "
           "coffee, all of that was forgotten and we booked the same cottage for next year.", POSITIVE, False),
]  # fmt: skip

PAIRS = [
    Pair("aspect-sentiment", "The screen is stunning but the speakers are a joke.", "screen", "positive"),
    Pair("aspect-sentiment", "The screen is stunning but the speakers are a joke.", "speakers", "negative"),
    Pair("aspect-sentiment", "Lovely waitress, though the pasta was cold and salty.", "pasta", "negative"),
    Pair("aspect-sentiment", "Lovely waitress, though the pasta was cold and salty.", "waitress", "positive"),
    Pair("aspect-sentiment", "We took the table by the window and ordered wine.", "table", "neutral"),
    Pair("nli", "Two girls are building a sandcastle.", "Children are at play.", "entailment"),
    Pair("nli", "Two girls are building a sandcastle.", "The girls are asleep.", "contradiction"),
    Pair("nli", "Two girls are building a sandcastle.", "The girls are sisters.", "neutral"),
    Pair("nli", "The museum is closed on Mondays.", "One can visit the museum every day.", "contradiction"),
    Pair("nli", "Only three of the ten ships came back.", "Some ships did not come back.", "entailment"),
    Pair("zero-shot", "The striker scored twice in extra time.", ("sport", "politics", "cooking"), "sport"),
    Pair("zero-shot", "Whisk the eggs and fold in the flour.", ("sport", "politics", "cooking"), "cooking"),
    Pair("zero-shot", "My card was declined at the till.", ("billing", "delivery", "account login"), "billing"),
    Pair("zero-shot", "The parcel is stuck in customs.", ("billing", "delivery", "account login"), "delivery"),
    Pair("zero-shot", "I forgot my password again.", ("billing", "delivery", "account login"), "account login"),
    Pair("question-answering", "The bridge was opened in 1932 by the mayor of Sydney.", "When was the bridge opened?",
         "1932"),
    Pair("question-answering", "The bridge was opened in 1932 by the mayor of Sydney.", "Who opened the bridge?",
         "the mayor of Sydney"),
    Pair("question-answering", "Penicillin was discovered by Alexander Fleming in London.",
         "Who discovered penicillin?", "Alexander Fleming"),
    Pair("question-answering", "The recipe needs two eggs, sugar and a lemon.", "How many eggs does the recipe need?",
         "two"),
    Pair("coreference", "Maria told her brother that he had won the raffle.", "he", "her brother"),
    Pair("coreference", "Maria told her brother that he had won the raffle.", "her", "Maria"),
    Pair("coreference", "Kofi bought a bicycle because he wanted to save money.", "he", "Kofi"),
    Pair("coreference", "Linda phoned Carl. She sounded tired.", "She", "Linda"),
    Pair("coreference", "The captain lost his hat in the storm.", "his", "The captain"),
    Pair("pos", "Could you book us a quiet corner?", "book", "VERB"),
    Pair("pos", "This book weighs more than my cat.", "book", "NOUN"),
    Pair("pos", "Ice floats because water is an odd liquid.", "floats", "VERB"),
    Pair("pos", "He can not open the can.", "can", "AUX"),
    Pair("pos", "a fast runner overtook us", "fast", "ADJ"),
    Pair("pos", "you speak too fast for me", "fast", "ADV"),
    Pair("pos", "I know that she left.", "that", "SCONJ"),
    Pair("pos", "gonna ring siobhan later", "siobhan", "PROPN"),
]  # fmt: skip
