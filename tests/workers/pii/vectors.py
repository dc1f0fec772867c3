"""Published examples, by entity: (the number, a sentence to stand in, whether every digit is covered by a check).

Sources: "stdnum" are the doctests of python-stdnum 2.2, "Presidio" the tests of presidio-analyzer, the others as named.
"""

from __future__ import annotations

import re

CARDS = (
    # https://docs.stripe.com/testing#cards
    "4242424242424242", "4000056655665556", "5555555555554444", "2223003122003222", "5200828282828210",
    "378282246310005", "371449635398431", "6011111111111117", "3056930009020004", "36227206271667", "6555900000604105",
    "3566002020360505", "6200000000000005", "6205500000000000004",
    # PayPal, Payflow test card numbers
    "4012888888881881", "4222222222222", "5105105105105100", "6011000990139424", "30569309025904", "38520000023237",
    "3530111333300000",
    # in groups, as embossed
    "4242 4242 4242 4242", "5555-5555-5555-4444", "3782 822463 10005", "3056 930902 5904", "6205 5000 0000 0000 004",
)  # fmt: skip

# SWIFT, IBAN Registry (ISO 13616), one a country, in electronic format and then in print format
_IBANS = """
AD1200012030200359100100 AE070331234567890123456 AL47212110090000000235698741 AT611904300234573201
AZ21NABZ00000000137010001944 BA391290079401028494 BE68539007547034 BG80BNBG96611020345678 BH67BMAG00001299123456
BR1800360305000010009795493C1 BY13NBRB3600900000002Z00AB00 CH9300762011623852957 CR05015202001026284066
CY17002001280000001200527600 CZ6508000000192000145399 DE89370400440532013000 DK5000400440116243
DO28BAGR00000001212453611324 EE382200221020145685 EG380019000500000000263180002 ES9121000418450200051332
FI2112345600000785 FO6264600001631634 FR1420041010050500013M02606 GB29NWBK60161331926819 GE29NB0000000101904917
GI75NWBK000000007099453 GL8964710001000206 GR1601101250000000012300695 GT82TRAJ01020000001210029690
HR1210010051863000160 HU42117730161111101800000000 IE29AIBK93115212345678 IL620108000000099999999
IQ98NBIQ850123456789012 IS140159260076545510730339 IT60X0542811101000000123456 JO94CBJO0010000000000131000302
KW81CBKU0000000000001234560101 KZ86125KZT5004100100 LB62099900000001001901229114 LC55HEMM000100010012001200023015
LI21088100002324013AA LT121000011101001000 LU280019400644750000 LV80BANK0000435195001 MC5811222000010123456789030
MD24AG000225100013104168 ME25505000012345678951 MK07250120000058984 MR1300020001010000123456753
MT84MALT011000012345MTLCAST001S MU17BOMM0101101030300200000MUR NL91ABNA0417164300 NO9386011117947
PK36SCBL0000001123456702 PL61109010140000071219812874 PS92PALS000000000400123456702 PT50000201231234567890154
QA58DOHB00001234567890ABCDEFG RO49AAAA1B31007593840000 RS35260005601001611379 SA0380000000608010167519
SC18SSCB11010000000000001497USD SE4550000000058398257466 SI56263300012039086 SK3112000000198742637541
SM86U0322509800000000270100 ST23000100010051845310146 SV62CENR00000000000000700025 TL380080012345678910157
TN5910006035183598478831 TR330006100519786457841326 UA213223130000026007233566001 VA59001123000012345678
VG96VPVG0000012345678901 XK051212012345678906
"""
IBANS = (*_IBANS.split(), *(" ".join(re.findall(".{1,4}", iban)) for iban in _IBANS.split()))

CRYPTO = (
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",  # the output of Bitcoin's genesis block
    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",  # Bitcoin wiki, "Address"
    # BIP-173
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
    "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
    # BIP-350
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    # EIP-55
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)

