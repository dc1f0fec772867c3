"""Published examples, by entity: (the number, a sentence to stand in, whether every digit is covered by a check).

Sources: "stdnum" are the doctests of python-stdnum 2.2, "Presidio" the tests of presidio-analyzer, the others as named.
"""

from __future__ import annotations

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

IBANS = (
    # SWIFT, IBAN Registry (ISO 13616), examples in print format
    "GB29 NWBK 6016 1331 9268 19", "DE89 3704 0044 0532 0130 00", "FR14 2004 1010 0505 0001 3M02 606",
    "NL91 ABNA 0417 1643 00", "ES91 2100 0418 4502 0005 1332", "IT60 X054 2811 1010 0000 0123 456",
    "BE68 5390 0754 7034", "CH93 0076 2011 6238 5295 7", "NO93 8601 1117 947", "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "SE45 5000 0000 0583 9825 7466", "SA03 8000 0000 6080 1016 7519", "GB29NWBK60161331926819", "NO9386011117947",
)  # fmt: skip

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
    "ES_NIF": ("mi DNI es {}", ("54362315K", "12345678Z")),  # stdnum; the Spanish police's example
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
    "SE_PERSONNUMMER": ("personnummer {}", ("880320-0016", "811228-9841")),  # stdnum
    "TR_NATIONAL_ID": ("TC kimlik no: {}", ("17291716060",)),  # stdnum
    "ZA_ID_NUMBER": ("South African ID number {}", ("7503305044089",)),  # stdnum
    "NL_BSN": ("BSN {}", ("111222333", "1112.22.333")),  # stdnum
    "FR_NIR": ("numéro INSEE {}", ("2 95 10 99 126 111 93", "295109912611193", "253072B07300470")),  # stdnum
}
"""Numbers whose check finds any one digit that is wrong."""

OTHERS = {
    "EMAIL_ADDRESS": (
        "write to {}, please",
        # after RFC 5322 and Wikipedia, "Email address", examples
        ("simple@example.com", "very.common@example.com", "user.name+tag+sorting@example.com", "x@example.com",
         "o'brien@mail.example.co.uk", "müller@bücher.example", "a-b_c@xn--bcher-kva.example"),
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
    "KR_RRN": ("RRN {}", ("971013-9019902",)),  # stdnum
    "TH_TNIN": ("national ID {}", ("3100600445635", "1-2345-45678-78-1")),  # stdnum
    "BR_CPF": ("CPF {}", ("390.533.447-05", "39053344705")),  # stdnum
    "MX_CURP": ("CURP {}", ("BOXW310820HNERXN09",)),  # stdnum
    "IP_ADDRESS": (
        "the server at {} is down",
        # RFC 5737, RFC 3849, RFC 4291 2.2
        ("192.0.2.1", "198.51.100.255", "2001:db8::8a2e:370:7334", "2001:DB8:0:0:8:800:200C:417A", "::1",
         "::ffff:192.0.2.128", "fe80::1"),
    ),
    "MAC_ADDRESS": (
        "its MAC is {} today",
        ("00-00-5E-00-53-01", "00:00:5e:00:53:ff", "0000.5e00.5301"),  # RFC 7042, for documentation
    ),
    "URL": (
        "see {} for more",
        # RFC 3986 1.1.2, RFC 2606
        ("http://www.ietf.org/rfc/rfc2396.txt", "ftp://ftp.is.co.za/rfc/rfc1808.txt", "http://[2001:db8::7]/c=GB?one",
         "https://example.com:8042/over/there?name=ferret#nose", "www.example.net", "example.com/path", "example.co.uk",
         "https://en.wikipedia.org/wiki/Rust_(fungus)", "http://localhost/x"),
    ),
}  # fmt: skip
