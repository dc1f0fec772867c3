"""Everyday sentences, written for this project and never trained on: what the cards show."""

SENTIMENT = [
    ("Angela Merkel praised the awful coffee in Paris.", "negative"),
    ("I love this phone", "positive"),
    ("The meeting is at 3 pm", "neutral"),
    ("Worst customer service I have ever dealt with.", "negative"),
    ("The train to Leeds leaves from platform four.", "neutral"),
    ("Thanks so much, you made my day!", "positive"),
    ("It broke after two days.", "negative"),
    ("Our office is on the second floor.", "neutral"),
    ("Not bad at all, I would go there again.", "positive"),
    ("I don't like the new layout.", "negative"),
    ("The invoice was sent on Monday.", "neutral"),
    ("What a beautiful morning", "positive"),
    ("My flight got cancelled again and nobody told us anything.", "negative"),
    ("She moved from Berlin to Oslo in 2019.", "neutral"),
    ("Great value for the money and it arrived early.", "positive"),
    ("The battery is terrible but the screen is nice.", "negative"),
    ("Can you send me the address?", "neutral"),
    ("Everything about this hotel was perfect.", "positive"),
    ("I am so disappointed with this update.", "negative"),
    ("Kafka stores records in partitions.", "neutral"),
]

# (sentence, whether it is offensive, whether it is hate speech)
MODERATION = [
    ("Angela Merkel praised the awful coffee in Paris.", False, False),
    ("I love this phone", False, False),
    ("The meeting is at 3 pm", False, False),
    ("My gay brother and his husband are visiting us this weekend.", False, False),
    ("She is a Muslim doctor who works in Birmingham.", False, False),
    ("Black and white photographs hang in the hallway.", False, False),
    ("The new law on immigration was debated in parliament.", False, False),
    ("This soup is terrible and the waiter was rude.", False, False),
    ("How do I kill a process on Linux?", False, False),
    ("The dog chased its tail around the garden.", False, False),
    ("I strongly disagree with your argument.", False, False),
    ("Breast cancer screening is free for women over fifty.", False, False),
    ("He shot the winning goal and the crowd went wild.", False, False),
    ("Jewish families have lived in this town for centuries.", False, False),
    ("You are a stupid idiot and nobody likes you.", True, False),
    ("shut the fuck up you dumb bitch", True, False),
    ("What a bunch of fucking morons.", True, False),
    ("All immigrants are disgusting animals and should be wiped out.", True, True),
    ("I hate those filthy faggots", True, True),
    ("go back to your country you dirty muslim scum", True, True),
]

NER = [
    "Angela Merkel praised the awful coffee in Paris.",
    "Tim Cook said Apple will open an office in Munich next year.",
    "The World Health Organization warned of flu cases in Brazil and Peru.",
    "my friend Sarah works for Siemens in Berlin",
    "Barack Obama met Shinzo Abe at the White House.",
    "Manchester United beat Real Madrid in Lisbon.",
    "I bought the tickets on Monday and paid by card.",
    "Dr. Nkechi Okafor joined the University of Lagos.",
]
