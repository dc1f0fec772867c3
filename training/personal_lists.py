"""Word lists for ``training.personal_values``: what Faker lacks, or has too little of."""

from __future__ import annotations

from training.word_lists import listed

LOCALES = [
    "en_US", "en_GB", "en_AU", "en_CA", "en_IN", "en_NZ", "en_IE", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_CH", "fr_CA",
    "es_ES", "es_MX", "es_AR", "es_CO", "it_IT", "pl_PL", "nl_NL", "nl_BE", "sv_SE", "da_DK", "fi_FI", "hu_HU", "cs_CZ",
    "sk_SK", "sl_SI", "pt_BR", "pt_PT", "tr_TR", "no_NO", "hr_HR", "ro_RO", "lt_LT", "et_EE", "el_GR", "id_ID",
    "fil_PH", "az_AZ",
]  # fmt: skip
FAR = [
    "is_IS", "vi_VN", "yo_NG", "ig_NG", "ha_NG", "zu_ZA", "sw", "en_KE", "en_PK", "tw_GH", "ga_IE", "lv_LV", "uz_UZ",
    "fr_BE", "en_IN", "en_TH", "hu_HU", "pl_PL", "cs_CZ", "sv_SE", "tr_TR", "de_DE",
]  # fmt: skip
"""Locales for names of people only: those that have no addresses of their own, and some with many marks on letters."""
REAL_TOWNS = [
    "de_DE", "de_AT", "nl_NL", "pl_PL", "it_IT", "cs_CZ", "sk_SK", "sl_SI", "hr_HR", "sv_SE", "fi_FI", "da_DK", "pt_PT",
    "tr_TR", "ro_RO", "lt_LT", "et_EE", "hu_HU",
]  # fmt: skip
"""Locales whose towns exist; in the others Faker puts their names together."""
ENGLISH = ["en_US", "en_GB", "en_AU", "en_CA"]
NATIONS = [
    "Afghan", "Albanian", "Algerian", "American", "Angolan", "Argentine", "Argentinian", "Armenian", "Australian",
    "Austrian", "Azerbaijani", "Bahamian", "Bangladeshi", "Basque", "Belarusian", "Belgian", "Bengali", "Berber",
    "Bolivian", "Bosnian", "Brazilian", "British", "Bulgarian", "Burmese", "Cambodian", "Cameroonian", "Canadian",
    "Catalan", "Chechen", "Chilean", "Chinese", "Colombian", "Congolese", "Corsican", "Costa Rican", "Croatian",
    "Cuban", "Cypriot", "Czech", "Danish", "Dominican", "Dutch", "Ecuadorian", "Egyptian", "English", "Eritrean",
    "Estonian", "Ethiopian", "Fijian", "Filipino", "Finnish", "Flemish", "French", "Georgian", "German", "Ghanaian",
    "Greek", "Greenlandic", "Guatemalan", "Haitian", "Hawaiian", "Honduran", "Hungarian", "Icelandic", "Indian",
    "Indonesian", "Iranian", "Iraqi", "Irish", "Israeli", "Italian", "Ivorian", "Jamaican", "Japanese", "Jordanian",
    "Kazakh", "Kenyan", "Korean", "Kurdish", "Kuwaiti", "Laotian", "Latvian", "Lebanese", "Liberian", "Libyan",
    "Lithuanian", "Macedonian", "Malaysian", "Maltese", "Maori", "Mexican", "Moldovan", "Mongolian", "Moroccan",
    "Namibian", "Nepalese", "New Zealand", "Nicaraguan", "Nigerian", "North Korean", "Norwegian", "Pakistani",
    "Palestinian", "Panamanian", "Persian", "Peruvian", "Polish", "Portuguese", "Puerto Rican", "Romanian", "Russian",
    "Rwandan", "Samoan", "Saudi", "Scottish", "Senegalese", "Serbian", "Sicilian", "Slovak", "Slovenian", "Somali",
    "South African", "South Korean", "Spanish", "Sri Lankan", "Sudanese", "Swedish", "Swiss", "Syrian", "Taiwanese",
    "Tamil", "Tanzanian", "Thai", "Tibetan", "Tunisian", "Turkish", "Ugandan", "Ukrainian", "Uruguayan", "Uzbek",
    "Venezuelan", "Vietnamese", "Welsh", "Yemeni", "Zambian", "Zimbabwean", "African", "Asian", "Caribbean", "European",
    "Latino", "Hispanic", "Arab", "Atheist", "Baptist", "Buddhist", "Catholic", "Christian", "Hindu", "Jewish",
    "Lutheran", "Methodist", "Mormon", "Muslim", "Orthodox", "Protestant", "Quaker", "Shia", "Sikh", "Sunni",
    "Conservative", "Democrat", "Republican",
]  # fmt: skip
FORMS = [
    "Mr.", "Mr.", "Mr.", "Mrs.", "Mrs.", "Mrs.", "Ms.", "Ms.", "Miss", "Mr", "Mrs", "Ms", "Mx.", "Dr.", "Dr.", "Dr.",
    "Dr", "Prof.", "Professor", "Prof. Dr.", "Sir", "Madam", "Lady", "Lord", "Dame", "Captain", "Capt.", "Sgt.", "Lt.",
    "Colonel", "Rabbi", "Rev.", "Reverend", "Father", "Sister", "Imam", "Judge", "Senator", "Officer", "Herr", "Frau",
    "Madame", "Monsieur",
]  # fmt: skip
PHONES = [
    "### ### ####", "###-###-####", "(###) ###-####", "###.###.####x###", "+1-###-###-####", "001-###-###-####x####",
    "0### #######", "0## ### ## ##", "## ## ## ##", "##-##-##-##", "0#### ######", "(0##) ### ####", "#### ####",
    "+44 #### ######", "+49 ### #######", "+33 # ## ## ## ##", "+41 (0)## ### ## ##", "(##) ####-####", "##########",
    "### ####", "## ######", "0## ## ## ##", "### ## ###", "(###)###-####", "##.##.##.##.##", "(##) ### ###",
]  # fmt: skip
FIELDS = [
    "Social", "Solar", "Open", "Legal", "Civic", "Urban", "Global", "United", "National", "Northern", "Pacific",
    "Atlantic", "First", "Blue", "Green", "Silver", "Rapid", "Smart", "Digital", "Mobile", "Data", "Network", "Health",
    "Energy", "Water", "Climate", "Market", "Estate", "Farm", "Food", "Sport", "Travel", "Music", "Film", "Media",
    "Design", "Insurance", "Credit", "Capital", "Trade", "Freight", "Steel", "Paper", "Textile", "Garden", "Kitchen",
    "Security", "Quality", "Research", "Education", "Science", "Weather", "Traffic", "Safety", "Housing", "Community",
]  # fmt: skip
KINDS = [
    "Inc", "Inc.", "LLC", "Ltd", "Ltd.", "Ltd.", "GmbH", "AG", "PLC", "Group", "Group", "Corporation", "Corp.", "& Co.",
    "& Sons", "Brothers", "Partners", "Associates", "Holdings", "Company", "Labs", "Systems", "Solutions",
    "Technologies", "Analytics", "Software", "Media", "Network", "Networks", "International", "Bank", "Insurance",
    "Foundation", "Institute", "Services", "Markets", "Ventures", "Consulting", "Logistics", "Energy", "Pharma",
    "Studios", "Airlines", "SARL", "S.A.", "Sp. z o.o.", "s.r.o.", "AB", "AS", "Oy", "B.V.", "BV", "S.L.", "S.p.A.",
    "Kft.", "A/S", "KG", "e.K.", "Lda", "SE", "GmbH & Co. KG", "d.o.o.", "Srl",
]  # fmt: skip
SYLLABLES = [
    "ac", "al", "ar", "ax", "bel", "bit", "bo", "cal", "cen", "cor", "da", "del", "dex", "do", "el", "en", "ex", "fi",
    "flo", "gen", "go", "hub", "in", "ix", "jo", "ka", "ki", "la", "li", "lo", "ly", "mar", "med", "mi", "mo", "na",
    "net", "ni", "no", "o", "om", "on", "or", "pa", "pay", "pe", "pro", "qui", "ra", "re", "ro", "sa", "se", "sha",
    "si", "so", "ta", "tel", "ti", "to", "tri", "u", "va", "ve", "vi", "vo", "wa", "xi", "y", "za", "zen", "zo",
]  # fmt: skip
ROLES = [
    "manager", "officer", "engineer", "analyst", "technician", "assistant", "director", "inspector", "consultant",
    "operator", "supervisor", "clerk", "adviser", "coordinator", "specialist", "worker", "planner", "editor", "buyer",
]  # fmt: skip
JOBS = [
    "accountant", "actor", "air traffic controller", "architect", "au pair", "baker", "barber", "bartender",
    "bookkeeper", "bricklayer", "bus driver", "butcher", "carpenter", "cashier", "CEO", "CFO", "chef", "chemist",
    "chief executive", "cleaner", "coach", "computer programmer", "crane operator", "customer service representative",
    "dental hygienist", "dentist", "drill press operator", "economist", "electrician", "elevator installer",
    "fire inspector", "firefighter", "fisherman", "flight attendant", "florist", "forklift driver",
    "foreign correspondent", "freelance writer", "gardener", "general manager", "glazier", "goldsmith", "guard",
    "hairdresser", "head of sales", "hotel receptionist", "housekeeper", "intern", "interpreter", "janitor", "judge",
    "junior developer", "lab technician", "landlord", "lawyer", "librarian", "lifeguard", "locksmith", "machinist",
    "mail carrier", "mechanic", "midwife", "miner", "model", "night porter", "nurse", "optician", "packer", "painter",
    "paralegal", "pharmacist", "photographer", "physiotherapist", "pilot", "plumber", "police officer", "postman",
    "power plant operator", "president", "product manager", "psychologist", "radiographer", "real estate agent",
    "receptionist", "roofer", "sales representative", "school principal", "secretary", "senior engineer",
    "sheet metal worker", "shop assistant", "social worker", "software engineer", "solicitor", "surgeon", "tailor",
    "tax adviser", "taxi driver", "teacher", "team leader", "tool grinder", "translator", "truck driver", "tutor",
    "undertaker", "vet", "vice president", "waiter", "warehouse worker", "watchmaker", "web designer", "welder",
    "window cleaner", "wood carver", "zoologist",
]  # fmt: skip
TOWN_NOUNS = [
    "town", "city", "village", "port", "capital", "hometown", "home town", "birthplace", "market town", "coastal town",
    "ski resort", "county town", "suburb", "old town", "mining town", "twin town",
]  # fmt: skip
WORKS = [
    "film", "book", "novel", "song", "gig", "exhibition", "tour", "poster", "album", "biography", "fan", "impression",
    "play", "lecture", "recording", "painting", "poem", "musical", "video", "show", "recital", "fan club",
]  # fmt: skip
SITES = [
    "website", "app", "hotline", "shop", "office", "store", "newsletter", "building", "branch", "site", "factory",
    "canteen", "web page", "headquarters", "warehouse", "team", "blog", "annual report",
]  # fmt: skip
CODES = [
    "###", "####", "#####", "######", "#######", "########", "#########", "##########", "#####", "######", "####-##",
    "##-####", "###-####", "##-#####", "#####-@", "####-@", "@@-####-####", "@@@-#####", "@@@-####-##", "@#######",
    "@########", "@@#######", "@##@#####", "@@######", "####/###", "##/####", "@@ ####", "@@@####", "@@-###-@",
    "@@-####-@@", "#@@##@@##########", "@@#########@@", "@#@-###-###", "##@", "@##", "#@", "@@##-@@", "####.####",
    "####-###", "@@@@##", "@@@@-##", "@@####/####", "#-###-#####", "@-##", "@@@ ######", "##.###.###", "@.####.##",
]  # fmt: skip
"""Numbers of orders, articles, passports and so on: a digit for each #, a letter for each @."""
MEASURES = [
    "# MB", "## GB", "### MB", "#.# kg", "## kg", "### g", "##x##x## cm", "### cm", "##.#", "#.##", "## mm", "### ms",
    "#.# s", "## %", "##.# %", "##.# inch", "#### x ####", "####x###", "#.# l", "### pcs", "###/##", "# x ##", "##",
    "#", "### km", "#### m", "## mg", "-## dBm", "#.## V", "##°", "# of ##", "####", "##,###", "### W", "## items",
]  # fmt: skip
AMOUNTS = [
    "##.##", "###.##", "#,###.##", "##,###", "$##", "$#.##", "$#,###", "€##.##", "£#.##", "EUR ##.##", "##.## EUR",
    "# ###,##", "##,## EUR", "USD ###", "### USD", "#.###,## €", "##.- CHF", "### kr", "##", "#,###", "-##.##", "##/##",
]  # fmt: skip
VERSIONS = ["#.#", "#.#.#", "##.#.#", "#.##.#", "v#.#", "v#.#.#", "##.#", "#.#.#.#", "#.#.#-rc#", "##.##.##", "#.#b#"]
STATES = listed("""
    open, pending, HIGH, low, male, F, female, m, single, married, billing, returns, gold, family, e-mail, chat, blue,
    navy, black, none, yes, no, unknown, late delivery, water damage, broken router, double charge, damaged, lost,
    refused, VERIFIED, active, inactive, express, standard, O positive, peanuts, brother, hip fracture, asthma, L2, P1,
    wrong size, cancelled, refunded, in transit, on hold, approved, rejected, paid, unpaid, overdue, OPEN, CLOSED, N/A,
    checkout, payroll, sales, warehouse, true, false, null, basic, premium, cough and fever, no heating, noise, router,
    lamp, winter boots, two filters, desk lamp, phone case, invoice, complaint, password reset, login, shipping, tbd
""")
WORDS = listed("""
    order-service, payment, web1, nginx, sshd, cron, checkout, orders, users, customers, invoices, login, timeout,
    NullPointerException, queue, cache, total, rows, count, prices, worker-3, db, api, kernel, pool, session, temp,
    consumer, retries, connection reset, disk full, ValueError, index, size, items, status, batch, scheduler, webhook,
    ingest, mailer, refunds, search, upload, OrderService, token, key, cpu, mem, rssi, level, code, result, user_id
""")
STAMPS = [
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d/%b/%Y:%H:%M:%S +0000", "%b %d %H:%M:%S", "%Y-%m-%d %H:%M",
    "%H:%M:%S",
]  # fmt: skip
CLOSINGS = [
    "Best regards", "Kind regards,", "Regards,", "Thanks,", "Thank you", "Cheers,", "Yours sincerely,", "Best,",
    "Mit freundlichen Grüßen", "Viele Grüße,", "Liebe Grüße", "Beste Grüße", "MfG", "Freundliche Grüsse",
    "Cordialement,", "Bien à vous,", "Bien cordialement", "Saludos,", "Un saludo,", "Atentamente,",
    "Cordiali saluti,", "Distinti saluti", "Met vriendelijke groet,", "Groeten,", "Pozdrawiam", "Z poważaniem,",
    "Med vänliga hälsningar", "Hälsningar,", "Med venlig hilsen", "Vennlig hilsen", "Mvh", "Terveisin,", "--", "--",
    "Atenciosamente,", "Cumprimentos,", "S pozdravem", "Üdvözlettel", "Sent by", "See you", "Respectfully yours,",
    "Warm wishes,",
]  # fmt: skip
"""How letters end, in several languages."""
FOREIGN = [
    "Adresse:", "Adres:", "Anschrift:", "Nom:", "Nome:", "Nombre:", "Kunde", "Kundin", "Client", "Cliente", "Klant:",
    "Klient:", "Asiakas", "Kund:", "Straße:", "Telefon:", "Tél.", "Teléfono:", "Telefono:", "Bestellung", "Commande",
    "Pedido", "Ordine", "Zamówienie", "Bestelling", "Rechnung", "Facture", "Factura", "Hallo,", "Bonjour,", "Hola,",
    "Ciao", "Dzień dobry,", "Hej", "Hei", "Empfänger:", "Destinataire :", "Paciente", "Mein Name ist", "Me llamo",
    "Mi chiamo", "Nazywam się", "Ik ben", "Jag heter", "Mijn naam is", "Naam:", "Navn:", "Nimi:", "Indirizzo:",
    "Dirección:", "Address:", "Lieferadresse:", "Steuernummer", "Ausweis", "Reisepass", "Pasaporte", "Passaporto",
    "Paszport",
]  # fmt: skip
"""What is before a name, an address or a number in texts of other languages."""
PARTICLES = [
    "van",
    "van der",
    "von",
    "von der",
    "de",
    "de la",
    "del",
    "di",
    "da",
    "Mac",
    "Ó",
    "Ní",
    "al-",
    "El",
    "Ben",
    "ter",
]