CHECKED = {
    "CREDIT_CARD": ("My card is {}, thanks", CARDS),
    "IBAN_CODE": ("Please pay to {}, thanks", IBANS),
    "CRYPTO": ("Send it to {} today", CRYPTO),
    # NHS Data Dictionary, "NHS number"; stdnum
    "UK_NHS": ("NHS number {}", ("943 476 5919", "9434765919", "943-476-5870")),
    "ABA_ROUTING_NUMBER": ("routing number {}", ("111000025", "021000021")),  # stdnum; JPMorgan Chase, published
    "ES_NIF": ("mi DNI es {}", ("54362315K", "12345678Z", "2345678T")),  # stdnum; the police's example; computed
    "ES_NIE": ("mi NIE es {}", ("X2482300W",)),  # stdnum
    "IT_FISCAL_CODE": ("codice fiscale {}", ("RCCMNL83S18D969H",)),  # stdnum
    "IT_VAT_CODE": ("partita IVA {}", ("00743110157", "IT 00743110157")),  # stdnum
    "PL_PESEL": ("PESEL {}", ("44051401359",)),  # stdnum
    "SG_NRIC_FIN": ("NRIC {}", ("S1234567D", "G1234567X")),  # as in published accounts of the algorithm
    "AU_TFN": ("my tax file number is {}", ("123 456 782", "123456782")),  # stdnum
    "AU_ABN": ("ABN {}", ("83 914 571 673", "51824753556")),  # stdnum
    "IN_AADHAAR": ("Aadhaar {}", ("2341 2341 2346", "234123412346")),  # stdnum
    "IN_VOTER": ("voter id {}", ("WKH1186253",)),  # stdnum
    "FI_PERSONAL_IDENTITY_CODE": ("hetu {}", ("131052-308T",)),  # stdnum
    "DE_TAX_ID": ("Steuer-ID: {}", ("36 574 261 809", "36574261809")),  # stdnum
    "CA_SIN": ("SIN {}", ("123-456-782", "123456782")),  # stdnum
    "SE_PERSONNUMMER": ("personnummer {}", ("880320-0016", "811228-9841", "8803200016")),  # stdnum
    "TR_NATIONAL_ID": ("TC kimlik no: {}", ("17291716060",)),  # stdnum
    "ZA_ID_NUMBER": ("South African ID number {}", ("7503305044089",)),  # stdnum
    "NL_BSN": ("BSN {}", ("111222333", "1112.22.333")),  # stdnum
    "AR_CUIT": ("CUIT {}", ("20-05536168-2", "20055361682")),  # stdnum, as all up to SI_EMSO
    "AT_SVNR": ("SVNR {}", ("1237 010180", "1237010180")),
    "BE_NATIONAL_NUMBER": ("rijksregisternummer {}", ("85.07.30-033.28", "85 07 30 033 28", "85073003328")),
    "BG_EGN": ("ЕГН {}", ("8032056031",)),
    "CH_AHV": ("AHV-Nr. {}", ("756.9217.0769.85", "7569217076985")),
    "CL_RUT": ("RUT {}", ("76086428-5", "12.531.909-2")),
    "CN_RESIDENT_ID": ("身份证 {}", ("360426199101010071",)),
    "GR_AMKA": ("AMKA {}", ("01013099997",)),
    "HR_OIB": ("OIB {}", ("33392005961",)),
    "IE_PPS": ("PPS No. {}", ("6433435F", "6433435FT")),
    "IL_ID_NUMBER": ("teudat zehut {}", ("3933742-3",)),
    "JP_MY_NUMBER": ("my number {}", ("6214 9832 0257", "621498320257")),
    "NO_FODSELSNUMMER": ("fødselsnummer {}", ("151086 95088", "15108695088")),
    "PT_NIF": ("contribuinte {}", ("501 964 843", "501964843")),
    "RO_CNP": ("CNP {}", ("1630615123457",)),
    "SI_EMSO": ("EMŠO {}", ("0101006500006",)),
    # Invented, with computed check digits, as all below.
    "DE_HEALTH_INSURANCE": ("Krankenversichertennummer {}", ("M418573029",)),
    "DE_PASSPORT": ("Reisepass {}", ("L7X3TK902", "C4VPY62M0")),
    "DE_VAT_ID": ("USt-IdNr. {}", ("DE263819474", "DE 263 819 474")),
    "NG_NIN": ("NIN {}", ("47281930569",)),
    "SE_ORGANISATIONSNUMMER": ("organisationsnummer {}", ("556281-9044", "5562819044")),
    "US_NPI": ("NPI {}", ("1482-739-053", "1482739053")),
    "FR_NIR": (
        "numéro INSEE {}",
        ("2 95 10 99 126 111 93", "295109912611193", "253072B07300470", "2 53 07 2B 073 004 70"),
    ),  # stdnum
}
"""Numbers whose check finds any one digit that is wrong."""

