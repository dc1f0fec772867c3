"""Tables of labels: common names for the labels of published checkpoints, and the codes that tasks know."""

from __future__ import annotations

# Common labels of entity recognisers; every other label (GPE, MISC, ...) keeps the model's name.
ENTITIES: dict[str, str] = {
    "PER": "PERSON",
    "PERSON": "PERSON",
    "LOC": "LOCATION",
    "LOCATION": "LOCATION",
    "ORG": "ORGANIZATION",
    "ORGANIZATION": "ORGANIZATION",
    "ORGANISATION": "ORGANIZATION",
}

# Labels of models for personal data, in capitals: openai/privacy-filter (PRIVATE_PERSON) and Piiranha (GIVENNAME). What
# has no counterpart among Presidio's entities that is certain to mean the same (SECRET, TAXNUM) keeps the model's name.
PERSONAL: dict[str, str] = {
    "PRIVATE_PERSON": "PERSON",
    "PRIVATE_ADDRESS": "LOCATION",
    "PRIVATE_DATE": "DATE_TIME",
    "PRIVATE_EMAIL": "EMAIL_ADDRESS",
    "PRIVATE_PHONE": "PHONE_NUMBER",
    "PRIVATE_URL": "URL",
    "GIVENNAME": "PERSON",
    "SURNAME": "PERSON",
    "BUILDINGNUM": "LOCATION",
    "STREET": "LOCATION",
    "CITY": "LOCATION",
    "ZIPCODE": "LOCATION",
    "DATEOFBIRTH": "DATE_TIME",
    "TELEPHONENUM": "PHONE_NUMBER",
    "CREDITCARDNUMBER": "CREDIT_CARD",
    "ACCOUNTNUM": "ACCOUNT_NUMBER",
}

# Lower-case labels -> polarities. Stars and LABEL_0 are ambiguous and therefore missing.
POLARITIES: dict[str, str] = {
    "neg": "negative",
    "negative": "negative",
    "very negative": "very negative",
    "neu": "neutral",
    "neutral": "neutral",
    "mixed": "mixed",
    "pos": "positive",
    "positive": "positive",
    "very positive": "very positive",
}

# These lists are copied from the libraries, so that a file can be checked where they are not installed.
LANGUAGES: tuple[str, ...] = (
    "ace", "af", "am", "an", "ar", "ary", "arz", "as", "az", "ba", "bcl", "be", "bg", "bn", "br", "bs", "ca", "crh",
    "cs", "cy", "da", "de", "dz", "el", "en", "eo", "es", "et", "eu", "ext", "fa", "fi", "fo", "fr", "fuv", "fy",
    "ga", "gcf", "gcr", "gd", "gl", "gom", "grc", "gu", "gug", "guw", "ha", "hbo", "he", "hi", "hr", "ht", "hu",
    "hy", "id", "ig", "is", "it", "ja", "jv", "ka", "kab", "kik", "kk", "km", "kn", "ko", "ku", "ky", "la", "lb",
    "lg", "lij", "ln", "lo", "lt", "ltg", "lv", "mg", "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn",
    "no", "nso", "oc", "om", "or", "pa", "pcm", "pl", "ps", "pt", "qu", "ro", "ru", "rw", "sa", "sdh", "se", "si",
    "sk", "sl", "sn", "so", "sq", "sr", "st", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "ug",
    "uk", "ur", "uz", "uzs", "vec", "vi", "vo", "wa", "wuu", "xh", "yo", "yue", "zh", "zu", "zxx",
)  # fmt: skip
"""The language codes that py3langid knows."""

REGIONS: tuple[str, ...] = (
    "AC", "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB",
    "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BW", "BY", "BZ",
    "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY",
    "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM",
    "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GT", "GU",
    "GW", "GY", "HK", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE",
    "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI",
    "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN",
    "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI",
    "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PR", "PS", "PT",
    "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK",
    "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TA", "TC", "TD", "TG", "TH", "TJ", "TK",
    "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "US", "UY", "UZ", "VA", "VC", "VE", "VG",
    "VI", "VN", "VU", "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW",
)  # fmt: skip
"""The countries whose phone numbers can be recognised (ISO 3166, and XK for Kosovo)."""

