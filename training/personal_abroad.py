"""Addresses as they are written in countries whose Faker addresses are made up, rare, or in another order."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import NamedTuple


class Country(NamedTuple):
    """How addresses of a country are written.

    ``stems`` and ``roads``: each ``*`` of a road becomes a stem. ``door``: with ``{road}``, and ``{n}`` for the number;
    ``place``: with ``{code}`` and ``{town}``; ``code``: a digit for each ``#``, a capital for each ``@``. ``towns`` are
    added to those of Faker's ``locale``, if there is one. ``names``: of the country.
    """

    stems: str
    roads: str
    door: str
    code: str
    place: str
    towns: str
    names: str
    locale: str | None = None


_GERMAN = (
    "Garten, Schul, Kirch, Linden, Berg, Wald, Mühl, Rosen, Birken, Schloss, Ring, Post, Markt, Wiesen, Brunnen, "
    "Tannen, Eichen, Ulmen, Sonnen, Bach, Burg, Blumen, Fischer, Jahn, Schubert, Mozart, Beethoven, Kant, Uhland, "
    "Friedrich, Wilhelm, Luisen, Karl, Albert, Kaiser, König, Nord, Süd, Ost, West, Ufer, Turm, Heide, Damm"
)
_GERMAN_ROADS = (
    "*straße, *straße, *straße, *str., *weg, *gasse, *platz, *allee, *ring, Am *, Im *, An der *straße, Alte "
    "*straße, Obere *gasse, Auf dem *berg, Zur *quelle, *strasse, *stieg, *ufer, Kleine *straße, *markt"
)
COUNTRIES = (
    Country(
        _GERMAN, _GERMAN_ROADS, "{road} {n}", "#####", "{code} {town}", "Bad Homburg, Halle (Saale), Kempten",
        "Germany, Deutschland", "de_DE",
    ),
    Country(
        _GERMAN, _GERMAN_ROADS, "{road} {n}", "####", "{code} {town}", "Klagenfurt, Villach, Bregenz, Eisenstadt",
        "Austria, Österreich", "de_AT",
    ),
    Country(
        "Garten, Schul, Kirch, Linden, Berg, Wald, Mühle, Post, Dorf, Ring, Zürcher, Basler, Berner, Thuner, Feld",
        "*strasse, *strasse, *weg, *gasse, *matte, Obere *strasse, *rain, Im *acker", "{road} {n}", "####",
        "{code} {town}", "Winterthur, Luzern, Chur, Aarau, Solothurn, Olten, Baden, Zug, Thun, Biel/Bienne, Schwyz",
        "Switzerland, Schweiz",
    ),
    Country(
        "de la République, du Château, des Écoles, de l'Église, Victor Hugo, Jean Jaurès, Pasteur, de la Gare, "
        "du Port, des Lilas, Gambetta, de la Liberté, du Général Leclerc, des Acacias, de Verdun, du Marché, "
        "Jules Ferry, des Peupliers, du Lavoir, de la Fontaine, Émile Zola, des Tilleuls, d'Alsace, du Commerce",
        "rue *, rue *, rue *, avenue *, boulevard *, place *, allée *, quai *, cours *, Rue *, Avenue *, passage *",
        "{n} {road}", "#####", "{code} {town}",
        "Nîmes, Angers, Dijon, Toulon, Le Havre, Grenoble, Brest, Limoges, Amiens, Metz, Perpignan, Orléans, Tours, "
        "Mulhouse, Nancy, Roubaix, Avignon, Poitiers, La Rochelle, Pau, Antibes, Saint-Étienne, Aix-en-Provence, Cergy",
        "France",
    ),
    Country(
        "de la Gare, du Lac, des Alpes, du Midi, de Lausanne, des Tilleuls, du Bourg",
        "rue *, avenue *, chemin *, route *",
        "{road} {n}", "####", "{code} {town}", "Lausanne, Neuchâtel, Sion, Fribourg, Nyon, Vevey, Montreux, Morges",
        "Switzerland, Suisse",
    ),
    Country(
        "Royale, Neuve, du Moulin, de la Station, des Bouchers, Louise, du Roi, de Namur, Haute", "Rue *, Avenue *, "
        "Chaussée *, Place *", "{road} {n}", "####", "{code} {town}",
        "Liège, Namur, Charleroi, Mons, Ixelles, Tournai, "
        "Uccle", "Belgium, Belgique",
    ),
    Country(
        "de Goya, del Prado, de la Luna, San Miguel, Santa Ana, de Colón, de la Paz, Serrano, del Carmen, "
        "de los Reyes, Cervantes, de Toledo, de la Victoria, del Sol, de Atocha, Velázquez, de Aragón, de Gracia",
        "Calle *, Calle *, C/ *, Avenida *, Av. *, Plaza *, Paseo *, Camino *, Ronda *, Carrer *",
        "{road} {n}", "#####", "{code} {town}",
        "Zaragoza, Valencia, Murcia, Alicante, Córdoba, Valladolid, Vigo, Gijón, Granada, Elche, Oviedo, Cartagena, "
        "Jerez de la Frontera, Almería, San Sebastián, Burgos, Santander, Salamanca, Logroño, Badajoz, Cádiz, Lleida",
        "Spain, España",
    ),
    Country(
        "Mazzini, Cavour, Dante, Verdi, Nazionale, della Libertà, Marconi, San Giovanni, delle Rose, Matteotti, "
        "Leonardo da Vinci, dei Mille, XX Settembre, Gramsci, Manzoni, del Popolo, Trento, Piave, Aurelia, Petrarca",
        "Via *, Via *, Via *, Viale *, Piazza *, Corso *, Largo *, Vicolo *, V. *", "{road} {n}", "#####",
        "{code} {town}", "Trieste, Parma, Modena, Brescia, Livorno, Pisa, Bergamo, Lecce, Rimini, Udine, Ancona",
        "Italy, Italia", "it_IT",
    ),
    Country(
        "Kerk, Dorps, Molen, School, Julianal, Wilhelmina, Beatrix, Noorder, Zuider, Haven, Stations, Linden, "
        "Eiken, Vondel, Rembrandt, Konings, Herren, Brouwers, Spoor, Singel, Markt, Tuin, Burgemeester de ",
        "*straat, *straat, *weg, *laan, *gracht, *plein, *kade, *singel, *dijk, *pad, Lange *straat, Oude *weg",
        "{road} {n}", "#### @@", "{code} {town}", "Groningen, Eindhoven, Tilburg, Almere, Breda, Leiden, Haarlem",
        "Netherlands, The Netherlands, Nederland", "nl_NL",
    ),
    Country(
        "Mickiewicza, Słowackiego, Kościuszki, Polna, Leśna, Ogrodowa, Szkolna, Lipowa, Krótka, Kwiatowa, "
        "Sienkiewicza, Warszawska, 3 Maja, Zielona, Wolności, Rynek, Kopernika, Piłsudskiego, Słoneczna, Brzozowa",
        "ul. *, ul. *, ulica *, al. *, pl. *, os. *", "{road} {n}", "##-###", "{code} {town}",
        "Wrocław, Poznań, Szczecin, Lublin, Katowice, Białystok, Toruń, Rzeszów, Gdańsk", "Poland, Polska", "pl_PL",
    ),
    Country(
        "Kyrko, Skol, Drottning, Köpmans, Stations, Järnvägs, Björk, Tall, Ny, Norra Hamn, Väster, Öster, Skepps",
        "*gatan, *gatan, *vägen, *torget, *gränd, *allén", "{road} {n}", "### ##", "{code} {town}",
        "Linköping, Örebro, Helsingborg, Gävle, Umeå, Lund, Borås", "Sweden, Sverige", "sv_SE",
    ),
    Country(
        "Nørre, Øster, Sønder, Algade, Kirke, Skole, Strand, Møllevænget, Birke, Jernbane, Frederiks", "*gade, *vej, "
        "*gade, *allé, *stræde", "{road} {n}", "####", "{code} {town}", "Aarhus C, Odense, Aalborg, Esbjerg, Vejle, "
        "Roskilde, Frederiksberg", "Denmark, Danmark", "da_DK",
    ),
    Country(
        "Kirke, Skole, Strand, Sjø, Bjørke, Sol, Fjell, Nedre Slotts, Grense, Haakon, Industri, Dronningens",
        "*gata, *veien, *gate, *vei, *bakken, *svingen", "{road} {n}", "####", "{code} {town}",
        "Stavanger, Trondheim, Drammen, Bodø, Ålesund, Kristiansand, Haugesund, Molde, Hamar, Sandnes", "Norway, Norge",
    ),
    Country(
        "Kirkko, Koulu, Asema, Ranta, Puisto, Hämeen, Kauppa, Tehtaan, Koivu, Mäki, Keskus, Satama", "*katu, *tie, "
        "*katu, *polku, *kuja", "{road} {n}", "#####", "{code} {town}", "Turku, Oulu, Espoo, Lahti, Kuopio, Vantaa",
        "Finland, Suomi", "fi_FI",
    ),
    Country(
        "da Alegria, das Flores, do Comércio, de Santa Catarina, da Boavista, Almirante Reis, da República, do Sol",
        "Rua *, Avenida *, Travessa *, Praça *, Largo *, Av. *", "{road} {n}", "####-###", "{code} {town}",
        "Coimbra, Braga, Faro, Aveiro, Setúbal, Évora, Viseu, Leiria", "Portugal", "pt_PT",
    ),
    Country(
        "Národní, Husova, Palackého, Masarykova, Nádražní, Školní, Zahradní, Komenského, Jiráskova, Lipová, Polní, "
        "Krátká",
        "*, *, třída *", "{road} {n}", "### ##", "{code} {town}", "Brno, Ostrava, Plzeň, Olomouc, Liberec, Zlín, "
        "Praha 5, Hradec Králové", "Czech Republic, Czechia", "cs_CZ",
    ),
    Country(
        "Petőfi, Rákóczi, Széchenyi, Ady Endre, Arany János, Béke, Dózsa György, Szabadság, Fő, Deák Ferenc",
        "* utca, * út, * tér, * u., * köz", "{road} {n}", "####", "{code} {town}", "Debrecen, Miskolc, Pécs, Győr, "
        "Sopron, Eger, Budapest", "Hungary, Magyarország", "hu_HU",
    ),
    Country(
        "Main, Church, High, Castle, Bridge, Park, Patrick, Pearse, Abbey, Barrack, Chapel, Ormond",
        "* Street, * Road, "
        "Upper * Street, * Quay, * Place, * Lane", "{n} {road}", "@## @@##", "{town} {code}", "Galway, Limerick, "
        "Cork, Waterford, Dundalk, Sligo, Dublin 4, Dublin 8, Kilkenny", "Ireland",
    ),
    Country(
        "Victoria, George, Elizabeth, Queen, King, Banksia, Wattle, Pacific, Station, Beach, Railway", "* Street, "
        "* Road, * Parade, * Avenue, * Terrace, * St", "{n} {road}", "####", "{town} {code}", "Perth WA, Adelaide SA, "
        "Hobart TAS, Darwin NT, Geelong VIC, Newcastle NSW, Cairns QLD, Ballarat VIC", "Australia",
    ),
)  # fmt: skip
FLATS = ("", "", "", "", "", "", "a", "b", " a", "/3", "/12", "-14", " c", "/2/7", "A")


def maker(chance: random.Random, town_of: Callable[[str], str]) -> Callable[[], str]:
    """Return a function that makes up an address on one line. ``town_of``: locale -> a town."""
    roads = {country: _list(country.roads) for country in COUNTRIES}
    stems = {country: _list(country.stems) for country in COUNTRIES}

    def coded(pattern: str) -> str:
        return re.sub(
            "[#@]", lambda mark: chance.choice("0123456789" if mark[0] == "#" else "ABCDEFHKLNPRSTX"), pattern
        )

    def address() -> str:
        country = chance.choice(COUNTRIES)
        road = chance.choice(roads[country]).replace("*", chance.choice(stems[country]))
        number = str(chance.randint(1, 10 ** chance.randint(1, 3))) + chance.choice(FLATS)
        door = country.door.format(road=road, n=number)
        if chance.random() < 0.12:
            return door
        listed = country.locale is None or chance.random() < 0.3
        town = chance.choice(_list(country.towns)) if listed else town_of(country.locale or "")
        place = country.place.format(code=coded(country.code), town=town)
        if chance.random() < 0.06:
            return f"{door}, {town}"
        between = chance.choice((", ", ", ", ", ", ", ", " ", "\n"))
        after = between if between != " " else ", "
        return f"{door}{between}{place}" + (
            after + chance.choice(_list(country.names)) if chance.random() < 0.2 else ""
        )

    return address


def _list(words: str) -> list[str]:
    """Return the words between commas, as often as they are listed."""
    return [word.rstrip("\n") for word in re.split(r", *", words)]
