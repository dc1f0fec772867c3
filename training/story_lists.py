"""Word lists for ``training.stories``: parts of names of organisations, regions, and what is no name."""

from __future__ import annotations

from training.word_lists import listed

AREAS = listed("""
    Anatolia, Andalusia, Attica, Bavaria, Bohemia, Brittany, Burgundy, Calabria, Carinthia, Catalonia, Crete,
    Galicia, Gotland, Jutland, Karelia, Kashmir, Lapland, Liguria, Lombardy, Mesopotamia, Moravia, Normandy,
    Patagonia, Punjab, Sardinia, Scania, Sicily, Silesia, Siberia, Transylvania, Tuscany, Tyrol, Umbria, Wallonia,
    Zanzibar, the Aegean, the Amazon, the Andes, the Apennines, the Arctic, the Atlas, the Balkans, the Bosphorus,
    the Carpathians, the Caucasus, the Danube, the Dnieper, the Dolomites, the Ebro, the Elbe, the Euphrates, the
    Ganges, the Gobi, the Himalayas, the Indus, the Jordan, the Loire, the Mekong, the Meuse, the Negev, the North
    Sea, the Oder, the Po, the Pyrenees, the Rhine, the Rhone, the Sava, the Sinai, the Strait of Gibraltar, the
    Tagus, the Tatra, the Thames, the Tigris, the Urals, the Vistula, the Volga, the Vosges, Lake Balaton, Lake
    Como, Lake Garda, Lake Ladoga, Lake Van, Lake Victoria, Mount Etna, Mount Kenya, Mount Olympus
""")
BEGINNINGS = listed("""
    Alt, Ar, Bel, Bran, Cal, Cor, Dor, El, Fen, Gal, Hal, Is, Jun, Kel, Lor, Mar, Nor, Or, Pal, Quin, Ral, Sel, Tal,
    Ul, Val, Wes, Xen, Yor, Zan, North, South, East, West, Blue, Silver, Stone, Bright, Sun, Star, Red, Iron, High
""")
MIDDLES = listed("da, ba, ca, do, fi, ga, lo, ma, mi, na, no, ra, ri, ta, te, va, ve, xa, za, ")
ENDINGS = listed("""
    bix, cast, core, don, field, ford, gate, ion, lane, line, lux, mere, mont, nex, nova, ra, rax, ria, rix, ron,
    soft, stead, ton, tra, tron, way, well, zon
""")
SECTORS = listed("""
    Energy, Motors, Traders, Logistics, Foods, Pharma, Systems, Airlines, Bank, Capital, Cement, Chemicals, Coffee,
    Electric, Farms, Games, Gas, Group, Holdings, Insurance, Labs, Media, Mining, Networks, Oil, Paper, Power, Rail,
    Records, Robotics, Shipping, Software, Steel, Studios, Telecom, Textiles, Toys, Trading, Transport, Travel,
    Water, Works
""")
FORMS = listed("Ltd, Inc, GmbH, Co, PLC, AG, SA, LLC, & Sons, Brothers")
THINGS = listed("""
    Allotment, Apple, Band, Bakers', Beach, Bee, Bell, Book, Boat, Bridge, Canal, Carnival, Castle, Chess, Choir,
    Cinema, Coal, Cricket, Cycling, Dairy, Drama, Film, Flower, Football, Forest, Garden, Goat, Heritage, Hill,
    History, Island, Jazz, Lake, Library, Market, Mill, Mountain, Museum, Music, Orchard, Parents', Park, Photo,
    Poetry, Potters', Railway, River, Sailing, Salt, School, Seed, Sewing, Ski, Swimming, Taxi, Tea, Tennis,
    Theatre, Tourist, Tower, Traders', Village, Walking, Water, Weavers', Windmill, Wine, Women's, Youth
""")
KINDS = listed("""
    Association, Authority, Board, Circle, Club, Commission, Committee, Company, Cooperative, Council, Federation,
    Foundation, Group, Guild, Institute, League, Office, Orchestra, Party, Project, Society, Team, Trust, Union
""")
CIVIC = listed("""
    Town Council, City Council, University, Rovers, United, City FC, Hospital, Courier, Chronicle, Chamber of
    Commerce, Fire Brigade, Police, Opera, Philharmonic, Tigers, Bears, Rangers, Grammar School, Technical College,
    Savings Bank
""")
HOUSES = listed("School, Hospital, College, Church Council, Hospice, Academy, Society, Choir")
DAYS = listed(
    "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, 2 April, 11 June, 30 August, Christmas Eve"
)
COUNTRIES = listed("""
    Albania, Algeria, Angola, Argentina, Armenia, Australia, Austria, Azerbaijan, Bangladesh, Belarus, Belgium,
    Benin, Bolivia, Bosnia, Botswana, Brazil, Bulgaria, Cambodia, Cameroon, Canada, Chad, Chile, China, Colombia,
    Congo, Costa Rica, Croatia, Cuba, Cyprus, Denmark, Ecuador, Egypt, Eritrea, Estonia, Ethiopia, Fiji, Finland,
    France, Gabon, Georgia, Germany, Ghana, Greece, Guatemala, Guinea, Haiti, Honduras, Hungary, Iceland, India,
    Indonesia, Iran, Iraq, Ireland, Israel, Italy, Ivory Coast, Jamaica, Japan, Jordan, Kazakhstan, Kenya, Kosovo,
    Kuwait, Laos, Latvia, Lebanon, Liberia, Libya, Lithuania, Luxembourg, Madagascar, Malawi, Mali, Malta, Mexico,
    Moldova, Mongolia, Montenegro, Morocco, Mozambique, Myanmar, Namibia, Nepal, New Zealand, Nicaragua, Niger,
    Nigeria, North Macedonia, Norway, Oman, Pakistan, Panama, Paraguay, Peru, Poland, Portugal, Qatar, Romania,
    Russia, Rwanda, Samoa, Senegal, Serbia, Sierra Leone, Slovakia, Slovenia, Somalia, South Africa, Spain, Sri
    Lanka, Sudan, Sweden, Switzerland, Syria, Taiwan, Tanzania, Thailand, the Netherlands, the Philippines, Togo,
    Tunisia, Turkey, Uganda, Ukraine, Uruguay, Uzbekistan, Venezuela, Vietnam, Wales, Yemen, Zambia, Zimbabwe
""")
TOWNS = listed("""
    Aberdeen, Abuja, Adana, Agadir, Aleppo, Alesund, Alexandria, Alexandroupoli, Almaty, Amasya, Ankara, Antalya,
    Antwerp, Arbroath, Arkhangelsk, Arusha, Asmara, Astrakhan, Aswan, Austin, Ayr, Baku, Bamberg, Banja Luka, Barry,
    Basra, Bath, Batumi, Beirut, Belgrade, Berat, Bergen, Bitola, Blagoevgrad, Boise, Bournemouth, Bozeman,
    Bratislava, Brest, Bruges, Bucharest, Buffalo, Bukhara, Bursa, Busan, Cardiff, Casablanca, Cetinje, Chania,
    Charleston, Cherkasy, Chernihiv, Chernivtsi, Chester, Cleveland, Coimbra, Cork, Corinth, Da Nang, Damascus,
    Darwin, Daugavpils, Delphi, Derry, Dingle, Dnipro, Dobrich, Donegal, Dublin, Dundee, Durres, Elbasan, Epidaurus,
    Erzurum, Eskisehir, Exeter, Fes, Fort William, Fresno, Fukuoka, Gabrovo, Galway, Gaziantep, Gdansk, Ghent,
    Gjirokaster, Gori, Goris, Gyor, Hakodate, Halifax, Hanover, Haifa, Herat, Hiroshima, Hobart, Hue, Inverness,
    Ioannina, Isfahan, Ivano-Frankivsk, Izmir, Jaffa, Jaipur, Jelgava, Jena, Kaifeng, Kalamata, Kandy, Kars,
    Kastoria, Kaunas, Kazan, Kherson, Kharkiv, Khartoum, Kigali, Kirkenes, Klaipeda, Kobe, Komotini, Konya, Korca,
    Kosice, Krusevac, Kumanovo, Kunming, Kutaisi, Kyoto, La Paz, Lahore, Lamia, Larissa, Leeuwarden, Lerwick,
    Limerick, Lincoln, Linz, Liepaja, Lome, Lublin, Luxor, Lutsk, Mandalay, Maputo, Maribor, Mardin, Medellin,
    Memphis, Metsovo, Minsk, Mogadishu, Mombasa, Montana, Mostar, Mosul, Mykolaiv, Nagasaki, Nairobi, Nafplio,
    Nantes, Narva, Nis, Niksic, Nottingham, Novi Sad, Odesa, Ohio, Olbia, Oldenburg, Omsk, Oran, Ouagadougou,
    Paisley, Parnu, Patras, Pecs, Penzance, Perth, Peshawar, Phoenix, Pirot, Pittsburgh, Piran, Pleven, Pogradec,
    Poltava, Portland, Preveza, Prilep, Pristina, Prizren, Pskov, Pula, Quetta, Rabat, Razgrad, Reading, Reno,
    Reykjavik, Rivne, Roskilde, Ruse, Salonica, Samara, Samarkand, Samsun, Sarajevo, Sarande, Sapporo, Savannah,
    Serres, Shiraz, Shumen, Siauliai, Sibiu, Sidon, Siena, Sinop, Skopje, Sliven, Sligo, Smolensk, Sozopol, Stara
    Zagora, Stirling, Stoke, Struga, Suez, Sumy, Szeged, Tabriz, Tallinn, Tampa, Tangier, Tartu, Tashkent, Tbilisi,
    Ternopil, Tetovo, Timbuktu, Tirana, Tralee, Trabzon, Tripoli, Tucson, Tver, Ulm, Uzhhorod, Valjevo, Van, Vaduz,
    Vidin, Vilnius, Vinnytsia, Vlore, Volos, Waterford, Wells, Wells-next-the-Sea, Wick, Windhoek, Worcester,
    Xanthi, Yerevan, Ypres, Zadar, Zenica, Zhytomyr, Zrenjanin
""")
REAL = [
    "de_DE", "de_AT", "de_CH", "nl_NL", "nl_BE", "pl_PL", "it_IT", "cs_CZ", "sk_SK", "sl_SI", "hr_HR", "sv_SE", "fi_FI",
    "da_DK", "pt_PT", "ro_RO", "es_ES", "es_AR", "es_CO", "es_CL", "en_IN", "en_BD", "id_ID", "fr_DZ", "zu_ZA", "az_AZ",
    "hu_HU", "en_NZ",
]  # fmt: skip
"""Locales of Faker whose towns exist, or could."""
PEOPLE = [
    "en_US", "en_GB", "en_AU", "en_IN", "en_IE", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_CA", "es_ES", "es_MX", "es_CO",
    "it_IT", "pl_PL", "nl_NL", "nl_BE", "sv_SE", "da_DK", "fi_FI", "hu_HU", "cs_CZ", "sk_SK", "sl_SI", "pt_BR", "pt_PT",
    "tr_TR", "no_NO", "hr_HR", "ro_RO", "lt_LT", "et_EE", "lv_LV", "id_ID", "az_AZ", "is_IS", "en_KE", "en_NG", "yo_NG",
    "zu_ZA", "en_PK", "fr_DZ", "es_CL", "uz_UZ", "tw_GH", "ga_IE", "sw",
]  # fmt: skip
"""Locales of Faker whose people have names in Latin letters."""