PATTERNED: tuple[str, ...] = (
    "ABA_ROUTING_NUMBER", "AR_CUIT", "AT_SVNR", "AU_ABN", "AU_ACN", "AU_MEDICARE", "AU_TFN", "BE_NATIONAL_NUMBER",
    "BG_EGN", "BR_CPF", "CA_SIN", "CH_AHV", "CL_RUT", "CN_RESIDENT_ID", "CREDIT_CARD", "CRYPTO", "CZ_SK_BIRTH_NUMBER",
    "DATE_TIME", "DE_BSNR", "DE_FUEHRERSCHEIN", "DE_HANDELSREGISTER", "DE_HEALTH_INSURANCE", "DE_ID_CARD", "DE_KFZ",
    "DE_LANR", "DE_PASSPORT", "DE_PLZ", "DE_SOCIAL_SECURITY", "DE_TAX_ID", "DE_TAX_NUMBER", "DE_VAT_ID", "DK_CPR",
    "EE_ISIKUKOOD", "EMAIL_ADDRESS", "ES_NIE", "ES_NIF", "ES_PASSPORT", "FI_PERSONAL_IDENTITY_CODE", "FR_NIR",
    "GR_AMKA", "HR_OIB", "IBAN_CODE", "IE_PPS", "IL_ID_NUMBER", "IN_AADHAAR", "IN_GSTIN", "IN_PAN", "IN_PASSPORT",
    "IN_VEHICLE_REGISTRATION", "IN_VOTER", "IP_ADDRESS", "IS_KENNITALA", "IT_DRIVER_LICENSE", "IT_FISCAL_CODE",
    "IT_IDENTITY_CARD", "IT_PASSPORT", "IT_VAT_CODE", "JP_MY_NUMBER", "KR_BRN", "KR_DRIVER_LICENSE", "KR_FRN",
    "KR_PASSPORT", "KR_RRN", "LT_ASMENS_KODAS", "MAC_ADDRESS", "MEDICAL_LICENSE", "MX_CURP", "NG_NIN",
    "NG_VEHICLE_REGISTRATION", "NL_BSN", "NO_FODSELSNUMMER", "PASSPORT", "PHONE_NUMBER", "PH_TIN", "PL_PESEL", "PT_NIF",
    "RO_CNP", "SECRET", "SE_ORGANISATIONSNUMMER", "SE_PERSONNUMMER", "SG_NRIC_FIN", "SG_UEN", "SI_EMSO", "TH_TNIN",
    "TR_LICENSE_PLATE", "TR_NATIONAL_ID", "UK_DRIVING_LICENCE", "UK_NHS", "UK_NINO", "UK_PASSPORT", "UK_POSTCODE",
    "UK_UTR", "UK_VEHICLE_REGISTRATION", "URL", "US_BANK_NUMBER", "US_DRIVER_LICENSE", "US_ITIN", "US_MBI", "US_NPI",
    "US_PASSPORT", "US_SSN", "ZA_ID_NUMBER",
)  # fmt: skip
"""The entities that can be found by patterns."""

LOCALES: tuple[str, ...] = (
    "am_ET", "ar_AA", "ar_AE", "ar_BH", "ar_DZ", "ar_EG", "ar_JO", "ar_PS", "ar_SA", "az_AZ", "bg_BG", "bn_BD",
    "bs_BA", "cs_CZ", "da_DK", "de", "de_AT", "de_CH", "de_DE", "de_LI", "de_LU", "dk_DK", "el_CY", "el_GR", "en",
    "en_AU", "en_BD", "en_CA", "en_GB", "en_IE", "en_IN", "en_KE", "en_MS", "en_NG", "en_NZ", "en_PH", "en_PK",
    "en_TH", "en_US", "es", "es_AR", "es_CA", "es_CL", "es_CO", "es_ES", "es_MX", "et_EE", "fa_IR", "fi_FI",
    "fil_PH", "fr_BE", "fr_CA", "fr_CH", "fr_DZ", "fr_FR", "ga_IE", "gu_IN", "ha_NG", "he_IL", "hi_IN",
    "hr_HR", "hu_HU", "hy_AM", "id_ID", "ig_NG", "is_IS", "it_CH", "it_IT", "ja_JP", "ka_GE", "ko_KR", "la",
    "lb_LU", "lt_LT", "lv_LV", "mk_MK", "mr_IN", "mt_MT", "ne_NP", "ng_NG", "nl_BE", "nl_NL", "no_NO", "or_IN",
    "pl_PL", "pt_BR", "pt_PT", "ro_RO", "ru_RU", "si_LK", "sk_SK", "sl_SI", "sq_AL", "sr_BA", "sv_SE", "sw",
    "ta_IN", "th", "th_TH", "tl_PH", "tr_TR", "tw_GH", "uk_UA", "uz_UZ", "vi_VN", "yo_NG", "zh_CN", "zh_TW",
    "zu_ZA",
)  # fmt: skip
"""The locales of Faker, which invents surrogates; not fr_QC, which it has replaced by fr_CA."""

SURROGATES: tuple[str, ...] = (
    "CREDIT_CARD", "DATE_TIME", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "LOCATION", "MAC_ADDRESS", "ORGANIZATION",
    "PERSON", "PHONE_NUMBER", "STREET_ADDRESS", "URL",
)  # fmt: skip
"""The labels of which values can be invented."""
