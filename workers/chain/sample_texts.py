"""Texts that precisions are compared on, and pairs of them for tasks that read pairs.

They are varied on purpose: short and long, several languages and scripts, names, numbers, insults, code, noise.
"""

from __future__ import annotations

TEXTS = (
    "Thanks!",
    "No.",
    "The train to Vienna leaves at 9:40 from platform 7.",
    "I have waited three weeks for this parcel, and nobody answers my messages.",
    "What a lovely evening, the food was great and the waiter made us laugh.",
    "It is fine, I guess.",
    "The screen is bright but the battery hardly lasts a morning.",
    "Maria Lopez moved from Lisbon to work for Siemens in Munich.",
    "You are a complete idiot and nobody wants you here.",
    "Shut up, you miserable fool.",
    "People like you should be ashamed of themselves.",
    "If I see you near my house again, you will regret it.",
    "He was attacked in the street yesterday, and the police did nothing.",
    "I feel so alone that I do not want to go on.",
    "Please send the invoice to anna.berg@example.org before Friday.",
    "Call me at +44 20 7946 0958 or write to PO Box 12, Leeds.",
    "My card number is 4111 1111 1111 1111, it expires in 09/27.",
    "On 3 March 2021 the city council of Cork voted 14 to 11 against the bridge.",
    "The company earned 4.2 million euros in 2019, twelve per cent more than the year before.",
    "Does the warranty cover water damage?",
    "How do I reset my password if I no longer have that phone?",
    "Cancel my subscription, please.",
    "We won the cup!!! Best day of my life, I love this team so much",
    "ok so the update broke everything again, great job as always",
    "lol that is the dumbest thing i have read all week",
    "omg she did NOT just say that",
    "Der Zug hatte wieder eine Stunde Verspätung, und niemand hat etwas gesagt.",
    "Ich freue mich sehr auf das Konzert in Hamburg mit Frau Petersen.",
    "Du bist so ein Dummkopf, geh endlich weg.",
    "Le repas était délicieux, mais le service beaucoup trop lent.",
    "Monsieur Dubois habite à Lyon depuis dix ans et travaille à l'hôpital.",
    "El hotel estaba limpio y la gente de la recepción fue muy amable.",
    "No vuelvas a llamarme nunca más, mentiroso.",
    "Il prezzo è alto, però la qualità si vede.",
    "A entrega atrasou e o produto veio quebrado.",
    "De kinderen spelen in het park achter het station van Utrecht.",
    "Jan Kowalski kupił dom pod Krakowem w zeszłym roku.",
    "Сегодня в Москве холодно, но солнечно.",
    "今日はとても天気がいいので、東京の公園を散歩しました。",
    "这家餐厅的菜很好吃,下次还会再来。",
    "الطقس جميل اليوم في القاهرة.",
    "मुझे यह किताब बहुत पसंद आई।",
    "Toplantı yarın saat ikide Ankara'da başlayacak.",
    "#monday #coffee 😀 who else needs a holiday already?",
    "RT @sam: new video is up, link in bio http://example.com/v?id=93",
    "def total(items): return sum(item.price for item in items)",
    "2 + 2 = 4; 17 * 23 = 391; pi is about 3.14159.",
    "Breaking: storm floods the old harbour of Genoa, two ferries are missing.",
    "Dr. Okafor told her patient that she would call the clinic in Lagos herself.",
    "When Peter met Julia, he told her that his brother had lost his keys.",
    "The committee has read the report, and its members agree that the risks were known long before the accident. "
    "They ask the ministry to publish the letters that its engineers wrote in 2016, and to pay for the repairs.",
    "I bought this jacket for a hiking trip in Norway. The zip broke on the second day, the pockets are too small for "
    "a map, and the colour is nothing like the picture. On the other hand it kept me dry for a week of rain, it weighs "
    "almost nothing, and the shop refunded half of the price when I sent them a photo. Would I buy it again? Perhaps, "
    "if they fix the zip.",
    "Last night the board of Northfield Energy met in Glasgow to discuss the offer of its rival. Chairwoman Helen "
    "Sinclair said the price was too low, and that she would not sell the wind farms off the coast of Scotland before "
    "the new rules are known. The unions fear for eight hundred jobs. Shares fell by three per cent in the morning, "
    "then recovered when a fund from Oslo bought a tenth of the company. A decision is expected on Thursday; until "
    "then, neither side wants to comment. Analysts in London call the offer generous, because the firm has debts of "
    "two billion pounds and its oldest power station must close within four years.",
    "not bad at all",
    "I would not say that it was good.",
    "He is a liar, and his friends are no better.",
    "Women are just as good at chess as men.",
    "Go back to where you came from.",
)

PAIRS = tuple(zip(TEXTS, (*TEXTS[1:], TEXTS[0]), strict=True))
