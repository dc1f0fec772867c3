"""Journeys, letters, reports and minutes with names, written by hand to choose by. Training has other names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_MARKED = re.compile(r"\[([^\]]+)\]\((\w+)\)")
TEXTS = [
    "[Hammerfest](LOC) had no sun when we set off. By Thursday we were in [Kautokeino](LOC), where [Inga Somby](PER) "
    "lent us two sledges. [Inga](PER) would not hear of money. [Karasjok](LOC) came into view on Saturday, and with "
    "it the first tree. A week later we had left [Karasjok](LOC), [Inari](LOC) and [Ivalo](LOC) behind us and I had "
    "left [Bertil](PER), who snores, to a room of his own. [Ivalo](LOC) has an airport; nobody was in it.",
    "Stage one took the riders out of [Perpignan](LOC) and over the hills to [Quillan](LOC). [Marc Delpech](PER) "
    "crashed in [Axat](LOC), got up and still finished ahead of [Joao Quaresma](PER). Stage two, [Quillan](LOC) to "
    "[Foix](LOC), went to [Quaresma](PER). Team [Orvanta](ORG) lost both its leaders. The rest of the field rolled "
    "into [Foix](LOC) long after [Delpech](PER) had showered.",
    "Got your card from [Sukhumi](LOC)! Here all is as ever. [Tamar](PER) broke her wrist, [Levan](PER) is sulking "
    "because [Dinamo Gagra](ORG) lost, and [Nino](PER) wants to study in [Maastricht](LOC) of all places. "
    "[Maastricht](LOC)! She has never been further than [Poti](LOC). Do write. Kiss [Zurab](PER) for me.",
    "1. [Bremerhaven](LOC), load pumps. 2. [Felixstowe](LOC), customs, ask for [Gethin](PER). 3. [Zeebrugge](LOC), "
    "unload half. 4. [Le Havre](LOC), fuel. 5. [Vigo](LOC), crew change: [Okonkwo](PER) off, [Saarinen](PER) on. 6. "
    "[Algeciras](LOC), wait for [Maersk](ORG). 7. [Ceuta](LOC) if the wind allows, otherwise back to [Vigo](LOC).",
    "The strike at [Hallvard Shipyards](ORG) spread to [Larvik](LOC) and [Horten](LOC) on Monday. [Solveig "
    "Nygaard](PER), who speaks for the union, said that [Horten](LOC) would hold out until the firm talked. "
    "[Hallvard](ORG) did not answer calls. In [Larvik](LOC), [Tore Lunde](PER) and two hundred others slept in the "
    "canteen. [Nygaard](PER) slept in her car.",
    "Members of the [Otter Valley Bellringers](ORG) met in the vestry. [Prudence Thrale](PER) took the chair; [Giles "
    "Amory](PER) wrote. It was noted that [Amory](PER) still has the ladder. The [Honiton Savings Society](ORG) has "
    "offered forty pounds. [Prudence](PER) drew attention to the state of the ropes. A visit to the bells of "
    "[Ottery](LOC) was put off. Nobody had told [Ottery](LOC).",
    "What a muddle. I meant to reach [Piet](PER) before he flew out, but I reached [Assen](LOC) after the shops had "
    "closed, and by then [Piet](PER) was over [Smolyan](LOC) or wherever. [Annelies](PER) thinks he went to see "
    "[Dobromir](PER). [Assen](LOC) on a Sunday is grim. I left [Annelies](PER) the cake and left [Assen](LOC) the "
    "same evening.",
    "Can anyone recommend a hotel between [Gyumri](LOC) and [Vanadzor](LOC)? We stayed in [Ijevan](LOC) last year and "
    "loved it. [Dilijan](LOC) was full. My wife's cousin [Hasmik](PER) says skip [Vanadzor](LOC). She works for "
    "[Ararat Rail](ORG), so she should know.",
    "[Temuco](LOC), cold. [Osorno](LOC), colder. [Puerto Montt](LOC), where the map ends. [Graciela](PER) says that "
    "south of [Puerto Montt](LOC) everybody is a poet. South of [Chaiten](LOC) everybody is a sheep, says "
    "[Ignacio](PER).",
    "[Kadokawa](PER) beat [Lindholm](PER) in four sets, and then lost to [Escriva](PER), who had come through against "
    "[Amadi](PER) without dropping a game. [Escriva](PER) meets [Chantal Roux](PER) in the final in [Bendigo](LOC). "
    "[Roux](PER) drew on all her strength to hold off [Mirela Dragan](PER). The crowd in [Bendigo](LOC) was on its "
    "feet.",
    "Round five in [Dresden](LOC). [Hedda Quist](PER) opened with the bishop and went wrong at once; [Bogdan "
    "Ilic](PER) took the gift. [Farouk Sabry](PER) and [Min-jun Seo](PER) shook hands after eleven moves. "
    "[Quist](PER) drops to sixth. [Sabry](PER) drew again, his fifth. Only [Ilic](PER) has not yet lost a game in "
    "[Dresden](LOC).",
    "My grandfather came from [Drohobych](LOC) and never said a word about it. In 1946 he turned up in [Swindon](LOC) "
    "with a violin. [Swindon](LOC) gave him a job at [Plessey](ORG), a wife and five children, of whom [Wanda](PER), "
    "my mother, was the last. After [Plessey](ORG) closed he drove a van. [Wanda](PER) went to look for "
    "[Drohobych](LOC) when she was sixty.",
    "Dear Ms [Oyelaran](PER), your parcel left our depot in [Wakefield](LOC) on the 3rd and is now in "
    "[Nuneaton](LOC). Please ring [Kev](PER) on the number below. [Parcelhawk](ORG) regrets the delay. Yours, [Beth "
    "Sumner](PER), [Parcelhawk](ORG).",
    "Cholera has reached [Beira](LOC). Doctors who left [Nampula](LOC) on Tuesday reached [Quelimane](LOC) on "
    "Thursday, but the road on is gone. [Celeste Mabunda](PER) of [Medair](ORG) told us that [Chimoio](LOC) has tents "
    "and no water. [Mabunda](PER) has been awake for two days. [Zambia](LOC) and [Malawi](LOC) have closed their "
    "borders.",
    "We had the reunion in [Kilkenny](LOC). [Declan](PER) flew in from [Saskatoon](LOC), [Orla](PER) from "
    "[Doha](LOC), and [Fintan](PER) cycled from [Carlow](LOC) and made sure we all knew. Miss [Hennessy](PER) "
    "remembered every name. [St Brigid's](ORG) is flats now. [Orla](PER) cried, [Declan](PER) sang, [Carlow](LOC) was "
    "mentioned often.",
    "[Tui](ORG) cancelled, so we booked with [Loganair](ORG). [Stornoway](LOC) is glorious in May. From "
    "[Tarbert](LOC) we walked to the beach at [Luskentyre](LOC), with [Morag](PER) and her three dogs for company. "
    "[Morag](PER) knows each bird by name. We left [Loganair](ORG) five stars and [Stornoway](LOC) with heavy hearts.",
    "[Bitterfeld](LOC), [Wolfen](LOC) and [Dessau](LOC) shared one swimming pool, and they quarrelled over it. The "
    "mayor of [Wolfen](LOC), [Rainer Polz](PER), wanted it heated. The mayor of [Dessau](LOC) did not return his "
    "calls. In the end [Chemiewerk Bitterfeld](ORG) paid, and [Polz](PER) was the first to dive in.",
    "Up at five. [Jinja](LOC) to [Mbale](LOC) in a bus with goats. [Akello](PER), who sat next to me, works for "
    "[Stanbic](ORG) and reads [Tolstoy](PER). Lunch in [Tororo](LOC). [Mbale](LOC) by six, [Sipi](LOC) by nine. "
    "[Akello](PER) got off in [Tororo](LOC) and waved. The rest of the way I missed her and the goats.",
    "[Ulan-Ude](LOC) was frozen. [Gennady](PER) met the train with a flask. From there the line runs round [Lake "
    "Baikal](LOC) to [Irkutsk](LOC), which [Gennady](PER) calls [Paris](LOC). I asked whether he had ever seen "
    "[Paris](LOC). He had seen [Chita](LOC), he said, and that was enough.",
    "Ticket 4471: customer [Lorna Fitch](PER) from [Dunoon](LOC) reports that the boiler by [Heatwell](ORG) leaks. We "
    "reached [Fitch](PER) on Monday and left [Heatwell](ORG) a message. [Heatwell](ORG) wants photographs. "
    "[Dunoon](LOC) has no engineer before May; [Oban](LOC) might. [Sanjeev](PER) will drive over from [Oban](LOC).",
    "The [Lamplighters' Guild](ORG) thanked [Cosima Brandl](PER) for the loan of her barn. [Anton Riedl](PER), of the "
    "[Tanners' Brotherhood](ORG), begged to differ: the barn was his. [Brandl](PER) left the room. The guild voted "
    "nine to four that [Riedl](PER) should be heard. The [Tanners' Brotherhood](ORG) will write to [Passau](LOC).",
    "At [Szolnok](LOC) the river turns. Boats from [Tokaj](LOC) used to unload here, and the salt went on by cart to "
    "[Kecskemet](LOC) and [Baja](LOC). [Baja](LOC) kept the fish soup, [Szolnok](LOC) the railway. [Zsofia "
    "Benko](PER), who keeps the museum, says that [Tokaj](LOC) never paid its bills.",
    "For sale near [Tavistock](LOC): a barn, a well, and a view of [Dartmoor](LOC). Ask [Merryn](PER) at the post "
    "office in [Princetown](LOC) or ring [Bowden & Leigh](ORG). No agents. [Merryn](PER) is out on Fridays, when she "
    "goes to [Tavistock](LOC) for the market.",
    "[Ayacucho](LOC) voted no. So did [Huancayo](LOC), [Puno](LOC) and, by a hair, [Arequipa](LOC). [Nestor "
    "Quispe](PER) conceded at midnight. [Lima](LOC) has other worries: [Petroandina](ORG) has not paid the teachers, "
    "and [Quispe](PER) had promised it would. Outside [Puno](LOC) there were fires on the hills.",
]  # fmt: skip


def stories() -> Iterator[dict[str, Any]]:
    """Yield the texts with the spans of their names, as in the labelled sets."""
    for number, marked in enumerate(TEXTS):
        text, spans, at = "", [], 0
        for name in _MARKED.finditer(marked):
            text += marked[at : name.start()]
            spans.append({"start": len(text), "end": len(text) + len(name[1]), "label": name[2]})
            text, at = text + name[1], name.end()
        yield {"id": f"dev{number}-1", "text": text + marked[at:], "spans": spans}
