"""Word lists for ``training.personal_values``: what Faker lacks, or has too little of."""

from __future__ import annotations

LOCALES = [
    "en_US", "en_GB", "en_AU", "en_CA", "en_IN", "en_NZ", "en_IE", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_CH", "fr_CA",
    "es_ES", "es_MX", "es_AR", "es_CO", "it_IT", "pl_PL", "nl_NL", "nl_BE", "sv_SE", "da_DK", "fi_FI", "hu_HU", "cs_CZ",
    "sk_SK", "sl_SI", "pt_BR", "pt_PT", "tr_TR", "no_NO", "hr_HR", "ro_RO", "lt_LT", "et_EE", "el_GR", "id_ID",
    "fil_PH", "az_AZ",
]  # fmt: skip
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
    "Studios", "Airlines",
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