OTHERS = {
    "EMAIL_ADDRESS": (
        "write to {}, please",
        # after RFC 5322 and Wikipedia, "Email address", examples; RFC 3696, 3
        ("simple@example.com", "very.common@example.com", "user.name+tag+sorting@example.com", "x@example.com",
         "o'brien@mail.example.co.uk", "müller@bücher.example", "a-b_c@xn--bcher-kva.example",
         "user+mailbox@example.com", "_somename@example.com"),
    ),
    "PHONE_NUMBER": (
        "call me on {}, please",
        # Ofcom's and NANPA's numbers for drama, the ITU's form; phonenumbers' README
        ("+44 20 7946 0958", "020 7946 0958", "+1 650-253-0000", "(650) 253-0000", "650.253.0000", "+12024561414",
         "+442083661177", "+41 44 668 18 00", "(650) 253-0000 x123", "9472 7916"),
    ),
    # SSA's form; stdnum
    "US_SSN": ("SSN {}", ("536-90-4399", "536 90 4399", "536904399")),
    "US_ITIN": ("my ITIN is {}", ("912-90-3456", "912903456")),  # stdnum
    "US_PASSPORT": ("passport number {}", ("912803456", "A12803456")),  # Presidio
    "US_BANK_NUMBER": ("my bank account number is {}", ("945456787654",)),  # Presidio
    "US_DRIVER_LICENSE": ("my driver's license is {}", ("H12234567",)),  # Presidio
    "UK_NINO": ("NI number {}", ("AB 12 34 56 C", "AA123456B")),  # HMRC, NIM39110, for the form
    "AU_ACN": ("ACN {}", ("004 085 616",)),  # stdnum
    "AU_MEDICARE": ("medicare {}", ("2123 45670 1", "2123456701")),  # Presidio
    "IN_PAN": ("PAN {}", ("ACUPA7085R",)),  # stdnum
    "KR_RRN": ("RRN {}", ("971013-1019901", "910823-1234561")),  # computed; without a check digit
    # Invented; where there is a check digit it was computed.
    "DE_BSNR": ("BSNR {}", ("521111100",)),
    "DE_FUEHRERSCHEIN": ("Führerschein {}", ("KA48271935M", "B072RRE2I55")),
    "DE_HANDELSREGISTER": ("eingetragen unter {}", ("HRB 48213", "HRA9917")),
    "DE_ID_CARD": ("Personalausweis {}", ("L7X3TK902", "T48271935")),
    "DE_KFZ": ("Kennzeichen {}", ("KA-RM 482", "B AB 4827E")),
    "DE_PLZ": ("PLZ {}", ("76133", "01067")),
    "IN_VEHICLE_REGISTRATION": ("it is {}", ("KA 05 MX 4827", "DL3CAB4827")),
    "NG_VEHICLE_REGISTRATION": ("it is {}", ("KJA-482QX",)),
    "TR_LICENSE_PLATE": ("plaka {}", ("34 KRM 482", "06 B 4827")),
    "UK_POSTCODE": ("it is {}", ("SW1A 1AA", "M1 1AE", "EC1A 1BB", "DN55 1PT")),
    "UK_VEHICLE_REGISTRATION": ("registration {}", ("LK51 RMX", "K482 RMX", "RMX 482K")),
    # stdnum; one wrong digit may be valid
    "EE_ISIKUKOOD": ("isikukood {}", ("36805280109",)),
    "IS_KENNITALA": ("kennitala {}", ("450401-3150", "120174-3399")),
    "LT_ASMENS_KODAS": ("asmens kodas {}", ("33309240064",)),
    "UK_UTR": ("UTR {}", ("19558 39661", "1955839661")),
    "CZ_SK_BIRTH_NUMBER": ("rodné číslo {}", ("710319/2745", "7103192745")),
    "DK_CPR": ("CPR-nr. {}", ("211062-5629",)),
    "PASSPORT": ("my passport number is {}", ("X1234567", "C01X00T47", "AB 1234567")),  # invented, after ICAO Doc 9303
    "DATE_TIME": (
        "it was {} there",
        ("2024-02-29", "2024-02-29T13:45:10.25+01:00", "29.2.2024", "2/29/24", "31/12/1999", "3 May 2021",
         "3rd of May 2021",         "May 3, 2021", "5-Mar-2021", "Dec-2021", "9:30 pm"),
    ),
    "DE_LANR": ("LANR {}", ("738412505",)),
    "DE_SOCIAL_SECURITY": ("Rentenversicherungsnummer {}", ("52 230478 K 719", "13680695W043")),
    "DE_TAX_NUMBER": ("Steuernummer {}", ("181/815/08155", "21/815/08150", "9181081508155")),
    "ES_PASSPORT": ("pasaporte {}", ("PAB482719",)),
    "IN_GSTIN": ("registered as {}", ("29ACUPA7085R1ZH",)),
    "IN_PASSPORT": ("passport {}", ("K4827193",)),
    "IT_DRIVER_LICENSE": ("patente {}", ("RM4827193K", "U1K48B271Z")),
    "IT_IDENTITY_CARD": ("carta d'identità {}", ("CA48271AX", "AX 4827193", "4827193AX")),
    "IT_PASSPORT": ("passaporto {}", ("YA4827193",)),
    "KR_BRN": ("사업자등록번호 {}", ("214-87-39065", "2148739065")),
    "KR_DRIVER_LICENSE": ("운전면허 {}", ("11-08-482719-35",)),
    "KR_PASSPORT": ("여권 {}", ("M482K7193", "M48271935")),
    "MEDICAL_LICENSE": ("DEA number {}", ("FK4318627", "B92876401")),
    "PH_TIN": ("TIN {}", ("283-417-900", "283-417-900-000", "283417900")),
    "SG_UEN": ("UEN {}", ("41872365J", "T19LL4821H", "201783645R", "R08PF3175K")),
    "UK_DRIVING_LICENCE": ("my licence {}", ("JONES704238K99AB", "LI999861147TR9XY")),
    "UK_PASSPORT": ("passport {}", ("PK4827193",)),
    "US_MBI": ("Medicare {}", ("4KX7-RM2-QT58", "4KX7RM2QT58")),
    "KR_FRN": ("FRN {}", ("910823-6123456", "910823-6123450")),  # computed, the second without a check digit
    "TH_TNIN": ("national ID {}", ("3100600445635", "1-2345-45678-78-1")),  # stdnum
    "BR_CPF": ("CPF {}", ("390.533.447-05", "39053344705")),  # stdnum
    "MX_CURP": ("CURP {}", ("BOXW310820HNERXN09",)),  # stdnum
    "IP_ADDRESS": (
        "the server at {} is down",
        # RFC 5737, RFC 3849; RFC 4291, 2.2 and 2.5; RFC 5952, 1, 2 and 4
        ("192.0.2.1", "198.51.100.255", "2001:db8::8a2e:370:7334", "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789",
         "2001:DB8:0:0:8:800:200C:417A", "FF01:0:0:0:0:0:0:101", "0:0:0:0:0:0:0:1", "2001:DB8::8:800:200C:417A",
         "FF01::101", "::1", "::13.1.68.3", "::FFFF:129.144.52.38", "::ffff:192.0.2.128", "fe80::1",
         "2001:db8:0:0:1:0:0:1", "2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "2001:db8::0:1:0:0:1",
         "2001:db8::1", "2001:db8::aaaa:0:0:1", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
    ),
    "MAC_ADDRESS": (
        "its MAC is {} today",
        ("00-00-5E-00-53-01", "00:00:5e:00:53:ff", "0000.5e00.5301"),  # RFC 7042, for documentation
    ),
    # RFC 7519, 3.1
    "SECRET": (
        "Authorization: Bearer {}",
        (".".join(("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
                   "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
                   "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),),
    ),
    "URL": (
        "see {} for more",
        # RFC 3986 1.1.2, RFC 2606
        ("http://www.ietf.org/rfc/rfc2396.txt", "ftp://ftp.is.co.za/rfc/rfc1808.txt", "http://[2001:db8::7]/c=GB?one",
         "https://example.com:8042/over/there?name=ferret#nose", "www.example.net", "example.com/path", "example.co.uk",
         "https://en.wikipedia.org/wiki/Rust_(fungus)", "http://localhost/x"),
    ),
}  # fmt: skip
